"""Intervals and paired tests: coverage, clusters, and p-values by full enumeration."""

import itertools

import numpy as np
import pytest

from fgmcaps.training.evaluation.bootstrap import interval, paired


def test_an_interval_is_that_of_the_normal_theory_where_that_holds():
    values = np.random.default_rng(0).normal(3.0, 2.0, 2000)
    got = interval(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(2000)
    assert got.mean == pytest.approx(values.mean())
    assert (got.low, got.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_intervals_cover_the_truth():
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        got = interval((rng.random(60) < 0.3).astype(float), resamples=400, seed=trial)
        covered += got.low <= 0.3 <= got.high
    assert 176 <= covered <= 199  # 95 % nominal; the percentile interval is a little narrow at 60 queries


def test_equal_clips_of_a_track_are_one_unit():
    one = (np.random.default_rng(2).random(50) < 0.4).astype(float)
    tracks = np.repeat(np.arange(50), 10)
    by_track, by_query = interval(np.repeat(one, 10), tracks), interval(np.repeat(one, 10))
    alone = interval(one)
    assert (by_track.low, by_track.high) == pytest.approx((alone.low, alone.high), abs=1e-9)
    assert by_query.high - by_query.low < 0.5 * (by_track.high - by_track.low)


def test_the_paired_test_enumerates_few_differences():
    a, b = np.array([0.9, 0.8, 0.4, 0.7, 0.2]), np.array([0.1, 0.5, 0.45, 0.3, 0.2])
    d = (a - b)[:4]
    signs = np.array(list(itertools.product((-1, 1), repeat=4)))
    p = min(1.0, 2 * ((signs * d).sum(axis=1) >= d.sum() - 1e-12).mean())
    got = paired(a, b)
    assert got.p == pytest.approx(p)
    assert got.difference == pytest.approx((a - b).mean())


def test_equal_runs_do_not_differ_and_unequal_ones_do():
    rng = np.random.default_rng(3)
    a = rng.random(300)
    assert paired(a, a).p == 1.0
    assert paired(np.array([1.0, 0.5, 0.5]), np.array([0.0, 0.5, 0.5])).p == 1.0  # one unit differs: either sign
    assert paired(a + 0.2, a + rng.normal(0, 0.1, 300)).p < 0.01
    assert paired(a, a + rng.normal(0, 0.5, 300)).p > 0.01


def test_what_cannot_be_drawn():
    assert interval(np.array([1.0])).high == np.inf
    with pytest.raises(ValueError, match="one value a query"):
        interval(np.array([]))
    with pytest.raises(ValueError, match="same queries"):
        paired(np.zeros(2), np.zeros(3))
