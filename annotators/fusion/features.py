"""Features of hypotheses for the fitted models: numbers by name.

A model is a list of named features; what a tool did not measure is NaN, for which every split of a tree has a side.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import log2, nan

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Row = dict[str, float]

_NEAR = 0.06  # octaves; a ratio this close to a named one is that one


def at(values: Sequence[float], index: int) -> float:
    """``values[index]``; NaN beyond either end."""
    return values[index] if 0 <= index < len(values) else nan


@lru_cache(maxsize=4096)
def nearest(value: float, named: tuple[float, ...]) -> int | None:
    """Index of the entry of ``named`` within 4 % of ``value``; None if there is none."""
    if not value > 0:
        return None
    gaps = [abs(log2(value / n)) for n in named]
    least = min(gaps)
    return gaps.index(least) if least <= _NEAR else None


def near_value(values: Sequence[float], axis: tuple[float, ...], value: float) -> float:
    """The entry of ``values`` whose place on ``axis`` is within 4 % of ``value``; NaN if there is none."""
    index = nearest(value, axis)
    return nan if index is None else at(values, index)


def table_of(rows: Sequence[Row], features: Sequence[str]) -> Floats:
    """Rows as float64[rows, features]; a feature that a row lacks is NaN."""
    return np.array([[row.get(name, nan) for name in features] for row in rows], dtype=np.float64).reshape(
        len(rows), len(features)
    )
