"""Chord labels against mir_eval.chord, an independent reader of the same syntax."""

import mir_eval.chord
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.schemas.harte import (
    QUALITIES,
    Chord,
    ChordSyntaxError,
    is_chord_label,
    parse_chord,
    pitch_class,
    simplify_chord,
)

ROOTS = [f"{letter}{accidental}" for letter in "ABCDEFG" for accidental in ("", "#", "b", "bb", "##")]
DEGREES = st.builds("{}{}".format, st.sampled_from(["", "b", "#"]), st.integers(1, 13))
# What mir_eval 0.8 knows as a shorthand.
SHARED = sorted(set(QUALITIES) & (set(mir_eval.chord.QUALITIES) | set(mir_eval.chord.EXTENDED_QUALITY_REDUX)))


@st.composite
def labels(draw):
    """Labels of the documented subset, with and without each part."""
    text = draw(st.sampled_from(ROOTS))
    quality = draw(st.none() | st.sampled_from(sorted(QUALITIES)))
    degrees = draw(st.lists(DEGREES, max_size=2, unique=True))
    if quality is not None:
        text += f":{quality}" + (f"({','.join(degrees)})" if degrees else "")
    bass = draw(st.none() | DEGREES)
    return text + (f"/{bass}" if bass else "")


@pytest.mark.parametrize("root", ROOTS)
def test_roots_are_those_of_mir_eval(root):
    assert pitch_class(root) == mir_eval.chord.pitch_class_to_semitone(root) % 12


@pytest.mark.parametrize("quality", SHARED)
def test_qualities_sound_as_in_mir_eval(quality):
    core, extensions = mir_eval.chord.EXTENDED_QUALITY_REDUX.get(quality, (quality, set()))
    expected = set(np.flatnonzero(mir_eval.chord.quality_to_bitmap(core)))
    expected |= {mir_eval.chord.scale_degree_to_semitone(degree) % 12 for degree in extensions}
    assert set(QUALITIES[quality]) == expected


def test_enough_qualities_are_compared():
    assert len(SHARED) >= 20


@given(labels())
def test_every_label_of_the_subset_is_one_for_mir_eval_and_comes_back(label):
    chord = parse_chord(label)
    assert parse_chord(str(chord)) == chord
    split_root, split_quality, degrees, bass = mir_eval.chord.split(label)
    assert chord.root == split_root
    assert chord.quality == split_quality
    assert set(chord.degrees) == degrees
    assert (chord.bass or "1") == bass


@pytest.mark.parametrize("label", ["N", "X"])
def test_no_chord_and_unknown_have_no_root(label):
    assert parse_chord(label) == Chord(None, label)
    assert parse_chord(label).root_pc is None
    assert str(parse_chord(label)) == label


@pytest.mark.parametrize(
    ("label", "expected"),
    [("C", "C:maj"), ("C:maj/3", "C:maj"), ("Bb:7(#9)/b7", "Bb:7"), ("A:sus4(b7)", "A:sus4"), ("N", "N"), ("X", "X")],
)
def test_simplified_labels(label, expected):
    assert simplify_chord(label) == expected


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "H",
        "c:maj",
        "C:",
        "C:foo",
        "C:maj/",
        "C:maj/14",
        "C:maj(",
        "C maj",
        "C:maj\n",
        "Cm",
        "C:maj7maj7",
        "NN",
        "/3",
    ],
)
def test_what_is_no_label_is_refused_by_name(bad):
    assert not is_chord_label(bad)
    with pytest.raises(ChordSyntaxError) as error:
        parse_chord(bad)
    assert repr(bad) in str(error.value)


@given(st.text(max_size=12))
def test_any_text_parses_or_is_refused(text):
    try:
        chord = parse_chord(text)
    except ChordSyntaxError:
        return
    assert is_chord_label(str(chord))


def test_a_note_name_that_is_none_is_refused():
    with pytest.raises(ValueError, match="note name"):
        pitch_class("H#")
