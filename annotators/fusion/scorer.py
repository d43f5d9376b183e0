"""Small fitted models as plain numbers: a boosted ensemble of trees, a calibration curve, a table of thresholds.

Fitted with scikit-learn in ``benchmarks/labels``; scoring needs numpy alone and gives the same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


_LEAST_SHARE = 1e-6


def rounded(table: Floats) -> Floats:
    """Features to four decimals, so that a last binary digit never decides which way a tree goes."""
    return np.asarray(np.round(table, 4))


@dataclass(frozen=True, eq=False)
class Trees:
    """Sum of regression trees over named features: log-odds, or a plain value.

    Arrays are [trees, nodes], padded; a leaf is its own child. A missing feature (NaN) goes as ``missing_left`` says.
    Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29(5), 2001.
    """

    features: tuple[str, ...]
    base: float
    feature: npt.NDArray[np.int64]
    threshold: Floats
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    missing_left: npt.NDArray[np.bool_]
    value: Floats
    depth: int

    def __call__(self, table: Floats) -> Floats:
        """Score of each row of ``table``, float[rows, features]: float64[rows]."""
        if table.ndim != 2 or table.shape[1] != len(self.features):
            raise ValueError(f"scores need a table of {len(self.features)} features, got shape {table.shape}")
        table = rounded(table)
        rows, trees = np.arange(len(table))[:, None], np.arange(len(self.feature))[None, :]
        node = np.zeros((len(table), len(self.feature)), dtype=np.int64)
        for _ in range(self.depth):
            x = table[rows, self.feature[trees, node]]
            go_left = np.where(np.isnan(x), self.missing_left[trees, node], x <= self.threshold[trees, node])
            node = np.where(go_left, self.left[trees, node], self.right[trees, node])
        return np.asarray(self.base + self.value[trees, node].sum(axis=1))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trees":
        """From ``{"features", "base", "trees": [{"feature", "threshold", "left", "right", "missing_left", "value"}]}``.

        Each tree has one entry a node; a leaf has feature -1.
        """
        trees = data["trees"]
        size = max((len(tree["feature"]) for tree in trees), default=1)
        shape = (len(trees), size)
        feature, left, right = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        threshold, value, missing = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        depth = 0
        for i, tree in enumerate(trees):
            count = len(tree["feature"])
            leaf = np.asarray(tree["feature"]) < 0
            own = np.arange(count)
            feature[i, :count] = np.where(leaf, 0, tree["feature"])
            left[i, :count] = np.where(leaf, own, tree["left"])
            right[i, :count] = np.where(leaf, own, tree["right"])
            threshold[i, :count], value[i, :count] = tree["threshold"], tree["value"]
            missing[i, :count] = tree["missing_left"]
            depth = max(depth, _depth(left[i], right[i], leaf))
        names = tuple(data["features"])
        return cls(names, float(data["base"]), feature, threshold, left, right, missing, value, depth)


@dataclass(frozen=True, eq=False)
class Softmax:
    """A conditional logit over rows of which exactly one is right: ``weights`` float64[features], named.

    McFadden, "Conditional logit analysis of qualitative choice behavior", 1974. A missing feature counts as 0.
    """

    features: tuple[str, ...]
    weights: Floats

    def __call__(self, table: Floats) -> Floats:
        """Log-odds of each row of ``table``, float[rows, features], being the right one: float64[rows]."""
        if table.ndim != 2 or table.shape[1] != len(self.features):
            raise ValueError(f"scores need a table of {len(self.features)} features, got shape {table.shape}")
        scores = np.nan_to_num(rounded(table)) @ self.weights
        share = np.exp(scores - scores.max())
        share = np.clip(share / share.sum(), _LEAST_SHARE, 1 - _LEAST_SHARE)
        return np.asarray(np.log(share / (1 - share)))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Softmax":
        """From ``{"features", "weights"}``."""
        names, weights = tuple(data["features"]), np.asarray(data["weights"], np.float64)
        if weights.shape != (len(names),):
            raise ValueError(f"a conditional logit of {len(names)} features has weights of shape {weights.shape}")
        return cls(names, weights)


@dataclass(frozen=True, eq=False)
class Feature:
    """One feature as it is: what is judged by nothing else."""

    feature: str

    @property
    def features(self) -> tuple[str, ...]:
        """The one name, as the other scorers have several."""
        return (self.feature,)

    def __call__(self, table: Floats) -> Floats:
        """The column of ``table``, float[rows, 1]: float64[rows]."""
        return np.asarray(rounded(table)[:, 0])


Scorer = Trees | Softmax | Feature


def scorer_from_json(data: Mapping[str, Any]) -> Scorer:
    """Trees, a conditional logit or a plain feature, by what is in ``data``."""
    if "feature" in data:
        return Feature(str(data["feature"]))
    return Softmax.from_json(data) if "weights" in data else Trees.from_json(data)


def _depth(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], leaf: npt.NDArray[np.bool_]) -> int:
    level, depth = [0], 0
    while level := [child for node in level if not leaf[node] for child in (int(left[node]), int(right[node]))]:
        depth += 1
    return depth


@dataclass(frozen=True, eq=False)
class Calibration:
    """A rising piecewise-linear curve from a score to a probability; constant beyond its ends."""

    score: Floats
    probability: Floats

    def __call__(self, score: Floats | float) -> Floats:
        """Probabilities of scores, in 0 .. 1."""
        return np.asarray(np.interp(score, self.score, self.probability))


@dataclass(frozen=True, slots=True)
class Threshold:
    """Labels with ``probability`` or more were right in ``precision`` of cases, ``coverage`` of the clips had one."""

    precision: float
    probability: float
    coverage: float


MOST_BELOW = 0.2
"""How far below the precision that is asked for the confidence of a kept label may be."""


def threshold_for(table: Sequence[Threshold], precision: float) -> Threshold:
    """The entry for at least ``precision``; for 0 one that keeps everything.

    Below the table's lowest precision a label needs a confidence of ``precision - 0.2``, the rule that bounds every
    entry; its coverage is then at least the lowest entry's.
    Raises ValueError naming the highest precision that the table reaches.
    """
    if precision <= 0:
        return Threshold(0.0, 0.0, 1.0)
    ordered = sorted(table, key=lambda t: t.precision)
    if ordered and precision < ordered[0].precision - 1e-9:
        least = min(max(0.0, precision - MOST_BELOW), ordered[0].probability)
        return Threshold(precision, least, ordered[0].coverage)
    for entry in ordered:
        if entry.precision >= precision - 1e-9:
            return entry
    highest = max((t.precision for t in table), default=0.0)
    raise ValueError(f"the fitted model reaches a precision of {highest:g} at most, not {precision:g}")
