"""How accuracy grows as doubtful labels are left out, and whether a confidence means what it says.

Conventions
-----------
``confidence`` and ``score`` are float[n] in 0 .. 1. A score may be a fraction (share of a clip's time with the right
chord): a calibrated confidence is then its expected value.

Bins hold equal numbers of clips (equal mass), because equally wide bins would leave most of them empty and noisy; the
number of bins is stated with every figure. Clips of one confidence are never put into two bins.
Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015 (the error);
Geifman, El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017 (the curve).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean score of the kept labels over the share of clips that keep one, from few to all: float[m] each.

    ``threshold[i]`` is the confidence from which on labels are kept.
    """

    coverage: Floats
    accuracy: Floats
    threshold: Floats


@dataclass(frozen=True, slots=True)
class Reliability:
    """Mean confidence, mean score and number of clips of each bin: [bins]."""

    confidence: Floats
    score: Floats
    count: npt.NDArray[np.int64]


def coverage_curve(confidence: Floats, score: Floats, total: int | None = None) -> Curve:
    """The curve over every threshold; ``total`` clips were asked (default: all that have a confidence).

    Raises ValueError for arrays of different length or without an element.
    """
    confidence, score = _checked(confidence, score)
    order = np.argsort(-confidence, kind="stable")
    ranked, scores = confidence[order], score[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)  # equal confidences are kept or left together
    kept = last + 1
    return Curve(kept / (total or ranked.size), np.cumsum(scores)[last] / kept, ranked[last])


def coverage_at(confidence: Floats, score: Floats, precision: float, total: int | None = None) -> float:
    """The largest coverage at which the kept labels are right in ``precision`` of cases on average; 0 if at none."""
    if len(confidence) == 0:
        return 0.0
    curve = coverage_curve(confidence, score, total)
    enough = curve.accuracy >= precision - 1e-12
    return float(curve.coverage[enough].max()) if enough.any() else 0.0


def reliability(confidence: Floats, score: Floats, bins: int = BINS) -> Reliability:
    """Bins of (nearly) equal numbers of clips, ascending by confidence."""
    confidence, score = _checked(confidence, score)
    order = np.argsort(confidence, kind="stable")
    ranked, scores = confidence[order], score[order]
    edges = np.unique([np.searchsorted(ranked, ranked[i]) for i in (np.arange(1, bins) * ranked.size) // bins])
    parts = [part for part in np.split(np.arange(ranked.size), edges) if part.size]
    return Reliability(
        np.array([ranked[p].mean() for p in parts]),
        np.array([scores[p].mean() for p in parts]),
        np.array([p.size for p in parts], dtype=np.int64),
    )


def expected_calibration_error(confidence: Floats, score: Floats, bins: int = BINS) -> float:
    """Mean over clips of |mean confidence - mean score| of their bin."""
    found = reliability(confidence, score, bins)
    return float(np.average(np.abs(found.confidence - found.score), weights=found.count))


def _checked(confidence: Floats, score: Floats) -> tuple[Floats, Floats]:
    confidence, score = np.asarray(confidence, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if confidence.shape != score.shape or confidence.ndim != 1:
        raise ValueError(f"confidences {confidence.shape} and scores {score.shape} must be equally long lists")
    if confidence.size == 0:
        raise ValueError("no clip has both a confidence and a known truth")
    return confidence, score
