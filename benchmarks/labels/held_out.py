"""One attribute fitted in two steps, every clip judged by models that have not seen its family.

Scorer: log-odds of each hypothesis. Confidence: log-odds that the chosen one is right, from how far it leads and what
was decided before. Calibration: a curve through the confidences of clips that neither was fitted on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from annotators.evaluation import coverage_at, expected_calibration_error
from annotators.fusion.evidence import Row, table_of
from annotators.fusion.scorer import Calibration, Trees
from benchmarks.labels.boosting import Boosting, Examples, fit_json, out_of_fold
from benchmarks.labels.calibrate import platt, thresholds
from benchmarks.labels.corpus import LabelClip

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Held:
    """An ensemble on all families and those that leave some out."""

    data: dict[str, Any]
    final: Trees
    folds: list[tuple[set[str], Trees]]

    def __call__(self, rows: Sequence[Row], family: str) -> Floats:
        """Log-odds of rows of a clip of ``family``, by an ensemble that has not seen it."""
        trees = next((trees for left_out, trees in self.folds if family in left_out), self.final)
        return trees(table_of(rows, trees.features))


def held(examples: Examples, settings: Boosting) -> Held:
    """Fit on all and on folds."""
    data = fit_json(examples, settings)
    return Held(data, Trees.from_json(data), out_of_fold(examples, settings))


@dataclass(frozen=True)
class Judgement:
    """The chosen hypothesis of one clip: its context, and how right it is (None: the truth does not say)."""

    clip: LabelClip
    context: Row
    outcome: float | None


@dataclass(frozen=True)
class Fitted:
    """What goes into the model file, the held-out probability of every clip by name, and the figures of this fit."""

    data: dict[str, Any]
    probability: dict[str, float]
    report: dict[str, float]


def finish(
    scorer: Held | None, judgements: Sequence[Judgement], settings: Boosting, in_pool: Callable[[LabelClip], bool]
) -> Fitted:
    """Confidence, calibration and thresholds from the judgements of fit and tune clips.

    ``in_pool`` says which clips the curve and the thresholds are taken from.
    """
    examples = Examples()
    for judgement in judgements:
        if judgement.outcome is not None and judgement.clip.split == "train":
            examples.add(judgement.context, judgement.outcome, judgement.clip.family)
    confidence = held(examples, settings)
    scores = {j.clip.name: float(confidence([j.context], j.clip.family)[0]) for j in judgements}
    pool = [j for j in judgements if j.outcome is not None and in_pool(j.clip)]
    score = np.array([scores[j.clip.name] for j in pool])
    outcome = np.array([j.outcome for j in pool], dtype=np.float64)
    curve = platt(score, outcome)
    calibration = Calibration(np.array(curve["score"]), np.array(curve["probability"]))
    probability = {name: float(calibration(value)) for name, value in scores.items()}
    chance = np.array([probability[j.clip.name] for j in pool])
    table = thresholds(np.round(chance, 4), outcome, len(pool))
    report = {
        "clips": float(len(pool)),
        "accuracy": float(outcome.mean()),
        "coverage_at_95": coverage_at(chance, outcome, 0.95),
        "ece": expected_calibration_error(chance, outcome),
    }
    data = {
        "scorer": None if scorer is None else scorer.data,
        "confidence": confidence.data,
        "calibration": curve,
        "thresholds": table,
        "held_out": {name: round(value, 4) for name, value in report.items()},
    }
    return Fitted(data, probability, report)
