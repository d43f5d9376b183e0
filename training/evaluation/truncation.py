"""The truncation curve: how much of a caption does the model use?

Conventions
-----------
- Captions are cut to their first ``k`` tokens and encoded anew: a contextual encoder must not have seen the rest.
  Special tokens come on top of ``k``. The clips and the pool stay the same; all captions of the pool are cut.
- Captions that are equal once they are cut are scored once, so that they tie exactly and count as chance.
- ``longer``: share of captions that have more than ``k`` tokens. Where it is 0 the curve cannot rise any more, whatever
  the model: a curve that flattens while ``longer`` is large says something, one that flattens at ``longer`` = 0 does
  not.
- ``long``: the same figures over the queries whose captions are in the longest quarter (A2T: a clip's longest caption).

Source: the truncation study of the FIGMA paper (arXiv 2606.06615), k = 5, 10, 15, ...
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fgmcaps.training.evaluation.evaluate import Features, Pool, check_finite, ranks_of
from fgmcaps.training.evaluation.metrics import CUTOFFS, DIRECTIONS, Ranks, hits
from fgmcaps.training.model.frame_score import BUDGET_MB
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.model.scores import VIEWS, View
from fgmcaps.training.model.scoring import Progress, embed_texts, score

STEP = 5
LONG_SHARE = 0.25

CutEncode = Callable[[Sequence[str], int], Sequence[Tensor]]
"""Token states float[L_i, d_text] of texts cut to their first ``k`` tokens."""


@dataclass(frozen=True, slots=True)
class TruncationPoint:
    """Figures at one length. ``recall`` and ``long_recall``: ``{view}/{direction}/R@K`` -> share in 0 .. 1."""

    k: int
    longer: float
    recall: dict[str, float]
    long_recall: dict[str, float]


def lengths_to_try(tokens: npt.NDArray[np.int64], step: int = STEP) -> list[int]:
    """``step``, 2 ``step``, ... up to the first that cuts nothing. ``tokens``: int64[C], lengths of the captions."""
    return list(range(step, int(tokens.max()) + step, step))


def truncation_curve(
    model: FigmaModel,
    cache: Features,
    pool: Pool,
    texts: Sequence[str],
    pieces: Sequence[Sequence[str]],
    encode: CutEncode,
    *,
    views: Sequence[View] = VIEWS,
    lengths: Sequence[int] | None = None,
    cutoffs: Sequence[int] = CUTOFFS,
    budget_mb: float = BUDGET_MB,
    progress: Progress | None = None,
) -> list[TruncationPoint]:
    """The curve of a pool. ``texts``: its C captions; ``pieces``: their tokens as text, without special ones."""
    tokens = np.array([len(p) for p in pieces], np.int64)
    lengths = lengths_to_try(tokens) if lengths is None else lengths
    long_text, long_clip = _longest(pool, tokens)
    points = []
    for done, k in enumerate(lengths):
        places: dict[tuple[str, ...], int] = {}
        column = np.array([places.setdefault(tuple(p[:k]), len(places)) for p in pieces], np.int64)
        first = np.unique(column, return_index=True)[1]
        cut = embed_texts(model, list(encode([texts[c] for c in first], k)))
        distinct = score(model, cache, pool.rows, cut, views, budget_mb=budget_mb)
        scores = {view: matrix[:, column] for view, matrix in distinct.items()}
        recall, long_recall = {}, {}
        for view, matrix in scores.items():
            check_finite(matrix, pool)
            for direction in DIRECTIONS:
                ranks = ranks_of(matrix, pool, direction)
                some = _subset(ranks, long_text if direction == "t2a" else long_clip)
                for cutoff in cutoffs:
                    recall[f"{view}/{direction}/R@{cutoff}"] = float(hits(ranks, cutoff).mean())
                    long_recall[f"{view}/{direction}/R@{cutoff}"] = float(hits(some, cutoff).mean())
        points.append(TruncationPoint(k, float((tokens > k).mean()), recall, long_recall))
        if progress is not None:
            progress(done + 1, len(lengths))
    return points


def _longest(pool: Pool, tokens: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The captions in the longest quarter, and the clips whose longest caption is in it."""
    long_text = tokens >= np.quantile(tokens, 1 - LONG_SHARE)
    long_clip = np.zeros(len(pool.rows), np.bool_)
    np.logical_or.at(long_clip, pool.owner, long_text)
    return long_text, long_clip


def _subset(ranks: Ranks, chosen: npt.NDArray[np.bool_]) -> Ranks:
    return Ranks(ranks.better[chosen], ranks.tied[chosen], ranks.relevant[chosen])
