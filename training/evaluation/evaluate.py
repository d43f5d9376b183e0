"""Evaluate a model on rows of a feature cache: retrieval metrics for every view and both directions.

Conventions
-----------
- The pool is what is ranked: the clips of the given rows, and their main captions or all of them.
- ``{view}/{t2a|a2t}/{metric}``: only a caption's own clip counts, as in the published benchmark.
- ``{view}/{t2a|a2t}_same_caption/{metric}``: clips whose captions are the same text count too: no model can tell them
  apart. ``pool/same_caption`` is the share of captions that occur more than once.
- :mod:`fgmcaps.training.evaluation.metrics` says how ties are broken and what the metrics are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fgmcaps.common.errors import InvalidDataError, NothingToDoError
from fgmcaps.training.evaluation import metrics
from fgmcaps.training.evaluation.metrics import CUTOFFS, Bools, Ranks
from fgmcaps.training.model.frame_score import BUDGET_MB
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.model.scores import VIEWS, View
from fgmcaps.training.model.scoring import Progress, embed_texts, score

Captions = Literal["main", "all"]
Scores = npt.NDArray[np.float32]


class Features(Protocol):
    """What evaluation needs of a feature cache (:class:`fgmcaps.training.features.cache.FeatureCache`)."""

    track: npt.NDArray[np.int64]
    ids: list[str]
    caption_count: npt.NDArray[np.int64]

    def audio(self, i: int) -> Tensor:
        """Frames of a row: float32[T, d_audio]."""
        ...

    def text(self, i: int, k: int = 0) -> Tensor:
        """Token states of a caption: float32[L, d_text]."""
        ...

    def caption_id(self, i: int, k: int = 0) -> int:
        """Number of a caption's text."""
        ...


@dataclass(frozen=True, slots=True)
class Pool:
    """A clips and C captions that are ranked against each other.

    ``rows``: int64[A], rows of the cache; ``track``: int64[A]; ``owner``: int64[C], place in ``rows`` of a caption's
    own clip; ``which``: int64[C], number of the caption within its row; ``caption``: int64[C], number of its text.
    """

    rows: npt.NDArray[np.int64]
    track: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    which: npt.NDArray[np.int64]
    caption: npt.NDArray[np.int64]
    ids: tuple[str, ...]

    @property
    def same_caption(self) -> float:
        """Share of captions whose text another caption of the pool has too."""
        _, inverse, counts = np.unique(self.caption, return_inverse=True, return_counts=True)
        return float((counts[inverse] > 1).mean())

    def sizes(self) -> dict[str, float]:
        """Numbers to print beside every figure."""
        return {
            "pool/clips": float(len(self.rows)),
            "pool/captions": float(len(self.owner)),
            "pool/tracks": float(len(np.unique(self.track))),
            "pool/same_caption": self.same_caption,
        }


def make_pool(cache: Features, rows: Sequence[int] | npt.NDArray[np.int64], captions: Captions = "main") -> Pool:
    """The pool of ``rows``. Raises NothingToDoError for less than two clips: there is nothing to tell apart."""
    chosen = np.asarray(rows, dtype=np.int64)
    if len(chosen) < 2:
        raise NothingToDoError(f"a pool of {len(chosen)} clips: retrieval needs at least 2; give more rows")
    counts = cache.caption_count[chosen] if captions == "all" else np.ones(len(chosen), np.int64)
    owner = np.repeat(np.arange(len(chosen)), counts)
    which = np.concatenate([np.arange(n) for n in counts])
    texts = [cache.caption_id(int(chosen[a]), int(k)) for a, k in zip(owner, which, strict=True)]
    return Pool(
        chosen, cache.track[chosen], owner, which, np.array(texts, np.int64), tuple(cache.ids[int(i)] for i in chosen)
    )


def score_pool(
    model: FigmaModel,
    cache: Features,
    pool: Pool,
    views: Sequence[View] = VIEWS,
    *,
    budget_mb: float = BUDGET_MB,
    progress: Progress | None = None,
) -> dict[View, Scores]:
    """Score matrices float32[A, C] by view. Raises InvalidDataError naming a clip whose scores are not finite.

    Equal captions are scored once: their scores tie exactly, whatever rounding does in batches of other shapes.
    """
    _, first, place = np.unique(pool.caption, return_index=True, return_inverse=True)
    states = [cache.text(int(pool.rows[pool.owner[c]]), int(pool.which[c])) for c in first]
    found = score(model, cache, pool.rows, embed_texts(model, states), views, budget_mb=budget_mb, progress=progress)
    scores = {view: matrix[:, place] for view, matrix in found.items()}
    for matrix in scores.values():
        check_finite(matrix, pool)
    return scores


def check_finite(scores: Scores, pool: Pool) -> None:
    """Raise InvalidDataError naming the clip or caption to which NaN or infinity in a score matrix [A, C] is due."""
    bad = ~np.isfinite(scores)
    if not bad.any():
        return
    clips, captions = bad.mean(axis=1), bad.mean(axis=0)
    if clips.max() >= captions.max():
        name = f"clip {pool.ids[int(clips.argmax())]}"
    else:
        name = f"the caption of clip {pool.ids[int(pool.owner[int(captions.argmax())])]}"
    raise InvalidDataError(
        f"{name}: its scores are NaN or infinite ({int(bad.sum())} of {bad.size} scores); look at its features "
        "(`figma cache DATA FOLDER --check`) and at the model's training"
    )


def relevance(pool: Pool, direction: str, same_caption: bool = False) -> Bools:
    """bool[queries, candidates] of a direction; ``same_caption``: equal captions answer each other's clips."""
    clips = len(pool.rows)
    if same_caption:
        t2a = metrics.duplicate_relevance(pool.owner, pool.caption, clips)
    else:
        t2a = metrics.own_relevance(pool.owner, clips)
    return t2a if direction == "t2a" else t2a.T


def directed(scores: Scores, direction: str) -> Scores:
    """A score matrix [A, C] as [queries, candidates] of a direction."""
    return scores.T if direction == "t2a" else scores


def ranks_of(scores: Scores, pool: Pool, direction: str, same_caption: bool = False) -> Ranks:
    """Ranks of all queries of a direction."""
    return metrics.rank(directed(scores, direction), relevance(pool, direction, same_caption))


def metrics_of(scores: Mapping[View, Scores], pool: Pool, cutoffs: Sequence[int] = CUTOFFS) -> dict[str, float]:
    """All metrics of score matrices as a flat dict."""
    out = pool.sizes()
    for view, matrix in scores.items():
        for direction in metrics.DIRECTIONS:
            for name, same in ((direction, False), (f"{direction}_same_caption", True)):
                found = metrics.summarise(ranks_of(matrix, pool, direction, same), cutoffs)
                out |= {f"{view}/{name}/{metric}": value for metric, value in found.items()}
    return out


def evaluate(
    model: FigmaModel,
    cache: Features,
    rows: Sequence[int] | npt.NDArray[np.int64],
    views: Sequence[View] = VIEWS,
    *,
    captions: Captions = "main",
    cutoffs: Sequence[int] = CUTOFFS,
    budget_mb: float = BUDGET_MB,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Evaluate ``model`` on ``rows`` of ``cache``.

    Returns a flat dict: ``pool/clips``, ``{view}/{t2a|a2t}/{R@K|median_rank|MRR}`` (shares in 0 .. 1) and the same with
    ``_same_caption``. Training calls this after each epoch.
    Raises NothingToDoError (less than two clips) and InvalidDataError (a score that is not finite; the row is named).
    """
    pool = make_pool(cache, rows, captions)
    return metrics_of(score_pool(model, cache, pool, views, budget_mb=budget_mb, progress=progress), pool, cutoffs)
