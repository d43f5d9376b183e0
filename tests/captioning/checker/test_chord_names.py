"""Chord names in the spellings that people use, against pitch classes worked out by hand and by mir_eval."""

import mir_eval
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.captioning.checker.chord_names import (
    chord_symbol,
    chord_words,
    find_pitch_name,
    note_pitch_class,
    sound_of_label,
)
from fgmcaps.schemas.harte import QUALITIES

NOTES = (
    "C",
    "C#",
    "Db",
    "D",
    "D#",
    "Eb",
    "E",
    "E#",
    "Fb",
    "F",
    "F#",
    "Gb",
    "G",
    "G#",
    "Ab",
    "A",
    "A#",
    "Bb",
    "B",
    "Cb",
)


@pytest.mark.parametrize(
    ("text", "root", "intervals", "bass"),
    [
        ("C", 0, {0, 4, 7}, 0),
        ("C major", 0, {0, 4, 7}, 0),
        ("c major", 0, {0, 4, 7}, 0),
        ("Am", 9, {0, 3, 7}, 0),
        ("F-sharp minor", 6, {0, 3, 7}, 0),
        ("F♯m", 6, {0, 3, 7}, 0),
        ("B flat", 10, {0, 4, 7}, 0),
        ("Bbmaj7", 10, {0, 4, 7, 11}, 0),
        ("B-flat major seventh", 10, {0, 4, 7, 11}, 0),
        ("CM7", 0, {0, 4, 7, 11}, 0),
        ("G7", 7, {0, 4, 7, 10}, 0),
        ("G dominant seventh", 7, {0, 4, 7, 10}, 0),
        ("G dominant 7th", 7, {0, 4, 7, 10}, 0),
        ("Bm7b5", 11, {0, 3, 6, 10}, 0),
        ("B half-diminished", 11, {0, 3, 6, 10}, 0),
        ("Bø7", 11, {0, 3, 6, 10}, 0),
        ("Ddim7", 2, {0, 3, 6, 9}, 0),
        ("D diminished seventh", 2, {0, 3, 6, 9}, 0),
        ("AmMaj7", 9, {0, 3, 7, 11}, 0),
        ("A minor-major seventh", 9, {0, 3, 7, 11}, 0),
        ("Gsus4", 7, {0, 5, 7}, 0),
        ("G suspended fourth", 7, {0, 5, 7}, 0),
        ("C5", 0, {0, 7}, 0),
        ("C power chord", 0, {0, 7}, 0),
        ("C6/9", 0, {0, 4, 7, 9, 2}, 0),
        ("A7sus4", 9, {0, 5, 7, 10}, 0),
        ("Cadd9", 0, {0, 4, 7, 2}, 0),
        ("C/E", 0, {0, 4, 7}, 4),
        ("C major over E", 0, {0, 4, 7}, 4),
        ("C major in first inversion", 0, {0, 4, 7}, 4),
        ("Am with E in the bass", 9, {0, 3, 7}, 7),
        ("D over F-sharp", 2, {0, 4, 7}, 4),
        ("C:min7/b3", 0, {0, 3, 7, 10}, 3),
        ("F#:hdim7", 6, {0, 3, 6, 10}, 0),
    ],
)
def test_reads_whole_names(text: str, root: int, intervals: set[int], bass: int) -> None:
    pitch = find_pitch_name(text, 0)
    assert pitch is not None
    assert pitch.end == len(text)
    assert (pitch.sound.root, set(pitch.sound.intervals), pitch.sound.bass) == (root, intervals, bass)


@pytest.mark.parametrize(
    "text", ["and", "Be", "A120", "add", "Abba", "Chord", "Echo", "Gospel", "Dmajor7x", "H", "As", "Fade"]
)
def test_words_are_no_chords(text: str) -> None:
    assert find_pitch_name(text, 0) is None


@pytest.mark.parametrize(("text", "end"), [("A minor 7/4 time", 7), ("E major, then", 7), ("Dm7, G", 3), ("C, G", 1)])
def test_stops_before_what_is_no_part_of_the_name(text: str, end: int) -> None:
    pitch = find_pitch_name(text, 0)
    assert pitch is not None
    assert pitch.end == end


@given(
    st.sampled_from(NOTES), st.sampled_from(sorted(QUALITIES)), st.sampled_from(["", "/3", "/5", "/b7", "/2", "/b3"])
)
def test_written_names_read_back(note: str, quality: str, bass: str) -> None:
    label = f"{note}:{quality}{bass}"
    for write in (chord_symbol, chord_words):
        name = write(label)
        assert name is not None
        pitch = find_pitch_name(name + ", ", 0)
        assert pitch is not None
        assert pitch.end == len(name)
        assert pitch.sound == sound_of_label(label)


@given(st.sampled_from(NOTES), st.sampled_from(sorted(set(QUALITIES) & set(mir_eval.chord.QUALITIES))))
def test_sounds_agree_with_mir_eval(note: str, quality: str) -> None:
    root, bitmap, _ = mir_eval.chord.encode(f"{note}:{quality}", reduce_extended_chords=False)
    sound = sound_of_label(f"{note}:{quality}")
    assert sound is not None
    assert sound.root == root
    # mir_eval keeps only the chord's first octave of extensions: ninths and above are not in its bitmap.
    ours = {i for i in sound.intervals if i in set(np.flatnonzero(bitmap))}
    assert ours == set(np.flatnonzero(bitmap))


@pytest.mark.parametrize("label", ["N", "X"])
def test_no_chord_has_no_name(label: str) -> None:
    assert sound_of_label(label) is chord_symbol(label) is chord_words(label) is None


@pytest.mark.parametrize(("note", "pc"), [("F#", 6), ("f♯", 6), ("F-sharp", 6), ("B flat", 10), ("Cb", 11), ("E", 4)])
def test_note_pitch_class(note: str, pc: int) -> None:
    assert note_pitch_class(note) == pc
