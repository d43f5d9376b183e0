"""Labels of a MusicBench row, by hand, and whatever a row may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.pipeline.formats.musicbench import TOOL
from fgmcaps.pipeline.formats.shared.given_labels import given_labels, no_labels
from fgmcaps.schemas import ChordSpan, Key, Tempo
from fgmcaps.schemas.harte import is_chord_label
from tests.pipeline.formats.layouts import ROW


def labels_of(duration_s=10.0, **changes):
    return given_labels({**ROW, **changes}, duration_s, TOOL)[0]


def test_a_whole_row():
    labels, estimates = given_labels(ROW, 10.0, TOOL)
    assert labels.beats == (0.25, 0.75, 1.25, 1.75, 2.25)
    assert (labels.downbeats, labels.beat_count, labels.time_signature) == ((1.25,), 4, "4/4")
    assert (labels.tempo_bpm, labels.key, labels.key_confidence) == (120.0, "F# minor", 0.8934084177017212)
    assert labels.chords == (
        ChordSpan(0.464399092, 3.0, "Gb:min7"),
        ChordSpan(3.0, 6.5, "B:maj"),
        ChordSpan(6.5, 10.0, "G:maj/5"),
    )
    assert labels.chord_summary == ("Gb:min7", "B:maj", "G:maj/5")
    assert labels.qc_flags == ()
    assert {e.attribute for e in estimates} == {"beats", "tempo", "key", "chords"}
    assert {type(e.value) for e in estimates} > {Tempo, Key}
    assert next(e for e in estimates if e.attribute == "key").confidence == 0.8934084177017212


def test_what_lies_after_the_end_is_left_out():
    labels = labels_of(5.0, beats=[[1.0, 4.9, 5.1], [1, 2, 3]])
    assert labels.beats == (1.0, 4.9)
    assert labels.beat_count == 3, "the bar is known from all beats"
    assert [(c.start, c.end) for c in labels.chords] == [(0.464399092, 3.0), (3.0, 5.0)]


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({"bpm": None}, "tempo:not_given"),
        ({"bpm": "fast"}, "tempo:unreadable"),
        ({"bpm": 4000.0}, "tempo:unreadable"),
        ({"bpm": float("nan")}, "tempo:unreadable"),
        ({"bpm": True}, "tempo:unreadable"),
        ({"key": None}, "key:not_given"),
        ({"key": ["H", "minor"]}, "key:unreadable"),
        ({"key": ["F#"]}, "key:unreadable"),
        ({"chords": [], "chords_time": []}, "chords:not_given"),
        ({"chords": ["N", "N", "N"]}, "chords:not_given"),
        ({"chords": ["Gbm7", "B", "??"]}, "chords:unreadable"),
        ({"chords_time": [0.4, 3.0]}, "chords:unreadable"),
        ({"chords_time": [3.0, 0.4, 6.0]}, "chords:unreadable"),
        ({"beats": [[], []]}, "meter:not_given"),
        ({"beats": None}, "meter:not_given"),
        ({"beats": [[0.5, 1.0], [1]]}, "meter:unreadable"),
        ({"beats": [[1.0, 0.5], [1, 2]]}, "meter:unreadable"),
        ({"beats": [[0.5, 1.0], [1, 11]]}, "meter:unreadable"),
        ({"beats": [[0.5, 1.0], [0, 0]]}, "meter:not_given"),
    ],
)
def test_one_bad_column_costs_only_itself(changes, flag):
    assert labels_of(**changes).qc_flags == (flag,)


@pytest.mark.parametrize(
    ("numbers", "signature", "felt"), [([1, 2], "2/4", 2), ([1, 2, 3], "3/4", 3), ([6, 1, 2], "6/8", 2)]
)
def test_the_largest_number_is_the_meter(numbers, signature, felt):
    labels = labels_of(beats=[[0.5 * i for i in range(1, len(numbers) + 1)], numbers])
    assert (labels.time_signature, labels.beat_count) == (signature, felt)


def test_six_written_beats_are_two_felt_ones_at_a_third_of_the_tempo():
    labels, estimates = given_labels(
        {**ROW, "beats": [[0.5, 0.8, 1.1, 1.4, 1.7, 2.0, 2.3], [5, 6, 1, 2, 3, 4, 5]], "bpm": 200.0}, 10.0, TOOL
    )
    assert (labels.beats, labels.downbeats) == ((1.1, 2.0), (1.1,))
    assert labels.tempo_bpm == pytest.approx(200 / 3)
    assert [e.value for e in estimates if e.attribute == "tempo"] == [Tempo(200.0)], "raw is what was given"


def test_a_strength_outside_0_to_1_is_no_confidence():
    assert labels_of(keyprob=[1.7]).key_confidence is None
    assert labels_of(keyprob=[]).key == "F# minor"


def test_nothing_given_is_flagged():
    labels, estimates = no_labels(10.0)
    assert estimates == ()
    assert set(labels.qc_flags) == {f"{name}:not_given" for name in ("tempo", "meter", "key", "chords")}


_LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["C", "Am7", "minor", "\ud800"])
_JSON = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=4), max_leaves=8)


@given(st.fixed_dictionaries(dict.fromkeys(("beats", "bpm", "chords", "chords_time", "key", "keyprob"), _JSON)))
def test_no_row_breaks_it_and_every_label_is_sound(row):
    labels, _ = given_labels(row, 10.0, TOOL)
    flagged = {flag.partition(":")[0] for flag in labels.qc_flags}
    assert ("tempo" in flagged) == (labels.tempo_bpm is None)
    assert ("key" in flagged) == (labels.key is None)
    assert ("meter" in flagged) == (labels.time_signature is None)
    assert ("chords" in flagged) == (not labels.chords)
    assert all(0 <= t <= 10 for t in labels.beats)
    assert all(is_chord_label(c.label) and c.start < c.end <= 10 for c in labels.chords)
