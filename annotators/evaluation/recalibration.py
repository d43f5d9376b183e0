"""Fit of the curves that make probabilities true on a user's own music, from few labels.

``sigmoid(slope * logit(p) + intercept)`` by maximum a posteriori: slope around 1 with a standard deviation of 0.5,
intercept around 0 with 1. So no labels change nothing, and fifty say more than the prior. A group (a track) counts as
the root of its clips, for they err together. A curve is kept only where it is better on groups that it has not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SLOPE_SD, INTERCEPT_SD = 0.5, 1.0
LEAST_GROUPS = 10
"""Fewer labelled tracks fit no curve."""
_FOLDS = 10
_CLIP = 1e-4


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted curve, with what it rests on.

    ``stated`` and ``right`` are means over clips as the curve's fit weighs them; ``loss_before`` and ``loss_after`` the
    log loss on tracks that the curve did not see (None for a single track). ``better``: whether it is worth having.
    """

    slope: float
    intercept: float
    clips: int
    groups: int
    stated: float
    right: float
    loss_before: float | None
    loss_after: float | None

    @property
    def better(self) -> bool:
        """Whether it is better on unseen tracks than the probabilities as they are."""
        if self.groups < LEAST_GROUPS or self.loss_before is None or self.loss_after is None:
            return False
        return self.loss_after < self.loss_before


def fit_curve(probabilities: Sequence[float], scores: Sequence[float], groups: Sequence[str]) -> Curve:
    """The curve of probabilities [n] in 0 .. 1 whose values scored 0 .. 1 (right or wrong, or a share); any n."""
    p, y = np.asarray(probabilities, np.float64), np.asarray(scores, np.float64)
    names, which = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    sizes = np.bincount(which, minlength=len(names))
    weights = 1 / np.sqrt(sizes[which]) if len(p) else np.zeros(0)
    slope, intercept = _fit(p, y, weights)
    before, after = _held_out(p, y, weights, which, len(names))
    total = float(weights.sum()) or 1.0
    return Curve(
        round(slope, 4), round(intercept, 4), len(p), len(names),
        float((weights * p).sum() / total), float((weights * y).sum() / total), before, after,
    )  # fmt: skip


def _held_out(
    p: Floats, y: Floats, weights: Floats, which: npt.NDArray[np.intp], groups: int
) -> tuple[float | None, float | None]:
    """Mean log loss of the probabilities as they are and of curves fitted without the groups that they judge."""
    if groups < 2:
        return None, None
    fold = np.arange(groups) % min(_FOLDS, groups)
    after = np.empty_like(p)
    for number in range(min(_FOLDS, groups)):
        out = fold[which] == number
        slope, intercept = _fit(p[~out], y[~out], weights[~out])
        after[out] = _apply(p[out], slope, intercept)
    return _loss(p, y, weights), _loss(after, y, weights)


def _fit(p: Floats, y: Floats, weights: Floats) -> tuple[float, float]:
    """Newton's method with halved steps on the penalised log likelihood, which is convex."""
    x = np.stack([_logit(p), np.ones_like(p)], axis=1)
    prior, precision = np.array([1.0, 0.0]), np.array([SLOPE_SD**-2, INTERCEPT_SD**-2])

    def cost(beta: Floats) -> float:
        z = x @ beta
        return float((weights * (np.logaddexp(0, z) - y * z)).sum() + (precision * (beta - prior) ** 2).sum() / 2)

    beta = prior.copy()
    for _ in range(100):
        found = 1 / (1 + np.exp(-(x @ beta)))
        gradient = x.T @ (weights * (found - y)) + precision * (beta - prior)
        hessian = (x * (weights * found * (1 - found))[:, None]).T @ x + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        share = 1.0
        while share > 1e-6 and cost(beta - share * step) > cost(beta):
            share /= 2  # far from the end a whole step can go past it
        beta = beta - share * step
        if np.abs(share * step).max() < 1e-9:
            break
    return float(np.clip(beta[0], 0.05, 10)), float(np.clip(beta[1], -10, 10))


def _apply(p: Floats, slope: float, intercept: float) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(slope * _logit(p) + intercept))))


def _logit(p: Floats) -> Floats:
    q = np.clip(p, _CLIP, 1 - _CLIP)
    return np.asarray(np.log(q / (1 - q)))


def _loss(p: Floats, y: Floats, weights: Floats) -> float:
    q = np.clip(p, _CLIP, 1 - _CLIP)
    return float(-(weights * (y * np.log(q) + (1 - y) * np.log(1 - q))).sum() / weights.sum())
