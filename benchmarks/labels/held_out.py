"""One attribute fitted in two steps, every clip judged by models that have not seen its domain, or its style.

Scorer: log-odds of each hypothesis. Confidence: log-odds that the chosen one is right, from how far it leads and what
was decided before. Calibration: a curve through the confidences of clips that neither was fitted on.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.labels.boosting import Boosting, Columns, Examples, fit_json, out_of_fold
from benchmarks.labels.calibrate import AS_STATED, platt, thresholds
from benchmarks.labels.corpus import LabelClip
from fgmcaps.annotators.evaluation import coverage_at, expected_calibration_error
from fgmcaps.annotators.fusion.features import Row
from fgmcaps.annotators.fusion.scorer import Calibration, Scorer, Trees, scorer_from_json

Floats = npt.NDArray[np.float64]
SHARES = {"rendered": 0.5, "negative": 0.25, "billboard": 1.0, "pop909": 0.25}
POOL_SHARES = {**SHARES, "pop909": 0.03}
"""Weight of each domain in a fit and in the pool, whatever the number of its clips: most where it is most like records.
POP909 has next to none where beats and keys are judged: its tempo is that of who wrote it down, in two songs of five
half of what all trackers hear, where in the songs of Billboard as often the slower as the faster one is right; and its
keys were found by a program."""


@dataclass(frozen=True)
class Held:
    """An ensemble on all families and those that leave some out."""

    data: dict[str, Any]
    final: Trees
    folds: list[tuple[set[str], Trees]]
    columns: Columns

    def __call__(self, table: Floats, fold: str) -> Floats:
        """Log-odds of rows (as ``columns`` made them) of a clip of ``fold``, by an ensemble that has not seen it."""
        trees = next((trees for left_out, trees in self.folds if fold in left_out), self.final)
        return trees(self.columns.select(table, trees.features))


@dataclass(frozen=True)
class Kept:
    """A scorer that was fitted before, on clips that are not among those of this fit."""

    data: dict[str, Any]
    trees: Scorer
    columns: Columns

    def __call__(self, table: Floats, fold: str) -> Floats:
        """Log-odds of rows, as ``columns`` made them, of a clip of any fold."""
        return self.trees(self.columns.select(table, self.trees.features))


def scorer_of(examples: Examples, settings: Boosting, kept: Mapping[str, Any] | None, name: str) -> "Held | Kept":
    """The kept scorer of an attribute, or one fitted on ``examples``."""
    if kept is None:
        return held(examples, settings)
    data = dict(kept["attributes"][name]["scorer"])
    return Kept(data, scorer_from_json(data), examples.columns)


def confidence_of(kept: Mapping[str, Any] | None, name: str, settings: Boosting) -> Boosting | dict[str, Any]:
    """How the chosen value of an attribute is judged: as the kept model does, or by an ensemble to be fitted."""
    return settings if kept is None else dict(kept["attributes"][name]["confidence"])


def before_of(kept: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The confidence of an attribute that a later one is built on."""
    attribute = kept["attributes"][name]
    return dict(attribute.get("before", attribute["confidence"]))


def held(examples: Examples, settings: Boosting) -> Held:
    """Fit on all and on folds."""
    data = fit_json(examples, settings)
    return Held(data, Trees.from_json(data), out_of_fold(examples, settings), examples.columns)


def balance(clips: Sequence[LabelClip], domains: Mapping[str, float] = SHARES) -> dict[str, float]:
    """A weight for each clip's family: a family counts as the root of its clips, a domain as ``domains`` say.

    Clips of one style are alike; without this a few large families would outweigh all others. 1 on average.
    """
    sizes = Counter((clip.domain, clip.family) for clip in clips)
    total = {domain: sum(size**0.5 for (d, _), size in sizes.items() if d == domain) for domain, _ in sizes}
    shares = {domain: domains.get(domain, 1.0) for domain in total}
    scale = sum(sizes.values()) / max(sum(shares.values()), 1e-9)
    return {family: float(size**-0.5 * shares[d] / total[d] * scale) for (d, family), size in sizes.items()}


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
    scorer: Held | Kept | None,
    judgements: Sequence[Judgement],
    settings: Boosting | dict[str, Any],
    in_pool: Callable[[LabelClip], bool],
    domains: Mapping[str, float] = SHARES,
    as_stated: bool = False,
    fold: Callable[[LabelClip], str] = lambda clip: clip.fold,
) -> Fitted:
    """Confidence, calibration and thresholds from the judgements of fit and tune clips.

    ``in_pool`` says which clips the curve and the thresholds are taken from; ``settings``: of the confidence's
    ensemble, or a scorer that judges as it is; ``as_stated``: its log-odds are taken at their word. The report gives
    each domain by a curve that has not seen it. ``fold``: what is left out with a clip when its confidence is fitted.
    """
    examples = Examples()
    weights = balance([j.clip for j in judgements], domains)
    tables = {j.clip.name: examples.columns.table([j.context]) for j in judgements}
    for judgement in judgements:
        if judgement.outcome is not None and judgement.clip.split == "train":
            clip = judgement.clip
            examples.add(tables[clip.name], [judgement.outcome], fold(clip), weights[clip.family])
    confidence: Held | Kept
    if isinstance(settings, Boosting):
        confidence = held(examples, settings)
    else:
        confidence = Kept(settings, scorer_from_json(settings), examples.columns)
    scores = {j.clip.name: float(confidence(tables[j.clip.name], fold(j.clip))[0]) for j in judgements}
    pool = [j for j in judgements if j.outcome is not None and in_pool(j.clip)]
    score = np.array([scores[j.clip.name] for j in pool])
    outcome = np.array([j.outcome for j in pool], dtype=np.float64)
    weight = np.array([weights[j.clip.family] for j in pool])
    curve = AS_STATED if as_stated else platt(score, outcome, weight)
    calibration = Calibration(np.array(curve["score"]), np.array(curve["probability"]))
    probability = {name: float(calibration(value)) for name, value in scores.items()}
    chance = np.array([probability[j.clip.name] for j in pool])
    table = thresholds(np.round(chance, 4), outcome, weight)
    report = {"clips": float(len(pool)), **_figures("", chance, outcome)}
    for domain in sorted({j.clip.domain for j in pool}):
        own = np.array([j.clip.domain == domain for j in pool])
        if own.all():
            continue
        others = AS_STATED if as_stated else platt(score[~own], outcome[~own], weight[~own])
        unseen = Calibration(np.array(others["score"]), np.array(others["probability"]))(score[own])
        report |= _figures(f"{domain}_", np.asarray(unseen), outcome[own])
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
        f"{name}stated": float(chance.mean()),
        f"{name}coverage_at_95": coverage_at(chance, outcome, 0.95),
        f"{name}ece": expected_calibration_error(chance, outcome),
    }
