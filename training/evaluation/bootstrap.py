"""Intervals of retrieval metrics, and paired tests between two runs on the same queries.

Conventions
-----------
- A metric is the mean of one value a query (:func:`fgmcaps.training.evaluation.metrics.per_query`). The pool of
  candidates stays as it is:
  an interval says how much the figure depends on which queries were asked, not on how large the pool is.
- ``groups`` makes tracks, not queries, the units that are drawn: clips of one track resemble each other, and an
  interval over queries alone would be too narrow.
- Intervals are percentile bootstrap intervals (Efron & Tibshirani 1993, chapter 13), by :func:`scipy.stats.bootstrap`.
- The paired test flips the sign of each unit's difference (a permutation test; Smucker, Allan & Carterette, CIKM 2007,
  find it and the bootstrap to agree in retrieval), two-sided, by :func:`scipy.stats.permutation_test`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """The mean difference ``a - b`` of two runs, its 95 % interval, and the two-sided p-value of no difference."""

    difference: float
    low: float
    high: float
    p: float


def interval(values: Floats, groups: Ints | None = None, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Mean and 95 % interval of ``values`` (float[Q]), drawn by query or by ``groups`` (int64[Q]).

    With a single unit there is nothing to draw: the interval is -inf .. inf. ValueError where ``values`` is empty.
    """
    sums, counts = _units(values, groups)
    low, high = _percentiles(sums, counts, resamples, seed)
    return Interval(float(values.mean()), low, high)


def paired(a: Floats, b: Floats, groups: Ints | None = None, *, resamples: int = RESAMPLES, seed: int = 0) -> Paired:
    """Compare two runs on the same queries: ``a`` and ``b`` are float[Q]. ValueError for different lengths."""
    if a.shape != b.shape:
        raise ValueError(f"a paired test needs the same queries: {a.shape} against {b.shape}")
    sums, counts = _units(a - b, groups)
    low, high = _percentiles(sums, counts, resamples, seed)
    return Paired(float((a - b).mean()), low, high, _sign_flip_p(sums, resamples, seed))


def _units(values: Floats, groups: Ints | None) -> tuple[Floats, Floats]:
    """Sum and number of the values of each unit that is drawn."""
    if values.ndim != 1 or not len(values):
        raise ValueError(f"expected one value a query, got shape {values.shape}")
    if groups is None:
        return values.astype(np.float64), np.ones(len(values))
    _, unit = np.unique(groups, return_inverse=True)
    return np.bincount(unit, weights=values).astype(np.float64), np.bincount(unit).astype(np.float64)


def _ratio(sums: Floats, counts: Floats, axis: int = -1) -> Floats:
    out: Floats = sums.sum(axis=axis) / counts.sum(axis=axis)
    return out


def _percentiles(sums: Floats, counts: Floats, resamples: int, seed: int) -> tuple[float, float]:
    if len(sums) < 2:
        return -np.inf, np.inf
    result = stats.bootstrap(
        (sums, counts),
        _ratio,
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, 4_000_000 // len(sums)),
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def _sign_flip_p(sums: Floats, resamples: int, seed: int) -> float:
    different = sums[sums != 0]  # a unit without a difference contributes nothing under either sign
    if len(different) < 2:  # with one difference both signs are equally far from 0
        return 1.0
    result = stats.permutation_test(
        (different,),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, 4_000_000 // len(different)),
        alternative="two-sided",
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)
