"""Hubness: values by hand, by sampling, and of models whose hubs are planted."""

import numpy as np
import pytest
from scipy import stats

from fgmcaps.training.evaluation.hubness import hubness, occurrences


def test_by_hand():
    scores = np.array([[3.0, 2.0, 1.0, 0.0], [3.0, 1.0, 2.0, 0.0], [0.0, 3.0, 2.0, 1.0]])
    count, missed = occurrences(scores, 2)
    assert count.tolist() == [2, 2, 2, 0]
    assert missed.tolist() == [0, 0, 0, 1]
    got = hubness(scores, 2)
    assert got["distinct_top1"] == 2
    assert got["never_retrieved"] == 0.25
    assert got["largest_hub"] == pytest.approx(2 / 3)
    assert got["N_2_skewness"] == pytest.approx(stats.skew([2, 2, 2, 0]))


def test_a_constant_model_has_no_hubs_and_the_distinct_results_of_chance():
    got = hubness(np.zeros((50, 50)))
    assert got["N_10_skewness"] == 0
    assert got["distinct_top1"] == pytest.approx(50 * (1 - (1 - 1 / 50) ** 50))
    assert got["largest_hub"] == pytest.approx(10 / 50)


def test_ties_are_the_mean_over_random_orders():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 3, (6, 8)).astype(float)
    count, missed = occurrences(scores, 3)
    sums, misses, draws = np.zeros(8), np.zeros(8), 4000
    for _ in range(draws):
        jittered = scores + rng.random(scores.shape) * 0.5
        among = np.zeros(8)
        for row in jittered:
            among[np.argsort(-row)[:3]] += 1
        sums += among
        misses += among == 0
    assert count == pytest.approx(sums / draws, abs=0.06)
    assert missed == pytest.approx(misses / draws, abs=0.04)


def test_a_planted_hub_is_seen():
    rng = np.random.default_rng(1)
    scores = rng.random((200, 200))
    even = hubness(scores)
    scores[:, 7] += 2
    hub = hubness(scores)
    assert hub["largest_hub"] == 1.0 and hub["distinct_top1"] == 1
    assert hub["N_10_skewness"] > 5 > even["N_10_skewness"]


def test_blocks_and_small_pools():
    scores = np.random.default_rng(2).random((30, 4))
    assert occurrences(scores, 10)[0].tolist() == [30.0] * 4
    assert occurrences(scores, 2, block=7)[0] == pytest.approx(occurrences(scores, 2)[0])
