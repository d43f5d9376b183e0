"""Scores of one clip: values worked out by hand, and mir_eval's own evaluation as the oracle for chords."""

from itertools import pairwise

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators.evaluation import score_clip
from fgmcaps.annotators.evaluation.clip_scores import OCTAVES, beat_f, chord_recall, key_accuracy, tempo_accuracy
from fgmcaps.schemas import ChordSpan, Labels
from fgmcaps.schemas.music import KEYS
from fgmcaps.schemas.truth import ClipTruth


@pytest.mark.parametrize(
    ("bpm", "reference", "right"),
    [(120, 120, 1), (124.8, 120, 1), (115.2, 120, 1), (124.9, 120, 0), (115.1, 120, 0), (60, 120, 0), (None, 120, 0)],
)
def test_tempo_is_right_within_four_percent(bpm: float | None, reference: float, right: float) -> None:
    assert tempo_accuracy(bpm, reference) == right


def test_octaves_forgive_two_and_three_times_and_nothing_else() -> None:
    right = [f for f in (1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3, 4) if tempo_accuracy(100 * f, 100, OCTAVES)]
    assert right == [1 / 3, 1 / 2, 1, 2, 3]


def test_a_missing_truth_gives_no_score() -> None:
    scores = score_clip(Labels(tempo_bpm=100.0, key="C major"), ClipTruth())
    assert all(scores.of(name) is None for name in scores.__slots__)


def test_a_missing_label_scores_zero() -> None:
    truth = ClipTruth(100.0, (0.5, 1.0), (0.5,), "3/4", "C major", (ChordSpan(0, 2, "C:maj"),))
    scores = score_clip(Labels(), truth)
    assert {scores.of(name) for name in scores.__slots__} == {0.0}


def test_beats_by_hand() -> None:
    # Two of three estimates hit two of four references: P = 2/3, R = 1/2, F = 4/7.
    assert beat_f((1.0, 2.06, 3.5), (1.0, 2.0, 3.0, 4.0)) == pytest.approx(4 / 7)
    assert beat_f((), ()) == 1.0
    assert beat_f((1.0,), ()) == 0.0


def test_keys_are_compared_by_pitch() -> None:
    assert key_accuracy("C# major", "Db major") == 1.0
    assert key_accuracy("A minor", "C major") == 0.0
    scores = score_clip(Labels(key="A minor"), ClipTruth(key="C major"))
    assert scores.key_weighted == 0.3  # the relative key
    assert score_clip(Labels(key="G major"), ClipTruth(key="C major")).key_weighted == 0.5  # a fifth above


def test_chords_by_hand() -> None:
    # 4 s of C major and 4 s of G7: right root and third for 6 of 8 s; the sevenths need G:7, not G.
    reference = (ChordSpan(0, 4, "C:maj"), ChordSpan(4, 8, "G:7"))
    spans = (ChordSpan(0, 4, "C:maj/3"), ChordSpan(4, 6, "G:maj"), ChordSpan(6, 8, "E:min"))
    assert chord_recall(spans, reference) == (pytest.approx(6 / 8), pytest.approx(4 / 8))


def test_chords_outside_the_vocabulary_are_left_out() -> None:
    assert chord_recall((ChordSpan(0, 4, "C:maj"),), (ChordSpan(0, 4, "C:sus4"),)) == (None, None)
    reference = (ChordSpan(0, 3, "C:sus4"), ChordSpan(3, 4, "C:maj"))
    assert chord_recall((ChordSpan(0, 4, "C:maj"),), reference)[0] == 1.0


def test_chords_beyond_the_truth_and_gaps_count_as_mir_eval_would_count_silence() -> None:
    reference = (ChordSpan(1, 3, "C:maj"), ChordSpan(5, 8, "N"))
    assert chord_recall((ChordSpan(0, 9, "C:maj"),), reference)[0] == pytest.approx(2 / 5)
    assert chord_recall((ChordSpan(0, 2, "C:maj"), ChordSpan(8, 9, "A:min")), reference)[0] == pytest.approx(4 / 5)
    assert chord_recall((ChordSpan(8, 9, "A:min"),), reference)[0] == pytest.approx(3 / 5)


@st.composite
def _spans(draw: st.DrawFn, start: float, stop: float) -> tuple[ChordSpan, ...]:
    inner = draw(st.sets(st.integers(int(start * 10) + 1, int(stop * 10) - 1), max_size=6))
    edges = [start, *(i / 10 for i in sorted(inner)), stop]
    names = st.sampled_from(["C:maj", "C:min", "G:7", "F:maj7", "A:min7", "B:dim", "D:sus4", "N", "E:min/b3"])
    return tuple(ChordSpan(a, b, draw(names)) for a, b in pairwise(edges))


@settings(max_examples=60, deadline=None)
@given(_spans(0.0, 8.0), _spans(0.0, 8.0))
def test_chord_recall_is_mir_eval_s(reference: tuple[ChordSpan, ...], spans: tuple[ChordSpan, ...]) -> None:
    def parts(s: tuple[ChordSpan, ...]) -> tuple[np.ndarray, list[str]]:
        return np.array([[x.start, x.end] for x in s]), [x.label for x in s]

    want = mir_eval.chord.evaluate(*parts(reference), *parts(spans))
    got = chord_recall(spans, reference)
    for mine, name in zip(got, ("majmin", "sevenths"), strict=True):
        if mine is None:
            assert want[name] == 0.0  # mir_eval says 0 where there is nothing to compare
        else:
            assert mine == pytest.approx(want[name], abs=1e-9)


@given(st.sampled_from(KEYS))
def test_a_key_is_itself(key: str) -> None:
    scores = score_clip(Labels(key=key), ClipTruth(key=key))
    assert (scores.key, scores.key_weighted) == (1.0, 1.0)
