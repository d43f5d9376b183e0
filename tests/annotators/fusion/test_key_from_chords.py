"""Keys given chords, and the key's scorer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.annotators.fusion.hypotheses.key_from_chords import FEATURES, ChordsToKey, features, shipped, sounding
from fgmcaps.annotators.fusion.scorer import Feature, Softmax, Trees, scorer_from_json
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.music import KEYS

NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
QUALITIES = ["maj", "min", "7", "min7", "sus4", "dim", "maj7", "5"]


def spans(*labels, seconds=2.0):
    return [ChordSpan(i * seconds, (i + 1) * seconds, label) for i, label in enumerate(labels)]


def likeliest(*labels):
    return KEYS[int(np.argmax(shipped()(spans(*labels))))]


@pytest.mark.parametrize(
    ("labels", "key"),
    [
        (("C:maj", "F:maj", "G:maj", "C:maj"), "C major"),
        (("A:min", "D:min", "E:7", "A:min"), "A minor"),
        (("A:7", "D:7", "A:7", "E:7", "D:7", "A:7"), "A major"),  # a blues: its tonic is a dominant seventh
        (("D:maj", "C:maj", "G:maj", "D:maj"), "D major"),  # a modal loop, which never cadences
        (("E:min", "C:maj", "G:maj", "D:maj"), "G major"),
    ],
)
def test_songs_have_the_key_that_musicians_give_them(labels, key):
    assert likeliest(*labels) == key


@given(st.lists(st.tuples(st.integers(0, 11), st.sampled_from(QUALITIES)), min_size=1, max_size=8), st.integers(1, 11))
def test_transposed_chords_have_the_transposed_key(chords, by):
    def scores(shift):
        return shipped()(spans(*(f"{NOTES[(root + shift) % 12]}:{quality}" for root, quality in chords)))

    moved = [(k + by) % 12 + 12 * (k // 12) for k in range(24)]
    np.testing.assert_allclose(scores(by)[moved], scores(0), atol=1e-9)


def test_scores_are_log_probabilities_and_none_without_chords():
    assert np.exp(shipped()(spans("C:maj", "G:7"))).sum() == pytest.approx(1)
    assert shipped()(spans("N", "X")) is None
    assert shipped()([]) is None


def test_equal_neighbours_are_one_chord_and_short_ones_none():
    found = sounding([ChordSpan(0, 1, "C:maj"), ChordSpan(1, 2, "C:maj"), ChordSpan(2, 2.01, "G:maj")])
    assert found == [((0, 0), 2)]


def test_features_are_relative_to_the_tonic():
    chords = sounding(spans("C:maj", "G:7"))
    np.testing.assert_array_equal(features(chords, 0), features(sounding(spans("D:maj", "A:7")), 2))
    assert features(chords, 0).shape == (FEATURES,)


def test_weights_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="shape"):
        ChordsToKey.from_json({"weights": [[1, 2], [3, 4]], "bias": [0, 0], "scale": 1})


def test_a_conditional_logit_is_a_softmax_over_its_rows():
    scorer = scorer_from_json({"features": ["a", "b"], "weights": [1.0, -2.0]})
    assert isinstance(scorer, Softmax)
    table = np.array([[1.0, 0.0], [0.0, 0.5], [2.0, np.nan]])
    share = np.exp([1.0, -1.0, 2.0])
    share /= share.sum()
    np.testing.assert_allclose(1 / (1 + np.exp(-scorer(table))), share)
    with pytest.raises(ValueError, match="2 features"):
        scorer(table[:, :1])
    with pytest.raises(ValueError, match="shape"):
        scorer_from_json({"features": ["a"], "weights": [1.0, 2.0]})


def test_a_plain_feature_is_taken_as_it_is():
    scorer = scorer_from_json({"feature": "share"})
    assert isinstance(scorer, Feature)
    assert scorer.features == ("share",)
    np.testing.assert_array_equal(scorer(np.array([[0.5], [-1.0]])), [0.5, -1.0])
    assert isinstance(scorer_from_json({"features": [], "base": 0.0, "trees": []}), Trees)
