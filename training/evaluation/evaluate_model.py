"""Evaluate a saved model on a dataset, with everything that ``figma eval`` offers."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.training.device import choose_device
from fgmcaps.training.encoders.base import TextEncoder
from fgmcaps.training.encoders.run import encode_texts
from fgmcaps.training.evaluation.evaluate import Captions, Pool, Scores, make_pool, score_pool
from fgmcaps.training.evaluation.perturbation_table import PerturbationRow, perturbation_table
from fgmcaps.training.evaluation.report_build import EvaluationReport, compare, describe
from fgmcaps.training.evaluation.truncation import TruncationPoint, truncation_curve
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.features.for_model import features_for_model, sample_rows
from fgmcaps.training.features.restore import restore_text_encoder
from fgmcaps.training.model.frame_score import BUDGET_MB
from fgmcaps.training.model.hub import fetch_model
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.model.scores import VIEWS, View

Stage = Callable[[str, int, int], None]
"""Progress: stage, done, total."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to evaluate, and how."""

    split: str = "test"
    pool: int | None = None
    captions: Captions = "main"
    views: Sequence[View] = VIEWS
    truncation: bool = False
    perturbation: bool = False
    seed: int = 0
    budget_mb: float = BUDGET_MB
    device: str | None = None
    workers: int = 1
    cache: Path | None = None
    audio_options: dict[str, Any] = field(default_factory=dict)
    text_options: dict[str, Any] = field(default_factory=dict)


def evaluate_model(
    name: str, data: str, plan: Plan, *, against: str | None = None, stage: Stage | None = None
) -> EvaluationReport:
    """The report of the model ``name`` (a folder or ``user/model``) on DATA.

    ``against``: another model, compared on the same clips and captions. Raises what reading the model, the data and the
    encoders raises; FgmcapsError where plan and pool do not go together.
    """
    if plan.perturbation and plan.captions != "main":
        raise FgmcapsError("--perturbation changes main captions: leave out --captions all")
    say: Stage = stage or (lambda what, done, total: None)
    device = choose_device(plan.device)
    model, cache, rows = _opened(name, data, plan, device, plan.cache, say)
    rows = sample_rows(rows, plan.pool, plan.seed)
    pool = make_pool(cache, rows, plan.captions)
    scores = _scores(model, cache, pool, plan, say, "scoring")
    comparisons = []
    if against is not None:
        comparisons = compare(scores, _scores_of_other(against, data, plan, device, cache, pool, say), pool)
    truncation, perturbation = _studies(model, cache, pool, plan, device, say)
    return EvaluationReport(
        model=shown(name),
        data=shown(data),
        split=plan.split,
        pool=pool.sizes(),
        directions=describe(scores, pool),
        against=None if against is None else shown(against),
        comparisons=comparisons,
        truncation=truncation,
        perturbation=perturbation,
    )


def shown(name: str) -> str:
    """A folder by its last name, since a report is published and paths are nobody's business; else the name."""
    return Path(name).resolve().name if Path(name).exists() else name


def _opened(
    name: str, data: str, plan: Plan, device: str, folder: Path | None, say: Stage
) -> tuple[FigmaModel, FeatureCache, npt.NDArray[np.int64]]:
    model = FigmaModel.load(fetch_model(name))
    cache, rows = features_for_model(
        model, name, data, plan.split, folder, device=device, workers=plan.workers,
        audio_options=plan.audio_options, text_options=plan.text_options,
        report=lambda what, done, total: say(f"features, {what}", done, total),
    )  # fmt: skip
    return model.to(device), cache, rows


def _scores(
    model: FigmaModel, cache: FeatureCache, pool: Pool, plan: Plan, say: Stage, what: str
) -> dict[View, Scores]:
    return score_pool(
        model, cache, pool, plan.views, budget_mb=plan.budget_mb, progress=lambda done, total: say(what, done, total)
    )


def _scores_of_other(
    name: str, data: str, plan: Plan, device: str, mine: FeatureCache, pool: Pool, say: Stage
) -> dict[View, Scores]:
    """The other model's scores of the same clips and captions, which its own features may hold in other rows."""
    model, cache, rows = _opened(name, data, plan, device, None, say)
    place = {cache.ids[int(i)]: int(i) for i in rows}
    missing = [clip for clip in pool.ids if clip not in place]
    if missing:
        raise FgmcapsError(
            f"{name}: clip {missing[0]} has no usable features there ({len(missing)} of {len(pool.ids)})"
        )
    chosen = np.array([place[clip] for clip in pool.ids], np.int64)
    same = make_pool(cache, chosen, plan.captions)
    if not np.array_equal(same.caption, pool.caption):
        raise InvalidDataError(f"{cache.folder}: holds other captions than {mine.folder}; delete it and evaluate again")
    return _scores(model, cache, same, plan, say, f"scoring by {name}")


def _studies(
    model: FigmaModel, cache: FeatureCache, pool: Pool, plan: Plan, device: str, say: Stage
) -> tuple[list[TruncationPoint], list[PerturbationRow]]:
    if not plan.truncation and not plan.perturbation:
        return [], []
    encoder = restore_text_encoder(model, plan.text_options)
    encoder.setup(device)
    curve: list[TruncationPoint] = []
    table: list[PerturbationRow] = []
    if plan.perturbation:
        table = perturbation_table(
            model, cache, pool, [cache.row(int(i)) for i in pool.rows], lambda texts: encode_texts(encoder, texts),
            views=plan.views, budget_mb=plan.budget_mb, progress=lambda done, total: say("perturbation", done, total),
        )  # fmt: skip
    if plan.truncation:
        texts = [cache.caption(int(pool.rows[a]), int(k)) for a, k in zip(pool.owner, pool.which, strict=True)]
        special = len(encoder.pieces([""])[0])
        pieces = plain_pieces(encoder, texts)
        curve = truncation_curve(
            model, cache, pool, texts, pieces, lambda cut, k: encode_cut(encoder, cut, k + special),
            views=plan.views, budget_mb=plan.budget_mb, progress=lambda done, total: say("truncation", done, total),
        )  # fmt: skip
    return curve, table


def plain_pieces(encoder: TextEncoder, texts: Sequence[str]) -> list[list[str]]:
    """The tokens of texts without the special ones that stand at both ends of every text."""
    special = encoder.pieces([""])[0]
    lead = 1 if len(special) > 1 else 0
    tail = len(special) - lead
    return [pieces[lead : len(pieces) - tail] for pieces in encoder.pieces(list(texts))]


def encode_cut(encoder: TextEncoder, texts: Sequence[str], tokens: int) -> list[Tensor]:
    """Token states of texts cut to ``tokens`` tokens, special ones included, before they are encoded."""
    cut = copy.copy(encoder)
    cut.max_tokens = min(tokens, encoder.max_tokens)
    return encode_texts(cut, texts)
