"""Charts against music theory that is not ours: mir_eval's chord encoding, hand-written progressions."""

import mir_eval
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.harmony import (
    MAJOR,
    MINOR,
    Chord,
    defines_key,
    harte_name,
    key_is_audible,
    mma_name,
    prefers_flats,
    progression,
    realise,
)
from fgmcaps.schemas.harte import parse_chord, pitch_class

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.booleans(), st.integers(2, 8))
def test_a_progression_starts_on_the_tonic_and_says_its_key(seed: int, minor: bool, length: int) -> None:
    loop = progression(np.random.default_rng(seed), minor, length)
    assert len(loop) == length
    assert loop[0] == ("i" if minor else "I")
    assert key_is_audible(loop, minor)
    assert set(loop) <= (set(MINOR) | {"v"} if minor else set(MAJOR))


@pytest.mark.parametrize(
    ("loop", "minor", "audible"),
    [
        (["I", "V"], False, True),
        (["I", "IV"], False, False),  # as well V I of the key a fourth up
        (["I", "vi", "IV", "V"], False, True),
        (["i", "III", "VII", "VI"], True, False),  # the relative major's I V ... claims it
        (["i", "VI", "iv", "V"], True, True),
    ],
)
def test_loops_that_leave_the_key_open_are_refused(loop: list[str], minor: bool, audible: bool) -> None:
    assert key_is_audible(loop, minor) is audible


def test_three_chords_without_the_fourth_degree_do_not_define_a_major_key() -> None:
    c, am, g, g7 = Chord(0, "maj"), Chord(9, "min"), Chord(7, "maj"), Chord(7, "7")
    assert not defines_key([c, am, g], 0, minor=False)  # G major too
    assert defines_key([c, am, g7], 0, minor=False)


@given(seeds, st.booleans(), st.integers(2, 8), st.integers(0, 11))
def test_harte_labels_say_the_notes_that_mir_eval_reads(seed: int, minor: bool, length: int, tonic: int) -> None:
    rng = np.random.default_rng(seed)
    chords = realise(rng, progression(rng, minor, length), tonic, minor, 0.6, 0.3)
    flats = prefers_flats(tonic, minor)
    for chord in chords:
        label = harte_name(chord, flats)
        assert parse_chord(label).root_pc == chord.root
        root, bitmap, bass = mir_eval.chord.encode(label, reduce_extended_chords=True)
        assert root == chord.root
        assert bass == chord.bass
        # MMA's name has the same root, and the same bass note after the slash.
        name, _, slash = mma_name(chord, flats).partition("/")
        spelled = name[: 2 if name[1:2] in ("#", "b") else 1]
        assert pitch_class(spelled) == chord.root
        assert pitch_class(slash or spelled) == (chord.root + chord.bass) % 12
        assert bitmap[bass] == 1


@pytest.mark.parametrize(
    ("chord", "flats", "mma", "harte"),
    [
        (Chord(9, "min7", 7), False, "Am7/E", "A:min7/5"),
        (Chord(10, "maj7"), True, "BbM7", "Bb:maj7"),
        (Chord(11, "hdim7"), False, "Bm7b5", "B:hdim7"),
        (Chord(7, "7", 4), False, "G7/B", "G:7/3"),
        (Chord(2, "min", 3), True, "Dm/F", "D:min/b3"),
    ],
)
def test_names(chord: Chord, flats: bool, mma: str, harte: str) -> None:
    assert mma_name(chord, flats) == mma
    assert harte_name(chord, flats) == harte
