"""Everything that ``figma eval`` says of a model, as data: figures with intervals, hubness, comparison, curves."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fgmcaps.training.evaluation.bootstrap import Interval, Paired, interval, paired
from fgmcaps.training.evaluation.evaluate import Pool, Scores, directed, ranks_of
from fgmcaps.training.evaluation.hubness import hubness
from fgmcaps.training.evaluation.metrics import CUTOFFS, DIRECTIONS, Ints, expected_rank, hits, per_query, summarise
from fgmcaps.training.evaluation.perturbation_table import PerturbationRow
from fgmcaps.training.evaluation.truncation import TruncationPoint
from fgmcaps.training.model.scores import View

COMPARED = ("R@1", "R@5", "R@10", "MRR")
CURVE = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)


@dataclass(frozen=True, slots=True)
class DirectionReport:
    """One view in one direction.

    ``figures``: R@K and MRR with 95 % intervals over tracks. ``same_caption``: the same means where clips with an equal
    caption count too. ``curve``: R@K by K.
    """

    view: str
    direction: str
    queries: int
    candidates: int
    figures: dict[str, Interval]
    median_rank: float
    same_caption: dict[str, float]
    hubness: dict[str, float]
    curve: dict[int, float]
    chance: dict[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of this model minus that of another one, on the same queries."""

    view: str
    direction: str
    figure: str
    mine: float
    other: float
    paired: Paired


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """The whole report of one evaluation. Shares are in 0 .. 1."""

    model: str
    data: str
    split: str
    pool: dict[str, float]
    directions: list[DirectionReport]
    against: str | None = None
    comparisons: list[Comparison] = dataclasses.field(default_factory=list)
    truncation: list[TruncationPoint] = dataclasses.field(default_factory=list)
    perturbation: list[PerturbationRow] = dataclasses.field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; what is not finite (an interval over one track) is null."""
        plain: dict[str, Any] = _finite(dataclasses.asdict(self))
        return plain


def describe(scores: Mapping[View, Scores], pool: Pool) -> list[DirectionReport]:
    """All views and directions of score matrices [A, C]."""
    out = []
    for view, matrix in scores.items():
        for direction in DIRECTIONS:
            ranks, queries = ranks_of(matrix, pool, direction), directed(matrix, direction)
            values = {name: v for name, v in per_query(ranks).items() if name != "rank"}
            tracks = query_tracks(pool, direction)
            candidates = queries.shape[1]
            steps = [k for k in CURVE if k < candidates] + [candidates]
            out.append(
                DirectionReport(
                    view=view,
                    direction=direction,
                    queries=len(queries),
                    candidates=candidates,
                    figures={name: interval(v, tracks) for name, v in values.items()},
                    median_rank=float(np.median(expected_rank(ranks))),
                    same_caption=summarise(ranks_of(matrix, pool, direction, same_caption=True)),
                    hubness=hubness(queries),
                    curve={k: float(hits(ranks, k).mean()) for k in steps},
                    chance=chance(pool, direction),
                )
            )
    return out


def chance(pool: Pool, direction: str) -> dict[str, float]:
    """What a constant model gets."""
    constant = np.zeros((len(pool.rows), len(pool.owner)), np.float32)
    found = summarise(ranks_of(constant, pool, direction))
    return {name: value for name, value in found.items() if name in {f"R@{k}" for k in CUTOFFS} | {"MRR"}}


def query_tracks(pool: Pool, direction: str) -> Ints:
    """int64[queries]: track of each query."""
    return pool.track if direction == "a2t" else pool.track[pool.owner]


def compare(
    mine: Mapping[View, Scores], other: Mapping[View, Scores], pool: Pool, figures: Sequence[str] = COMPARED
) -> list[Comparison]:
    """Paired tests of two models on one pool, over tracks."""
    out = []
    for view in mine:
        for direction in DIRECTIONS:
            a, b = (per_query(ranks_of(scores[view], pool, direction)) for scores in (mine, other))
            tracks = query_tracks(pool, direction)
            out += [
                Comparison(view, direction, f, float(a[f].mean()), float(b[f].mean()), paired(a[f], b[f], tracks))
                for f in figures
            ]
    return out


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
