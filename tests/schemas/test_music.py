"""Keys against mir_eval.key, tempo words against MusicBench's published bins."""

import mir_eval.key
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.schemas.meter import TIME_SIGNATURES
from fgmcaps.schemas.music import KEYS, canonical_key, key_index, tempo_marking


def test_twenty_four_keys_each_once():
    assert len(set(KEYS)) == 24
    assert [key_index(key) for key in KEYS] == list(range(24))


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize(
    "tonic", ["C", "C#", "Db", "D", "D#", "Eb", "E", "F", "F#", "Gb", "G", "G#", "Ab", "A", "A#", "Bb", "B"]
)
def test_every_spelling_is_the_key_that_mir_eval_reads(tonic, mode):
    name = canonical_key(f"{tonic} {mode}")
    assert name in KEYS
    assert mir_eval.key.weighted_score(f"{tonic} {mode}", name) == 1.0


@given(st.sampled_from(KEYS), st.sampled_from(KEYS))
def test_different_keys_are_different_for_mir_eval(a, b):
    assert (mir_eval.key.weighted_score(a, b) == 1.0) == (a == b)


@pytest.mark.parametrize("bad", ["", "H minor", "c major", "C", "C  major", "C dorian", "C major "])
def test_what_is_no_key_is_refused(bad):
    with pytest.raises(ValueError, match="not a key name"):
        canonical_key(bad)


@pytest.mark.parametrize(
    ("bpm", "word"),
    [
        (20, "Grave"), (39.9, "Grave"), (40, "Largo"), (59, "Largo"), (60, "Adagio"), (69, "Adagio"), (70, "Andante"),
        (89, "Andante"), (90, "Moderato"), (109, "Moderato"), (110, "Allegro"), (120, "Allegro"), (139, "Allegro"),
        (140, "Vivace"), (159, "Vivace"), (160, "Presto"), (209, "Presto"), (210, "Prestissimo"), (400, "Prestissimo"),
    ],
)  # fmt: skip
def test_tempo_words(bpm, word):
    assert tempo_marking(bpm) == word


@pytest.mark.parametrize("bad", [0, -1, float("nan")])
def test_a_tempo_that_is_none_has_no_word(bad):
    with pytest.raises(ValueError, match="positive"):
        tempo_marking(bad)


def test_time_signatures_are_fractions():
    assert all(int(over) > 0 and int(under) in (4, 8) for over, under in (t.split("/") for t in TIME_SIGNATURES))
