"""All clips of a corpus judged: one result an attribute, each figure with its interval.

Conventions
-----------
Accuracy at full coverage counts a label that is missing as wrong (score 0). Confidence, curve and calibration are of
the clips that have a label before the filter. "Kept" is what the filter of the profile leaves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.evaluation.calibration import BINS, coverage_at, expected_calibration_error
from fgmcaps.annotators.evaluation.clip_scores import ATTRIBUTES, ClipScores, score_clip
from fgmcaps.annotators.evaluation.intervals import Indices, bootstrap_interval
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.schemas import Labels
from fgmcaps.schemas.truth import ClipTruth

Interval = tuple[float, float]
Floats = npt.NDArray[np.float64]

SECONDARY = {"tempo": "tempo_octave", "downbeats": "beats", "key": "key_weighted", "chords": "chords_sevenths"}
"""A second score that is reported with the attribute's own."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One clip: scores of its labels before the filter, their confidences, and which the filter keeps."""

    group: str
    scores: ClipScores
    confidence: dict[str, float | None]
    kept: frozenset[str]
    classes: dict[str, str] = field(default_factory=dict)
    """For tables by class: the true time signature under ``meter``."""


@dataclass(frozen=True, slots=True)
class AttributeResult:
    """One attribute over a corpus of ``clips`` that have a truth for it; NaN where a figure does not exist.

    ``accuracy``: mean score of all clips; ``second``: that of the attribute's second score; ``coverage_95``: the
    largest share of clips whose labels, taken by confidence, are right in 95 % on average; ``kept_*``: the filter's.
    """

    attribute: str
    clips: int
    accuracy: float
    accuracy_interval: Interval
    second: float
    coverage_95: float
    coverage_95_interval: Interval
    error: float
    error_interval: Interval
    kept_coverage: float
    kept_coverage_interval: Interval
    kept_accuracy: float
    kept_accuracy_interval: Interval
    by_class: dict[str, tuple[int, float, float]]
    """Class -> (clips, accuracy of all, share kept)."""
    confidence: tuple[float, ...] = ()
    score: tuple[float, ...] = ()
    """Of the clips with a confidence, in the order of the clips: the curve and the reliability diagram."""


def unfiltered(settings: FusionSettings) -> FusionSettings:
    """The same fusion with every threshold at zero: all that it can name, doubtful or not."""
    updates: dict[str, dict[str, float]] = {name: {"precision": 0.0} for name in ATTRIBUTES}
    for name in ("key", "chords"):
        updates[name]["min_confidence"] = 0.0
    return settings.model_copy(
        update={name: getattr(settings, name).model_copy(update=update) for name, update in updates.items()}
    )


def judge(full: Labels, filtered: Labels, truth: ClipTruth) -> Judged:
    """``full``: labels before the filter, ``filtered``: after it."""
    values = {
        "tempo": (full.tempo_bpm, full.tempo_confidence, filtered.tempo_bpm),
        "meter": (full.time_signature, full.meter_confidence, filtered.time_signature),
        "downbeats": (full.downbeats or None, full.downbeats_confidence, filtered.downbeats or None),
        "key": (full.key, full.key_confidence, filtered.key),
        "chords": (full.chords or None, full.chords_confidence, filtered.chords or None),
    }
    return Judged(
        group=truth.group,
        scores=score_clip(full, truth),
        confidence={name: confidence if value is not None else None for name, (value, confidence, _) in values.items()},
        kept=frozenset(name for name, (_, _, value) in values.items() if value is not None),
        classes={} if truth.time_signature is None else {"meter": truth.time_signature},
    )


def study(clips: Sequence[Judged], *, rounds: int = 1000, bins: int = BINS) -> dict[str, AttributeResult]:
    """Results by attribute, in the order of ``ATTRIBUTES``, of those that any clip has a truth for."""
    results = {}
    for attribute in ATTRIBUTES:
        known = [c for c in clips if c.scores.of(attribute) is not None]
        if known:
            results[attribute] = _attribute(attribute, known, rounds, bins)
    return results


def _attribute(attribute: str, clips: Sequence[Judged], rounds: int, bins: int) -> AttributeResult:
    score = np.array([c.scores.of(attribute) for c in clips], dtype=np.float64)
    confidence = np.array([np.nan if (v := c.confidence[attribute]) is None else v for c in clips], dtype=np.float64)
    kept = np.array([attribute in c.kept for c in clips])
    groups = [c.group for c in clips]
    drawn = groups if all(groups) else len(clips)

    def covered(i: Indices) -> float:
        named = i[~np.isnan(confidence[i])]
        return coverage_at(confidence[named], score[named], 0.95, len(i)) if len(named) else float("nan")

    def error(i: Indices) -> float:
        named = i[~np.isnan(confidence[i])]
        return expected_calibration_error(confidence[named], score[named], bins) if len(named) else float("nan")

    def accuracy(i: Indices) -> float:
        return float(score[i].mean())

    def kept_coverage(i: Indices) -> float:
        return float(kept[i].mean())

    def kept_accuracy(i: Indices) -> float:
        return float(score[i[kept[i]]].mean()) if kept[i].any() else float("nan")

    def figure(function: Callable[[Indices], float]) -> tuple[float, Interval]:
        return function(np.arange(len(clips))), bootstrap_interval(function, drawn, rounds=rounds)

    seconds = (
        [v for c in clips if (v := c.scores.of(SECONDARY[attribute])) is not None] if attribute in SECONDARY else []
    )
    names = [c.classes.get(attribute) for c in clips]
    by_class = {
        name: (int(own.sum()), float(score[own].mean()), float(kept[own].mean()))
        for name in sorted({n for n in names if n is not None})
        for own in [np.array([n == name for n in names])]
    }
    named = ~np.isnan(confidence)
    return AttributeResult(
        attribute,
        len(clips),
        *figure(accuracy),
        float(np.mean(seconds)) if seconds else float("nan"),
        *figure(covered),
        *figure(error),
        *figure(kept_coverage),
        *figure(kept_accuracy),
        by_class,
        tuple(confidence[named].tolist()),
        tuple(score[named].tolist()),
    )
