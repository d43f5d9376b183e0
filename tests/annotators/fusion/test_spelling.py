"""Chords spelt in the key, against scales written down by hand from the circle of fifths."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.annotators import load_profile
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.annotators.fusion.spelling import note_in_key, spelled, spelled_all
from fgmcaps.schemas import ChordSpan, Fused
from fgmcaps.schemas.harte import QUALITIES, is_chord_label, pitch_class
from fgmcaps.schemas.music import KEYS

SCALES = {
    "C major": "C D E F G A B",
    "G major": "G A B C D E F#",
    "D major": "D E F# G A B C#",
    "A major": "A B C# D E F# G#",
    "E major": "E F# G# A B C# D#",
    "B major": "B C# D# E F# G# A#",
    "F# major": "F# G# A# B C# D# E#",
    "Db major": "Db Eb F Gb Ab Bb C",
    "Ab major": "Ab Bb C Db Eb F G",
    "Eb major": "Eb F G Ab Bb C D",
    "Bb major": "Bb C D Eb F G A",
    "F major": "F G A Bb C D E",
    "A minor": "A B C D E F G G#",
    "E minor": "E F# G A B C D D#",
    "B minor": "B C# D E F# G A A#",
    "F# minor": "F# G# A B C# D E E#",
    "C# minor": "C# D# E F# G# A B B#",
    "G# minor": "G# A# B C# D# E F#",
    "Eb minor": "Eb F Gb Ab Bb Cb Db D",
    "Bb minor": "Bb C Db Eb F Gb Ab A",
    "F minor": "F G Ab Bb C Db Eb E",
    "C minor": "C D Eb F G Ab Bb B",
    "G minor": "G A Bb C D Eb F F#",
    "D minor": "D E F G A Bb C C#",
}


@pytest.mark.parametrize("key", SCALES)
def test_the_notes_of_a_scale_have_their_names(key):
    tonic, mode = key.split()
    notes = SCALES[key].split()
    assert [note_in_key(pitch_class(note), tonic, mode) for note in notes] == notes


def test_every_key_of_ours_is_in_the_table_or_its_twin():
    twins = {"Gb major": "F# major", "D# minor": "Eb minor", "Ab minor": "G# minor"}
    assert {twins.get(key, key) for key in KEYS} <= set(SCALES)


@pytest.mark.parametrize(
    ("label", "key", "expected"),
    [
        ("C#:maj", "F minor", "Db:maj"),
        ("B:maj", "Eb minor", "Cb:maj"),
        ("A#:min7/b7", "F major", "Bb:min7/b7"),
        ("Db:maj", "A major", "C#:maj"),
        ("G#:7(b9)", "C minor", "Ab:7(b9)"),
        ("D#:dim7", "E minor", "D#:dim7"),
        ("A#:maj", "C major", "Bb:maj"),  # the flat seventh
        ("D#:maj", "C major", "Eb:maj"),
        ("C#:maj", "C major", "Db:maj"),  # the flat second
        ("Gb:dim", "C major", "F#:dim"),  # the raised fourth
        ("C#", "F minor", "Db"),
        ("C#/3", "F minor", "Db/3"),
        ("N", "F minor", "N"),
        ("X", "F minor", "X"),
        ("C#:maj", None, "C#:maj"),
    ],
)
def test_chords_by_hand(label, key, expected):
    assert spelled(label, key) == expected


@given(
    st.sampled_from(KEYS), st.integers(0, 11), st.sampled_from(sorted(QUALITIES)), st.sampled_from(["", "/3", "/b7"])
)
def test_the_sound_stays_and_no_name_is_odd(key, pc, quality, bass):
    sharp = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")[pc]
    label = f"{sharp}:{quality}{bass}"
    found = spelled(label, key)
    root = found.partition(":")[0]
    assert is_chord_label(found) and pitch_class(root) == pc and len(root) <= 2
    assert found.partition(":")[2] == label.partition(":")[2]
    assert spelled(found, key) == found
    if root in ("Cb", "Fb", "E#", "B#"):
        assert root in SCALES.get(key, "").split() or key in ("Gb major", "D# minor", "Ab minor")


def test_several_at_once():
    assert spelled_all(["F:min", "C#:maj", "N"], "F minor") == ("F:min", "Db:maj", "N")


def test_summaries_are_spelt_in_the_key_and_the_labels_of_the_column_stay():
    fused = Fused(
        key="F minor", key_probability=0.97, chords_probability=0.99, tempo_bpm=100.0, tempo_probability=0.99,
        chords=(ChordSpan(0, 5, "F:min", 0.9), ChordSpan(5, 10, "C#:maj", 0.9)),
    )  # fmt: skip
    labels = keep(fused, load_profile("best").fusion)
    assert labels.chord_summary == ("F:min", "Db:maj")
    assert [span.label for span in labels.chords] == ["F:min", "C#:maj"]
    doubtful = dataclasses.replace(fused, key_probability=0.3)
    assert keep(doubtful, load_profile("best").fusion).chord_summary == ("F:min", "C#:maj")
