"""Omnizart itself, in its own environment, with a model of the same signature made here."""

import os
import subprocess
from pathlib import Path

import numpy as np
import psutil
import pytest

from fgmcaps.annotators.registry import make_annotator
from fgmcaps.annotators.tools.omnizart import OmnizartChords
from fgmcaps.common.isolated import WorkerStartError, WorkerTimeout

RATE = 44_100
C, A_MINOR, F = (261.63, 329.63, 392.0), (220.0, 261.63, 329.63), (174.61, 220.0, 261.63)

pytestmark = pytest.mark.slow


def triad(notes, seconds):
    """float32[n]: harmonic tones, full scale below 1."""
    t = np.arange(round(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * note * h * t) / h**2 for note in notes for h in range(1, 6))
    return (0.1 * tones).astype(np.float32)


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "chord_triads"
    python = OmnizartChords().environment_path() / "bin" / "python"
    env = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([python, Path(__file__).with_name("make_model.py"), folder], check=True, env=env)
    return str(folder)


@pytest.fixture(scope="session")
def omnizart(model):
    annotator = OmnizartChords(model_path=model)
    assert annotator.missing() == ()
    annotator.setup()
    return annotator


def test_chords_of_known_triads(omnizart):
    clip = np.concatenate([triad(C, 4), triad(A_MINOR, 3), triad(F, 3)])
    estimate = omnizart.annotate(clip, RATE)
    assert (estimate.annotator, estimate.version, estimate.attribute) == ("omnizart", "0.6.3", "chords")
    spans = [s for s in estimate.value.spans if s.end - s.start > 0.5]
    assert [s.label for s in spans] == ["C:maj", "A:min", "F:maj"]
    assert abs(spans[0].end - 4) < 0.25
    assert abs(spans[1].end - 7) < 0.25
    assert estimate.value.spans[0].start == 0
    assert estimate.value.spans[-1].end == 10
    assert 0.5 < estimate.confidence <= 1


def test_a_clip_does_not_depend_on_the_clips_before(omnizart):
    clips = [triad(C, 3), triad(F, 10), triad(A_MINOR, 1)]
    first = [omnizart.annotate(clip, RATE) for clip in clips]
    again = [omnizart.annotate(clip, RATE) for clip in reversed(clips)]
    assert first == again[::-1]


def test_silence_and_a_tenth_of_a_second(omnizart):
    assert {s.label for s in omnizart.annotate(np.zeros(10 * RATE, np.float32), RATE).value.spans} == {"N"}
    short = omnizart.annotate(triad(C, 0.1), RATE)
    assert short.value.spans[-1].end == 0.1


def test_it_recovers_from_a_hang(model):
    annotator = OmnizartChords(model_path=model, timeout_s=60, start_timeout_s=299)
    annotator.setup()
    worker = annotator._model
    psutil.Process(worker.pid).suspend()
    with pytest.raises(WorkerTimeout):
        worker.request("chords", {"sample_rate": RATE}, {"samples": triad(C, 1)}, timeout_s=0.5)
    assert annotator.annotate(triad(C, 2), RATE).value.spans
    assert worker.starts == 2
    worker.close()


def test_the_weights_are_part_of_the_settings(omnizart, model):
    digest = omnizart.settings()["checkpoint_sha256"]
    assert len(digest) == 16
    assert OmnizartChords(model_path=model).settings()["checkpoint_sha256"] == digest
    assert make_annotator("omnizart", {"model_path": model}) == omnizart


def test_without_its_checkpoint_the_error_names_file_place_and_command():
    annotator = OmnizartChords()
    weights = annotator.checkpoint() / "variables/variables.data-00000-of-00001"
    if weights.exists():  # the user fetched it: then the real model must run
        assert annotator.annotate(triad(C, 10), RATE).value.spans
        return
    with pytest.raises(WorkerStartError) as caught:
        annotator.setup()
    assert str(weights) in str(caught.value)
    assert "bin/omnizart download-checkpoints" in str(caught.value)
    assert (annotator.environment_path() / "bin" / "omnizart").exists()
