"""Tempo of beats and chord sequences by hand-calculated cases; chord theory against mir_eval."""

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators.fusion.chords import decide_chords, shortest_period, summarise
from fgmcaps.annotators.fusion.hypotheses.chord_tones import chord_pitch_classes, majmin
from fgmcaps.annotators.fusion.tempo import median_tempo, pulse
from fgmcaps.annotators.settings import ChordSettings
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.harte import QUALITIES, pitch_class

ROOTS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
CHORDS = ChordSettings()

# --- tempo


def test_median_tempo_is_musicbench_s() -> None:
    assert median_tempo([0.0, 0.5]) is None
    assert median_tempo([0.0, 0.5, 1.0, 2.0]) == pytest.approx(120.0)


def test_the_pulse_is_finer_than_the_frames_it_was_found_in() -> None:
    # 128 BPM on a grid of 20 ms: the median interval says 130.4 or 125.
    times = [round(round(i * 60 / 128 / 0.02) * 0.02, 4) for i in range(21)]
    found = pulse(times)
    assert found is not None
    assert found[0] == pytest.approx(128.0, abs=0.3)
    assert found[1] == 1.0
    assert abs(60 / np.median(np.diff(times)) - 128) > 2


def test_the_pulse_forgives_a_missed_beat_and_says_so() -> None:
    found = pulse([0.0, 0.5, 1.0, 2.0, 2.5, 3.0])
    assert found == (pytest.approx(120.0), pytest.approx(0.8))


# --- chords


@pytest.mark.parametrize("quality", sorted(QUALITIES))
@pytest.mark.parametrize("root", ["C", "F#", "Bb"])
def test_chord_tones_equal_mir_eval(root: str, quality: str) -> None:
    label = f"{root}:{quality}"
    extended = {"9": "7", "maj9": "maj7", "min9": "min7", "11": "7", "maj11": "maj7", "min11": "min7"}
    extended |= {"13": "7", "maj13": "maj7", "min13": "min7"}
    number, bitmap, _ = mir_eval.chord.encode(f"{root}:{extended.get(quality, quality)}")
    want = {(number + i) % 12 for i in np.flatnonzero(bitmap)}
    got = set(chord_pitch_classes(label))
    assert want < got if quality in extended else want == got  # mir_eval knows no tones above the seventh


def test_added_and_left_out_degrees() -> None:
    assert set(chord_pitch_classes("G:sus4(b7)")) == {pitch_class(n) for n in ("G", "C", "D", "F")}
    assert set(chord_pitch_classes("C:maj(*5)")) == {0, 4}
    assert chord_pitch_classes("N") == {}
    assert chord_pitch_classes("C:maj")[0] == 2.0


@pytest.mark.parametrize("label", ["C:maj", "C:min", "F#:7", "Bb:min7", "E:maj7", "Ab:min/b3", "D:maj/5"])
def test_majmin_equals_mir_eval(label: str) -> None:
    root, kind = majmin(label) or (None, None)
    for other_kind in ("maj", "min"):
        for other_root, name in enumerate(ROOTS):
            same = mir_eval.chord.majmin([f"{name}:{other_kind}"], [label])[0] == 1.0
            sounding = label.replace("/b3", "").replace("/5", "")
            same_root = mir_eval.chord.majmin([f"{name}:{other_kind}"], [sounding])[0] == 1.0
            assert (root == other_root and kind == other_kind) == (same or same_root)
    assert majmin("N") is None


def test_mean_confidence_counts_sounding_time_only() -> None:
    spans = [ChordSpan(0, 4, "N", 0.0), ChordSpan(4, 7, "C:maj", 0.9), ChordSpan(7, 8, "G:maj", 0.5)]
    decision = decide_chords(spans, CHORDS)
    assert decision.value == tuple(spans)
    assert decision.confidence == pytest.approx((3 * 0.9 + 0.5) / 4)
    assert decide_chords([ChordSpan(0, 10, "N", 0.9)], CHORDS).reason == "not_found"
    assert decide_chords([ChordSpan(0, 10, "C:maj", 0.2)], CHORDS).reason == "low_confidence"


@pytest.mark.parametrize(
    ("labels", "summary"),
    [
        ("C F C F C F", "C F"),
        ("C F C F C", "C F"),
        ("C F C", "C F C"),
        ("C F G C F G", "C F G"),
        ("C C C", "C"),
        ("C F G A", "C F G A"),
        ("", ""),
    ],
)
def test_a_progression_is_reduced_to_its_period(labels: str, summary: str) -> None:
    spans = [ChordSpan(i, i + 1, f"{name}:maj", 0.9) for i, name in enumerate(labels.split())]
    assert summarise(spans, CHORDS) == tuple(f"{name}:maj" for name in summary.split())


def test_the_summary_leaves_out_silence_blips_doubt_and_inversions() -> None:
    spans = [
        ChordSpan(0, 1, "N", 0.9),
        ChordSpan(1, 3, "C:maj/3", 0.9),
        ChordSpan(3, 3.1, "G:maj", 0.9),
        ChordSpan(3.1, 4, "B:dim", 0.1),
        ChordSpan(4, 6, "C:maj", 0.9),
        ChordSpan(6, 9, "F:maj7", 0.9),
    ]
    assert summarise(spans, CHORDS) == ("C:maj", "F:maj7")
    many = [ChordSpan(i, i + 1, f"{ROOTS[i]}:maj", 0.9) for i in range(12)]
    assert len(summarise(many, CHORDS)) == 8


@settings(deadline=None)
@given(st.lists(st.sampled_from("ABC"), min_size=1, max_size=5), st.integers(2, 4), st.integers(0, 4))
def test_the_period_repeats_to_the_sequence(unit: list[str], times: int, tail: int) -> None:
    sequence = unit * times + unit[: min(tail, len(unit))]
    period = shortest_period(sequence)
    assert len(period) <= len(unit)
    assert (period * len(sequence))[: len(sequence)] == sequence
