"""Bootstrap intervals of a figure over clips, or over groups of clips that stand or fall together."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.intp]


def bootstrap_interval(
    figure: Callable[[Indices], float],
    groups: Sequence[str] | int,
    *,
    level: float = 0.95,
    rounds: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of ``figure(indices of clips)``; Efron, Tibshirani, "An Introduction to the Bootstrap", 1993.

    ``groups``: the group of every clip, then whole groups are drawn (clips of one style are alike, so an interval over
    clips would be too narrow), or a number of clips, then clips are drawn. Rounds without a figure (NaN) are left out;
    ``(nan, nan)`` if none has one.
    """
    random = np.random.default_rng(seed)
    if isinstance(groups, int):
        members = [np.array([i]) for i in range(groups)]
    else:
        names = np.asarray(groups)
        members = [np.flatnonzero(names == name) for name in sorted(set(groups))]
    if not members:
        return float("nan"), float("nan")
    values = []
    for _ in range(rounds):
        drawn = random.integers(0, len(members), len(members))
        values.append(figure(np.concatenate([members[i] for i in drawn])))
    found = np.array([v for v in values if not np.isnan(v)])
    if found.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
