"""One attribute fitted in two steps, every clip judged by models that have not seen its family.

Scorer: log-odds of each hypothesis. Confidence: log-odds that the chosen one is right, from how far it leads and what
was decided before. Calibration: a curve through the confidences of clips that neither was fitted on.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.labels.boosting import Boosting, Columns, Examples, fit_json, out_of_fold
from benchmarks.labels.calibrate import platt, thresholds
from benchmarks.labels.corpus import LabelClip
from fgmcaps.annotators.evaluation import coverage_at, expected_calibration_error
from fgmcaps.annotators.fusion.features import Row
from fgmcaps.annotators.fusion.scorer import Calibration, Trees

Floats = npt.NDArray[np.float64]
TUNE_WEIGHT = 3.0
"""Of a tune clip against a fit clip in calibration: the first is judged by the model as it ships, the second by one
that lacks a fifth of the families and so errs more."""


@dataclass(frozen=True)
class Held:
    """An ensemble on all families and those that leave some out."""

    data: dict[str, Any]
    final: Trees
    folds: list[tuple[set[str], Trees]]
    columns: Columns

    def __call__(self, table: Floats, family: str) -> Floats:
        """Log-odds of rows (as ``columns`` made them) of a clip of ``family``, by an ensemble that has not seen it."""
        trees = next((trees for left_out, trees in self.folds if family in left_out), self.final)
        return trees(self.columns.select(table, trees.features))


def held(examples: Examples, settings: Boosting) -> Held:
    """Fit on all and on folds."""
    data = fit_json(examples, settings)
    return Held(data, Trees.from_json(data), out_of_fold(examples, settings), examples.columns)


def balance(clips: Sequence[LabelClip]) -> dict[str, float]:
    """A weight for each clip's family, 1 on average: a family counts as the root of its clips.

    Clips of one style are alike; without this a few large families would outweigh all others.
    """
    sizes = Counter(clip.family for clip in clips)
    mean = sum(size**0.5 for size in sizes.values()) / max(1, sum(sizes.values()))
    return {family: float(size**-0.5 / mean) for family, size in sizes.items()}


@dataclass(frozen=True)
class Judgement:
    """The chosen hypothesis of one clip: its context, and how right it is (None: the truth is not known)."""

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
    weights = balance([j.clip for j in judgements])
    tables = {j.clip.name: examples.columns.table([j.context]) for j in judgements}
    for judgement in judgements:
        if judgement.outcome is not None and judgement.clip.split == "train":
            family = judgement.clip.family
            examples.add(tables[judgement.clip.name], [judgement.outcome], family, weights[family])
    confidence = held(examples, settings)
    scores = {j.clip.name: float(confidence(tables[j.clip.name], j.clip.family)[0]) for j in judgements}
    pool = [j for j in judgements if j.outcome is not None and in_pool(j.clip)]
    score = np.array([scores[j.clip.name] for j in pool])
    outcome = np.array([j.outcome for j in pool], dtype=np.float64)
    weight = np.array([weights[j.clip.family] * (1.0 if j.clip.split == "train" else TUNE_WEIGHT) for j in pool])
    curve = platt(score, outcome, weight)
    calibration = Calibration(np.array(curve["score"]), np.array(curve["probability"]))
    probability = {name: float(calibration(value)) for name, value in scores.items()}
    chance = np.array([probability[j.clip.name] for j in pool])
    table = thresholds(np.round(chance, 4), outcome, weight)
    tune = np.array([j.clip.split != "train" for j in pool])
    report = {"clips": float(len(pool)), **_figures("", chance, outcome)}
    if tune.any():
        report |= _figures("tune_", chance[tune], outcome[tune])
    data = {
        "scorer": None if scorer is None else scorer.data,
        "confidence": confidence.data,
        "calibration": curve,
        "thresholds": table,
        "held_out": {name: round(value, 4) for name, value in report.items()},
    }
    return Fitted(data, probability, report)


def _figures(name: str, chance: Floats, outcome: Floats) -> dict[str, float]:
    return {
        f"{name}accuracy": float(outcome.mean()),
        f"{name}coverage_at_95": coverage_at(chance, outcome, 0.95),
        f"{name}ece": expected_calibration_error(chance, outcome),
    }
