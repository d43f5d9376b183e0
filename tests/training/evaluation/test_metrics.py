"""Retrieval metrics: golden values by hand, ties by brute force, pytrec_eval as an independent implementation."""

import itertools

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.training.evaluation import metrics
from fgmcaps.training.evaluation.metrics import Ranks, evaluate, expected_rank, hits, rank, reciprocal_rank

CUTOFFS = (1, 2, 3, 5)


def _by_permutation(scores, relevant, k):
    """R@k and reciprocal rank of one query by trying all orders of its candidates."""
    found, reciprocal, orders = 0.0, 0.0, 0
    for order in itertools.permutations(range(len(scores))):
        ranked = sorted(order, key=lambda n: -scores[n])  # stable: the permutation decides among ties
        first = min(ranked.index(n) for n in range(len(scores)) if relevant[n]) + 1
        found, reciprocal, orders = found + (first <= k), reciprocal + 1 / first, orders + 1
    return found / orders, reciprocal / orders


def test_golden_values_by_hand():
    scores = np.array([[0.9, 0.1, 0.3], [0.2, 0.1, 0.3], [0.3, 0.2, 0.1]])
    got = evaluate(scores, np.eye(3, dtype=bool), cutoffs=(1, 2, 3))
    # ranks 1, 3, 3
    assert got == pytest.approx({"R@1": 1 / 3, "R@2": 1 / 3, "R@3": 1.0, "median_rank": 3.0, "MRR": 5 / 9})


def test_a_constant_model_scores_chance_exactly():
    got = evaluate(np.zeros((40, 40)), np.eye(40, dtype=bool), cutoffs=(1, 5, 10, 20))
    harmonic = sum(1 / i for i in range(1, 41))
    assert got == pytest.approx(
        {"R@1": 1 / 40, "R@5": 5 / 40, "R@10": 10 / 40, "R@20": 0.5, "median_rank": 20.5, "MRR": harmonic / 40},
        rel=1e-9,
    )


def test_several_captions_of_a_clip():
    owner = np.array([0, 0, 1])
    relevant = metrics.own_relevance(owner, 2)
    assert relevant.tolist() == [[True, False], [True, False], [False, True]]
    scores = np.array([[0.5, 0.6], [0.9, 0.1], [0.8, 0.7]])
    assert evaluate(scores, relevant, (1,))["R@1"] == pytest.approx(1 / 3)
    audio = evaluate(scores.T, relevant.T, (1,))  # clip 0 is found by its second caption, clip 1 finds itself
    assert audio["R@1"] == 1.0


def test_duplicate_captions_answer_each_other():
    owner, caption = np.array([0, 1, 2]), np.array([7, 5, 7])
    assert metrics.duplicate_relevance(owner, caption, 3).tolist() == [
        [True, False, True],
        [False, True, False],
        [True, False, True],
    ]


def test_ignored_candidates_stand_in_nobodys_way():
    scores, relevant = np.array([[0.1, 0.9, 0.5]]), np.array([[True, False, False]])
    ignored = np.array([[False, True, False]])
    assert rank(scores, relevant, ignored).better.tolist() == [1]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=2, max_size=6), st.data())
def test_ties_are_the_mean_over_all_orders(values, data):
    relevant = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)).filter(any))
    ranks = rank(np.array([values], float), np.array([relevant]))
    for k in (1, 2, 4):
        found, reciprocal = _by_permutation(values, relevant, k)
        assert hits(ranks, k)[0] == pytest.approx(found, abs=1e-9)
    assert reciprocal_rank(ranks)[0] == pytest.approx(reciprocal, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_agrees_with_pytrec_eval(seed):
    rng = np.random.default_rng(seed)
    scores = rng.permutation(60).reshape(6, 10) / 60  # no ties: TREC breaks them by name
    relevant = rng.random((6, 10)) < 0.2
    relevant[np.arange(6), rng.integers(10, size=6)] = True
    qrel = {str(q): {str(n): int(relevant[q, n]) for n in range(10)} for q in range(6)}
    run = {str(q): {str(n): float(scores[q, n]) for n in range(10)} for q in range(6)}
    oracle = pytrec_eval.RelevanceEvaluator(qrel, {"success.1,5", "recip_rank"}).evaluate(run)
    got = evaluate(scores, relevant, (1, 5))
    assert got["R@1"] == pytest.approx(np.mean([o["success_1"] for o in oracle.values()]))
    assert got["R@5"] == pytest.approx(np.mean([o["success_5"] for o in oracle.values()]))
    assert got["MRR"] == pytest.approx(np.mean([o["recip_rank"] for o in oracle.values()]))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(2, 12))
def test_properties(seed, queries, candidates):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, (queries, candidates)).astype(float)
    relevant = rng.random(scores.shape) < 0.3
    relevant[:, 0] |= ~relevant.any(axis=1)
    ranks = rank(scores, relevant)
    curve = [hits(ranks, k).mean() for k in range(1, candidates + 1)]
    assert np.all(np.diff(curve) >= -1e-12) and curve[-1] == pytest.approx(1.0)
    order = rng.permutation(candidates)
    assert evaluate(scores[:, order], relevant[:, order]) == pytest.approx(evaluate(scores, relevant))
    assert evaluate(scores * 3 - 1, relevant) == pytest.approx(evaluate(scores, relevant))
    better = np.where(relevant, scores + 1, scores)
    assert evaluate(better, relevant)["MRR"] >= evaluate(scores, relevant)["MRR"] - 1e-12


def test_blocks_change_nothing():
    rng = np.random.default_rng(0)
    scores, relevant = rng.integers(0, 5, (37, 20)).astype(float), np.zeros((37, 20), bool)
    relevant[np.arange(37), np.arange(37) % 20] = True
    whole, parts = rank(scores, relevant), rank(scores, relevant, block=5)
    assert np.array_equal(whole.better, parts.better) and np.array_equal(whole.tied, parts.tied)


def test_large_groups_of_ties_stay_exact():
    ranks = Ranks(*(np.array([v]) for v in (3, 99_996, 1)))
    assert hits(ranks, 10)[0] == pytest.approx(7 / 99_997, rel=1e-6)
    assert expected_rank(ranks)[0] == pytest.approx(4 + 99_996 / 2)


def test_wrong_input_is_named():
    relevant = np.eye(3, dtype=bool)
    bad = np.zeros((3, 3))
    bad[1, 2] = np.nan
    with pytest.raises(InvalidDataError, match=r"query clip-b: .*NaN.*1 of 3"):
        metrics.validate(bad, relevant, ["clip-a", "clip-b", "clip-c"])
    with pytest.raises(InvalidDataError, match="no relevant candidate"):
        metrics.validate(np.zeros((3, 3)), np.zeros((3, 3), bool))
    with pytest.raises(InvalidDataError, match="nothing to rank"):
        metrics.validate(np.zeros((0, 3)), np.zeros((0, 3), bool))
    with pytest.raises(InvalidDataError, match="queries x candidates"):
        metrics.validate(np.zeros((2, 3)), relevant)
    with pytest.raises(ValueError, match="at least 1"):
        hits(Ranks(*(np.array([1]),) * 3), 0)
