"""The truncation curve on captions whose informative token stands at a known place."""

import numpy as np
import pytest
import torch

from fgmcaps.training.evaluation.evaluate import make_pool
from fgmcaps.training.evaluation.truncation import lengths_to_try, truncation_curve
from tests.training.synthetic import IdentityModel, SyntheticFeatures


class _PlantedFeatures(SyntheticFeatures):
    """The token at place 7 of a caption is its clip's direction; the first token and the others are noise."""

    def __init__(self, clips, dim=32):
        super().__init__(clips, dim, signal=4.0)
        rng = np.random.default_rng(3)
        self._text = [[torch.tensor(rng.normal(size=(12, dim)), dtype=torch.float32)] for _ in range(clips)]
        for i in range(clips):
            self._text[i][0][7] = self._audio[i].mean(0)


def test_recall_jumps_where_the_token_comes_in():
    features, model = _PlantedFeatures(30), IdentityModel()
    pool = make_pool(features, range(30))
    pieces = [[f"{i}-{n}" for n in range(12)] for i in range(30)]
    texts = [str(i) for i in range(30)]

    def encode(texts, k):
        return [features.text(int(t))[:k] for t in texts]

    points = truncation_curve(model, features, pool, texts, pieces, encode, lengths=(5, 7, 8, 12))
    recall = [p.recall["frame/t2a/R@5"] for p in points]
    assert recall[0] < 0.4 and recall[1] < 0.4 and recall[2] > 0.9 and recall[3] > 0.9
    assert [p.longer for p in points] == [1, 1, 1, 0]
    assert points[0].recall["global/t2a/R@5"] == points[3].recall["global/t2a/R@5"]  # its first token never changed


def test_the_longest_quarter_is_a_stratum_of_its_own():
    features, model = SyntheticFeatures(40, signal=3.0), IdentityModel()
    pieces = [[f"{i}-{n}" for n in range(i + 3)] for i in range(40)]
    pool = make_pool(features, range(40))
    noise = torch.randn(200, 16, generator=torch.Generator().manual_seed(0))

    def encode(texts, k):  # long captions are noise, whatever the length
        return [noise[5 * int(t) : 5 * int(t) + 5] if int(t) >= 30 else features.text(int(t)) for t in texts]

    (point,) = truncation_curve(model, features, pool, [str(i) for i in range(40)], pieces, encode, lengths=(50,))
    assert point.recall["frame/t2a/R@1"] > 0.6 > 0.4 > point.long_recall["frame/t2a/R@1"]
    assert point.recall["frame/t2a/R@1"] * 40 == pytest.approx(
        (point.long_recall["frame/t2a/R@1"] * 10) + 30 * 1.0, abs=4
    )


def test_lengths_go_on_until_nothing_is_cut():
    assert lengths_to_try(np.array([3, 11])) == [5, 10, 15]
    assert lengths_to_try(np.array([10])) == [5, 10]


def test_captions_that_become_equal_tie_exactly():
    features, pool = SyntheticFeatures(20, signal=2.0), make_pool(SyntheticFeatures(20), range(20))
    asked = []

    def encode(texts, k):
        asked.append(list(texts))
        return [features.text(0)[:1] for _ in texts]

    pieces = [["a", "piece", "in", str(i)] for i in range(20)]
    (point,) = truncation_curve(
        IdentityModel(), features, pool, [str(i) for i in range(20)], pieces, encode, lengths=(3,)
    )
    assert asked == [["0"]]  # all are "a piece in"
    assert point.recall["frame/a2t/R@5"] == pytest.approx(5 / 20, abs=1e-12)  # every caption ties for every clip
