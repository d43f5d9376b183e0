"""Retrieval metrics of one score matrix: recall at K, median rank, mean reciprocal rank.

Conventions
-----------
- A score matrix is ``scores[q, n]``: queries by candidates, larger is better, finite. ``relevant[q, n]`` is True where
  candidate ``n`` answers query ``q``; every query has at least one.
- The rank of a query is that of its best-placed relevant candidate, counted from 1.
- **Ties** are broken at random, and every metric is the expected value over that: a model that gives all candidates the
  same score gets exactly what chance gets. With ``m`` relevant among the ``m + n`` candidates that share the best
  relevant score, the first relevant one stands at place ``j`` of the tied group with probability C(m+n-j, m-1) / C(m+n,
  m).
- Text to audio (``t2a``): queries are captions, candidates are clips. Audio to text (``a2t``): the other way round; a
  clip with several captions is found when one of them is.
- Which candidates are relevant is the caller's choice (:func:`own_relevance`, :func:`duplicate_relevance`). Candidates
  may also be ignored: they stand in nobody's way and answer nothing.

Metrics
-------
- ``R@K``: share of queries with a relevant candidate among the first K.
- ``median_rank``: median over queries of the expected rank.
- ``MRR``: mean over queries of the expected reciprocal rank.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from fgmcaps.common.errors import InvalidDataError

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CUTOFFS = (1, 5, 10, 20)
DIRECTIONS = ("t2a", "a2t")


@dataclass(frozen=True, slots=True)
class Ranks:
    """What the metrics need of each query, int64[Q] each.

    ``better``: irrelevant candidates above the best relevant one; ``tied``: irrelevant ones with the same score;
    ``relevant``: relevant ones with that score (at least 1).
    """

    better: Ints
    tied: Ints
    relevant: Ints

    def __len__(self) -> int:
        return len(self.better)


def validate(scores: Floats, relevant: Bools, rows: Sequence[object] | None = None) -> None:
    """Raise InvalidDataError for a shape mismatch, a score that is not finite, or a query without an answer.

    ``rows`` names the queries in the message; without it their numbers do.
    """
    if scores.ndim != 2 or scores.shape != relevant.shape:
        raise InvalidDataError(f"scores {scores.shape} and relevance {relevant.shape} must be one queries x candidates")
    if 0 in scores.shape:
        raise InvalidDataError(f"nothing to rank: {scores.shape[0]} queries and {scores.shape[1]} candidates")
    for wrong, what in (
        (~np.isfinite(scores).all(axis=1), "a score that is NaN or infinite; look at its features and the model"),
        (~relevant.any(axis=1), "no relevant candidate in the pool"),
    ):
        if wrong.any():
            first = int(np.argmax(wrong))
            name = first if rows is None else rows[first]
            raise InvalidDataError(f"query {name}: {what} ({int(wrong.sum())} of {wrong.size} queries)")


def rank(scores: Floats, relevant: Bools, ignored: Bools | None = None, block: int = 1024) -> Ranks:
    """Ranks of all queries. ``ignored``: bool[Q, N], candidates that are left out (a relevant one never is).

    ``block`` queries are looked at at once, to bound the memory.
    """
    out = np.empty((3, len(scores)), np.int64)
    for start in range(0, len(scores), block):
        rows = slice(start, start + block)
        part, answers = scores[rows], relevant[rows]
        best = np.where(answers, part, -np.inf).max(axis=1, keepdims=True)
        same, others = part == best, ~answers
        if ignored is not None:
            others &= ~ignored[rows]
        out[0, rows] = ((part > best) & others).sum(axis=1)
        out[1, rows] = (same & others).sum(axis=1)
        out[2, rows] = (same & answers).sum(axis=1)
    return Ranks(*out)


def hits(ranks: Ranks, k: int) -> Floats:
    """float64[Q]: probability that a relevant candidate is among the first ``k``; its mean is R@k."""
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    free = np.clip(k - ranks.better, 0, ranks.tied + ranks.relevant)  # places of the tied group within the first k
    return 1.0 - _none_in_first(ranks, free)


def _none_in_first(ranks: Ranks, places: Ints) -> Floats:
    """Probability that none of the relevant tied candidates is among the first ``places`` of the tied group."""
    n, m = ranks.tied, ranks.relevant
    possible = places <= n
    left = np.where(possible, n + m - places, m)
    log = _log_choose(left, m) - _log_choose(n + m, m)
    # Exactly 1 for no place and exactly 0 where the places outnumber the others: no rounding where there is no tie.
    return np.where(places == 0, 1.0, np.where(possible, np.exp(log), 0.0))


def _log_choose(n: Ints, k: Ints) -> Floats:
    out: Floats = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return out


def expected_rank(ranks: Ranks) -> Floats:
    """float64[Q]: expected rank of the first relevant candidate."""
    out: Floats = ranks.better + 1.0 + ranks.tied / (ranks.relevant + 1.0)
    return out


def reciprocal_rank(ranks: Ranks) -> Floats:
    """float64[Q]: expected reciprocal rank of the first relevant candidate."""
    out = 1.0 / (ranks.better + 1.0)
    ties = np.flatnonzero(ranks.tied)
    cases, which = np.unique(
        np.stack([ranks.better[ties], ranks.tied[ties], ranks.relevant[ties]], axis=1), axis=0, return_inverse=True
    )
    values = np.zeros(len(cases))
    for i, (better, tied, relevant) in enumerate(cases):
        place = np.arange(tied + 2)
        group = Ranks(*(np.broadcast_to(value, place.shape) for value in (better, tied, relevant)))
        at = -np.diff(_none_in_first(group, place))  # probability of place 1, 2, ... of the tied group
        values[i] = (at / (better + 1.0 + np.arange(len(at)))).sum()
    out[ties] = values[which.reshape(-1)]
    return out


def own_relevance(owner: Ints, clips: int) -> Bools:
    """bool[C, A]: caption ``c`` is answered by its own clip ``owner[c]`` alone, as in the published benchmark."""
    out = np.zeros((len(owner), clips), np.bool_)
    out[np.arange(len(owner)), owner] = True
    return out


def duplicate_relevance(owner: Ints, caption: Ints, clips: int) -> Bools:
    """bool[C, A]: as :func:`own_relevance`, but every clip that has an equal caption answers it too.

    ``caption``: int64[C], equal ids mean the same text. Two clips with one caption cannot be told apart by it.
    """
    _, group = np.unique(caption, return_inverse=True)
    has = np.zeros((int(group.max()) + 1, clips), np.bool_)
    has[group, owner] = True
    return has[group]


def evaluate(scores: Floats, relevant: Bools, cutoffs: Sequence[int] = CUTOFFS) -> dict[str, float]:
    """All metrics of one direction: ``{"R@1": ..., ..., "median_rank": ..., "MRR": ...}``, shares in 0 .. 1.

    ``scores``: float[Q, N]; ``relevant``: bool[Q, N]. Raises InvalidDataError as :func:`validate`.
    """
    validate(scores, relevant)
    return summarise(rank(scores, relevant), cutoffs)


def summarise(ranks: Ranks, cutoffs: Sequence[int] = CUTOFFS) -> dict[str, float]:
    """All metrics of ranked queries."""
    out = {f"R@{k}": float(hits(ranks, k).mean()) for k in cutoffs}
    out["median_rank"] = float(np.median(expected_rank(ranks)))
    out["MRR"] = float(reciprocal_rank(ranks).mean())
    return out


def per_query(ranks: Ranks, cutoffs: Sequence[int] = CUTOFFS) -> Mapping[str, Floats]:
    """What is averaged, by metric: float64[Q] each. Intervals and paired tests are made from these."""
    out = {f"R@{k}": hits(ranks, k) for k in cutoffs}
    return out | {"MRR": reciprocal_rank(ranks), "rank": expected_rank(ranks)}
