"""Chord names to Harte labels, against values worked out by hand and against the project's own writer of names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.captioning.checker.chord_names import chord_symbol, sound_of_label
from fgmcaps.pipeline.formats.shared.lead_sheet import ChordSymbolError, bass_degree, harte_of_symbol
from fgmcaps.schemas.harte import QUALITIES, is_chord_label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("E", "E:maj"),
        ("Gbm7", "Gb:min7"),
        ("G/D", "G:maj/5"),
        ("Cmaj7", "C:maj7"),
        ("Am6", "A:min6"),
        ("Bb6", "Bb:maj6"),
        ("D7", "D:7"),
        ("Bm7b5/A", "B:hdim7/b7"),
        ("Eb/G", "Eb:maj/3"),
        ("F#m/A", "F#:min/b3"),
        ("C/F#", "C:maj/#4"),
        ("Bdim7", "B:dim7"),
        ("Aaug", "A:aug"),
        ("C/C", "C:maj"),
        ("N", "N"),
    ],
)
def test_names_that_chordino_writes(name, label):
    assert harte_of_symbol(name) == label


@pytest.mark.parametrize("name", ["", "H", "Cfoo", "C/", "C/H", "C:maj", "c", "C/E/G", "C7 "])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ChordSymbolError):
        harte_of_symbol(name)


@pytest.mark.parametrize(
    ("root", "bass", "degree"),
    [("C", "E", "3"), ("C", "Eb", "b3"), ("C", "D#", "#2"), ("B", "A", "b7"), ("Gb", "F", "7")],
)
def test_bass_degrees(root, bass, degree):
    assert bass_degree(root, bass) == degree


@given(
    st.sampled_from(["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]),
    st.sampled_from([q for q in QUALITIES if q != "1"]),
    st.sampled_from(["", "/3", "/b3", "/5", "/b7"]),
)
def test_a_name_that_we_write_sounds_the_same_when_read(root, quality, bass):
    label = f"{root}:{quality}{bass}"
    read = harte_of_symbol(chord_symbol(label))
    assert is_chord_label(read)
    assert sound_of_label(read) == sound_of_label(label)
