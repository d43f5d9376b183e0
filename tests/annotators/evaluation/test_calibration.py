"""Curves, bins and intervals: hand-worked values and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.annotators.evaluation import (
    bootstrap_interval,
    coverage_at,
    coverage_curve,
    expected_calibration_error,
    reliability,
)


def test_the_curve_by_hand() -> None:
    curve = coverage_curve(np.array([0.9, 0.5, 0.7, 0.5]), np.array([1.0, 1.0, 0.0, 0.0]))
    assert curve.threshold.tolist() == [0.9, 0.7, 0.5]
    assert curve.coverage.tolist() == [0.25, 0.5, 1.0]
    assert curve.accuracy.tolist() == [1.0, 0.5, 0.5]


def test_coverage_at_a_precision_is_the_largest() -> None:
    confidence, score = np.array([0.9, 0.8, 0.7, 0.6, 0.1]), np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    assert coverage_at(confidence, score, 0.75) == 0.8
    assert coverage_at(confidence, score, 0.95) == 0.2
    assert coverage_at(confidence, score, 0.75, total=10) == 0.4
    assert coverage_at(confidence, 0 * score, 0.5) == 0.0
    assert coverage_at(np.array([]), np.array([]), 0.5) == 0.0


def test_the_calibration_error_by_hand() -> None:
    # Two bins of two: confidences .2 and .8 on average, right in 0 and in 1 of 2: |.2 - 0| / 2 + |.8 - .5| / 2 = .25.
    confidence, score = np.array([0.1, 0.3, 0.7, 0.9]), np.array([0.0, 0.0, 1.0, 0.0])
    assert expected_calibration_error(confidence, score, bins=2) == pytest.approx(0.25)


def test_equal_confidences_share_a_bin() -> None:
    bins = reliability(np.array([0.5] * 7 + [0.9] * 3), np.arange(10) / 10, bins=5)
    assert bins.count.tolist() == [7, 3]


def test_a_calibrated_forecast_has_a_small_error() -> None:
    random = np.random.default_rng(1)
    confidence = random.uniform(size=20_000)
    score = (random.uniform(size=20_000) < confidence).astype(float)
    assert expected_calibration_error(confidence, score) < 0.015
    assert expected_calibration_error(confidence**2, score) > 0.1


def test_what_cannot_be_judged_is_an_error() -> None:
    with pytest.raises(ValueError, match="equally long"):
        coverage_curve(np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="no clip"):
        reliability(np.array([]), np.array([]))


_pairs = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60)


@given(_pairs, st.integers(1, 20))
def test_bins_hold_every_clip_and_ascend(pairs: list[tuple[float, float]], bins: int) -> None:
    confidence, score = (np.array(x) for x in zip(*pairs, strict=True))
    found = reliability(confidence, score, bins)
    assert found.count.sum() == len(pairs)
    assert (np.diff(found.confidence) > -1e-12).all()
    assert np.average(found.score, weights=found.count) == pytest.approx(score.mean())
    assert 0 <= expected_calibration_error(confidence, score, bins) <= 1


@given(_pairs)
def test_the_curve_ends_with_everything(pairs: list[tuple[float, float]]) -> None:
    confidence, score = (np.array(x) for x in zip(*pairs, strict=True))
    curve = coverage_curve(confidence, score)
    assert curve.coverage[-1] == 1.0
    assert curve.accuracy[-1] == pytest.approx(score.mean())
    assert (np.diff(curve.coverage) > 0).all()
    assert coverage_at(confidence, score, 0.0) == 1.0


def test_the_interval_of_a_mean_is_the_textbook_s() -> None:
    values = (np.random.default_rng(0).uniform(size=400) < 0.3).astype(float)
    low, high = bootstrap_interval(lambda i: float(values[i].mean()), len(values), rounds=4000)
    spread = 1.96 * np.sqrt(values.mean() * (1 - values.mean()) / 400)
    assert low == pytest.approx(values.mean() - spread, abs=0.006)
    assert high == pytest.approx(values.mean() + spread, abs=0.006)


def test_groups_that_fall_together_widen_the_interval() -> None:
    values = np.repeat((np.random.default_rng(0).uniform(size=20) < 0.5).astype(float), 20)
    groups = [str(i // 20) for i in range(400)]

    def mean(i: np.ndarray) -> float:
        return float(values[i].mean())

    by_clip, by_group = bootstrap_interval(mean, 400), bootstrap_interval(mean, groups)
    assert by_group[1] - by_group[0] > 3 * (by_clip[1] - by_clip[0])
    assert bootstrap_interval(mean, groups) == by_group
    assert np.isnan(bootstrap_interval(lambda i: float("nan"), 5)).all()
