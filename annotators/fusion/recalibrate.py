"""Probabilities of the fitted model made true for a user's own music: a logistic curve an attribute."""

from dataclasses import replace
from math import exp, log

from fgmcaps.annotators.settings import Calibration, Recalibration
from fgmcaps.schemas import Fused

_LIMIT = 1e-4


def recalibrated(fused: Fused, calibration: Calibration) -> Fused:
    """What fusion found, with other probabilities; alternatives share what the likeliest value leaves of 1."""
    if not calibration:
        return fused
    changes: dict[str, object] = {}
    for name, curve in calibration.items():
        before = getattr(fused, f"{name}_probability")
        if before is None:
            continue
        after = recalibrated_probability(before, curve)
        changes[f"{name}_probability"] = after
        others = getattr(fused, f"{name}_alternatives", ())
        if others and before < 1:
            share = (1 - after) / (1 - before)
            scaled = (replace(other, probability=round(other.probability * share, 4)) for other in others)
            changes[f"{name}_alternatives"] = tuple(scaled)
    return replace(fused, **changes)  # type: ignore[arg-type]


def recalibrated_probability(probability: float, curve: Recalibration) -> float:
    """``sigmoid(slope * logit(p) + intercept)``, rounded as probabilities in rows are."""
    p = min(max(probability, _LIMIT), 1 - _LIMIT)
    return round(1 / (1 + exp(-(curve.slope * log(p / (1 - p)) + curve.intercept))), 4)
