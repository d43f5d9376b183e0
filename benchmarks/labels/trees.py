"""scikit-learn's boosted trees as the JSON that :class:`fgmcaps.annotators.fusion.scorer.Trees` reads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

Boosted = HistGradientBoostingClassifier | HistGradientBoostingRegressor


def trees_of(model: Boosted, features: Sequence[str]) -> dict[str, Any]:
    """Features, base and trees of a fitted binary classifier (log-odds) or regressor."""
    trees = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            {
                "feature": np.where(leaf, -1, nodes["feature_idx"]).astype(int).tolist(),
                "threshold": [short(t) for t in np.where(leaf, 0.0, nodes["num_threshold"])],
                "left": nodes["left"].astype(int).tolist(),
                "right": nodes["right"].astype(int).tolist(),
                "missing_left": nodes["missing_go_to_left"].astype(int).tolist(),
                "value": [short(v) for v in np.where(leaf, nodes["value"], 0.0)],
            }
        )
    base = float(np.ravel(model._baseline_prediction)[0])
    return {"features": list(features), "base": short(base), "trees": trees}


def short(value: float) -> float:
    """Six decimals: tables are rounded to four, so a threshold is a value of the table or half way between two."""
    return round(float(np.clip(value, -1e300, 1e300)), 6)
