"""From the log-odds of hypotheses to the one that is chosen and how far it leads."""

import numpy as np

from fgmcaps.annotators.fusion.features import Floats

_LIMIT = 12.0


def probabilities(log_odds: Floats) -> Floats:
    """Probability of each of several hypotheses of which one at most is right: float64[n].

    Each is its own logistic probability, scaled down where together they exceed 1. They may sum to less: none is right.
    """
    each = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -_LIMIT, _LIMIT)))
    return np.asarray(each / max(1.0, float(each.sum())))


def choose(log_odds: Floats) -> tuple[int, Floats]:
    """Index of the likeliest hypothesis (the first of equals) and the probabilities of all."""
    share = probabilities(log_odds)
    return int(np.argmax(np.round(share, 9))), share


def log_odds(probability: float) -> float:
    """Logit, limited to +-12."""
    p = min(max(probability, 1e-6), 1 - 1e-6)
    return float(np.clip(np.log(p / (1 - p)), -_LIMIT, _LIMIT))
