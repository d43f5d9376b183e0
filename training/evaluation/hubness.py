"""Hubness: do a few clips crowd the results of all queries?

Conventions
-----------
- ``scores[q, n]``: queries by candidates, finite, larger is better. ``N_k(n)`` is the number of queries that have
  candidate ``n`` among their first ``k`` (Radovanovic et al., JMLR 2010). Its mean is ``Q k / N`` whatever the model
  does.
- Ties are broken at random, for each query anew, and every figure is the expected value: with a constant model ``N_k``
  is the same for all candidates (skewness 0), and the distinct first results are those of chance.

Metrics
-------
- ``N_k_skewness``: third standardised moment of ``N_k``; 0 for even use, large where hubs rule.
- ``distinct_top1``: number of candidates that are the first result of some query.
- ``never_retrieved``: share of candidates that are in no query's first ``k``.
- ``largest_hub``: share of the queries whose first ``k`` hold the most frequent candidate.
"""

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.floating]

HUB_K = 10


def occurrences(scores: Floats, k: int = HUB_K, block: int = 1024) -> tuple[Floats, Floats]:
    """``(N_k, missed)``, float64[N] each.

    ``N_k``: expected number of queries that have a candidate among their first ``k``; ``missed``: probability that none
    has.
    """
    candidates = scores.shape[1]
    k = min(k, candidates)
    count, missed = np.zeros(candidates), np.ones(candidates)
    for start in range(0, len(scores), block):
        part = scores[start : start + block]
        edge = np.partition(part, candidates - k, axis=1)[:, candidates - k, None]  # the score at place k
        above, tied = part > edge, part == edge
        share = (k - above.sum(axis=1, keepdims=True)) / tied.sum(axis=1, keepdims=True)
        among = above + tied * share
        count += among.sum(axis=0)
        missed *= (1.0 - among).prod(axis=0)
    return count, missed


def hubness(scores: Floats, k: int = HUB_K) -> dict[str, float]:
    """All metrics of one direction. ``scores``: float[Q, N]."""
    found, missed = occurrences(scores, k)
    even = bool(np.ptp(found) < 1e-9)
    return {
        f"N_{k}_skewness": 0.0 if even else float(stats.skew(found)),
        "distinct_top1": float((1.0 - occurrences(scores, 1)[1]).sum()),
        "never_retrieved": float(missed.mean()),
        "largest_hub": float(found.max() / len(scores)),
    }
