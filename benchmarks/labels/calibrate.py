"""From held-out scores to a calibration curve and a table of thresholds."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

Floats = npt.NDArray[np.float64]
SLACK = 0.2
PRECISIONS = (0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995)


def platt(score: Floats, outcome: Floats, weight: Floats | None = None) -> dict[str, list[float]]:
    """A logistic curve through log-odds ``score`` and ``outcome`` in 0 .. 1, as knots of straight lines.

    Platt, "Probabilistic outputs for support vector machines", 1999; two numbers, so a few hundred clips are enough.
    """
    weight = np.ones_like(score) if weight is None else weight
    x = np.concatenate([score, score])[:, None]
    y = np.concatenate([np.ones_like(score), np.zeros_like(score)])
    w = np.concatenate([weight * outcome, weight * (1 - outcome)])
    used = w > 0
    if len(set(y[used])) < 2:
        level = float(outcome.mean())
        return {"score": [0.0, 1.0], "probability": [level, level]}
    model = LogisticRegression(C=10.0).fit(x[used], y[used], sample_weight=w[used])
    knots = np.linspace(-12.0, 12.0, 97)
    return _lines(knots, model.predict_proba(knots[:, None])[:, 1])


def isotonic(score: Floats, outcome: Floats, bins: int = 20) -> dict[str, list[float]]:
    """A rising curve through means of equal-mass bins (Zadrozny, Elkan 2002), with one clip's doubt in each bin."""
    order = np.argsort(score, kind="stable")
    parts = np.array_split(order, min(bins, max(1, len(order) // 25)))
    level = float(outcome.mean())
    x = np.array([score[p].mean() for p in parts])
    y = np.array([(outcome[p].sum() + level) / (len(p) + 1) for p in parts])
    rising = IsotonicRegression(y_min=0, y_max=1).fit(x, y, sample_weight=[len(p) for p in parts])
    return _lines(x, rising.predict(x))


def _lines(x: Floats, y: Floats) -> dict[str, list[float]]:
    return {"score": [round(float(v), 4) for v in x], "probability": [round(float(v), 5) for v in y]}


_KNOTS = np.linspace(-12.0, 12.0, 97)
AS_STATED = _lines(_KNOTS, 1 / (1 + np.exp(-_KNOTS)))
"""The curve of log-odds that are taken at their word."""


def thresholds(
    probability: Floats,
    outcome: Floats,
    weight: Floats | None = None,
    precisions: Sequence[float] = PRECISIONS,
    least: int = 25,
) -> list[dict[str, float]]:
    """For each precision the lowest probability from which on outcomes reach it on average, and the coverage of it.

    Where nearly all labels are right, an average would let the few doubtful ones through: no label is kept whose own
    probability is more than ``SLACK`` below the precision. Precisions that ``least`` clips do not reach are left out;
    thresholds never fall as the precision grows.
    """
    weight = np.ones_like(probability) if weight is None else weight
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)  # equal ones are kept or left together
    kept = np.cumsum(weight[order])
    accuracy = (np.cumsum((weight * outcome)[order]) / kept)[last]
    covered, threshold = (kept / kept[-1])[last], ranked[last]
    table: list[dict[str, float]] = []
    lowest = 0.0
    for precision in precisions:
        enough = (accuracy >= precision) & (last + 1 >= least) & (threshold >= max(lowest, precision - SLACK))
        if not enough.any():
            break
        i = int(np.flatnonzero(enough).max())
        lowest = float(threshold[i])
        coverage = round(float(covered[i]), 4)
        table.append({"precision": precision, "probability": round(lowest, 4), "coverage": coverage})
    return table
