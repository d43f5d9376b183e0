import numpy as np
import pytest
from sklearn.linear_model import Ridge

from fgmcaps.training.evaluation.baselines import (
    LinearMap,
    Vocabulary,
    clip_features,
    fit_linear_map,
    random_scores,
    words,
)
from tests.training.planted import planted_cache


def test_words_keep_accidentals_and_slashes():
    assert words("In F# minor, 6/8: F#m7b5–Bb (Allegro).") == ["in", "f#", "minor", "6/8", "f#m7b5", "bb", "allegro"]


def test_bags_are_unit_tf_idf_of_known_words():
    vocabulary = Vocabulary.of(["a b", "a b", "a c"], least=2)
    assert list(vocabulary.index) == ["a", "b"]
    assert vocabulary.idf == pytest.approx([np.log(4 / 4) + 1, np.log(4 / 3) + 1])
    bags = vocabulary.bags(["a a b", "c", "b"])
    expected = np.array([2 * vocabulary.idf[0], vocabulary.idf[1]])
    np.testing.assert_allclose(bags, [expected / np.linalg.norm(expected), [0, 0], [0, 1]])


def test_the_map_is_scikit_learn_s_ridge():
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 5)) * [1, 2, 3, 4, 5] + 7
    captions = [f"key{i % 4} tempo{i % 3}" for i in range(40)]
    fitted = LinearMap.fit(x, captions, ridge=0.1)
    bags = fitted.vocabulary.bags(captions)
    standard = (x - x.mean(0)) / x.std(0)
    oracle = Ridge(alpha=0.1 * 40, fit_intercept=False).fit(standard, bags - bags.mean(0))
    np.testing.assert_allclose(fitted.weights, oracle.coef_.T, atol=1e-9)
    predicted = standard @ oracle.coef_.T
    centred = bags - bags.mean(0)
    cosine = predicted @ centred.T / np.outer(np.linalg.norm(predicted, axis=1), np.linalg.norm(centred, axis=1))
    np.testing.assert_allclose(fitted.scores(x, captions), cosine, atol=1e-6)


def test_the_map_finds_what_was_planted_and_chance_does_not(tmp_path):
    cache = planted_cache(tmp_path, 200)
    train, held = cache.rows("train"), cache.rows("validation")
    fitted, ridge = fit_linear_map(cache, train, held)
    texts = [cache.caption(int(row)) for row in held]

    def recall(scores):
        own = np.diag(scores)
        return float(((scores > own).sum(0) < 10).mean())

    assert ridge > 0
    assert recall(fitted.scores(clip_features(cache, held), texts)) > 0.8
    assert recall(random_scores(len(held), len(held))) == pytest.approx(10 / len(held), abs=0.12)
