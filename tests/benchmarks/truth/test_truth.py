"""Cutting a piece to a clip, and the clip as a file that others read."""

from pathlib import Path

import jams
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.jams_file import jams_text
from benchmarks.truth.manifest import write_manifest
from benchmarks.truth.read import read_truth
from benchmarks.truth.render import clip_path, write_clip
from benchmarks.truth.truth import TruthClip, cut_beats, cut_spans
from fgmcaps.pipeline.sources.manifest_file import ManifestSource
from fgmcaps.schemas.estimate import ChordSpan


def test_beats_of_six_eight_by_hand() -> None:
    # Bars of 1.2 s from 0.5 s on, two dotted quarters each; the clip starts at 1.0 s.
    times, positions = cut_beats([0.5, 1.7, 2.9, 4.1], 2, 1.0, 3.5)
    assert times == pytest.approx([0.1, 0.7, 1.3, 1.9])
    assert positions == [2, 1, 2, 1]


@given(st.floats(0.4, 3), st.integers(2, 5), st.floats(0, 3))
def test_every_beat_in_the_window_and_no_other(bar: float, beats: int, start: float) -> None:
    bars = [i * bar for i in range(60)]
    times, positions = cut_beats(bars, beats, start, start + 10)
    period = bar / beats
    assert all(0 <= t < 10 for t in times)
    assert np.diff(times) == pytest.approx(np.full(len(times) - 1, period))
    assert times[0] < period + 1e-9 and times[-1] >= 10 - period - 1e-9
    assert [(a % beats) + 1 for a in positions[:-1]] == positions[1:]


def test_chords_are_cut_and_joined() -> None:
    spans = [(0.0, 2.0, "C:maj"), (2.0, 4.0, "G:7"), (4.0, 6.0, "G:7"), (6.0, 20.0, "C:maj")]
    cut = cut_spans(spans, 1.0, 11.0)
    assert cut == (ChordSpan(0, 1, "C:maj"), ChordSpan(1, 5, "G:7"), ChordSpan(5, 10, "C:maj"))


def _clip(path: Path) -> TruthClip:
    return TruthClip(
        path=path,
        split="train",
        family="waltz",
        style="stdlib/waltz:Waltz",
        library="stdlib",
        tempo_bpm=120.0,
        beats=(0.25, 0.75, 1.25, 1.75),
        downbeats=(0.75,),
        meter="3/4",
        beats_per_bar=3,
        key="F# minor",
        chords=(ChordSpan(0.0, 0.75, "C#:7/3"), ChordSpan(0.75, 2.0, "F#:min")),
        marks=("quiet",),
        sandbox={"soundfont": "TimGM6mb", "licence": "GPL-2"},
        duration_s=2.0,
    )


def test_a_clip_is_read_back_as_it_was_written_and_jams_accepts_it(tmp_path: Path) -> None:
    path = clip_path(tmp_path, 7)
    clip = _clip(path)
    write_clip(path, np.zeros(88200, np.float32), jams_text(clip, [3, 1, 2, 3]))
    assert read_truth(tmp_path) == [clip]
    document = jams.load(str(path.with_suffix(".jams")), validate=True, strict=True)
    assert [a.namespace for a in document.annotations] == ["beat", "beat_position", "tempo", "key_mode", "chord"]
    measures = [o.value["measure"] for o in document.search(namespace="beat_position")[0].data]
    assert measures == [1, 2, 2, 2]


def test_labels_that_are_not_known_are_not_written(tmp_path: Path) -> None:
    path = clip_path(tmp_path, 0)
    unknown = TruthClip(
        path, "test", "speech", "speech", "negative", None, (), (), None, None, None, (), ("null:key",), {}, 10.0
    )
    write_clip(path, np.zeros(100, np.float32), jams_text(unknown, []))
    assert read_truth(tmp_path) == [unknown]
    assert jams.load(str(path.with_suffix(".jams")), validate=True, strict=True).annotations == []


def test_the_manifest_is_one_that_a_build_reads(tmp_path: Path) -> None:
    path = clip_path(tmp_path, 3)
    write_clip(path, np.zeros(100, np.float32), jams_text(_clip(path), [3, 1, 2, 3]))
    assert write_manifest(tmp_path) == 1
    (item,) = ManifestSource(tmp_path / "manifest.csv").files()
    assert (item.metadata.split, item.metadata.genre, item.metadata.licence) == ("train", ("waltz",), "GPL-2")


def test_an_unfinished_clip_is_not_read(tmp_path: Path) -> None:
    path = clip_path(tmp_path, 3)
    write_clip(path, np.zeros(100, np.float32), jams_text(_clip(path), [3, 1, 2, 3]))
    path.unlink()
    with pytest.raises(FileNotFoundError, match="no truth clips"):
        read_truth(tmp_path)


def test_a_broken_truth_file_is_named(tmp_path: Path) -> None:
    path = clip_path(tmp_path, 3)
    write_clip(path, np.zeros(100, np.float32), "{}")
    with pytest.raises(ValueError, match=r"truth-00003\.jams"):
        read_truth(tmp_path)
