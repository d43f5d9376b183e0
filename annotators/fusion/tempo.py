"""Tempo of beat times."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

MIN_BEATS = 3
_REGULAR = 0.125  # an interval this close to the median, as a share of it, belongs to the pulse


def median_tempo(times: Sequence[float]) -> float | None:
    """60 / median beat interval in BPM, as MusicBench defines tempo; None below 3 beats."""
    return None if len(times) < MIN_BEATS else 60.0 / median(b - a for a, b in pairwise(times))


def pulse(times: Sequence[float]) -> tuple[float, float] | None:
    """``(BPM, regularity)`` of beat times in seconds; None below 3 beats.

    The median interval is quantised by the tool's frame (20 ms at 120 BPM is 4 %), so the tempo is the mean of the
    intervals near the median; regularity is their share, 0 .. 1.
    """
    if len(times) < MIN_BEATS:
        return None
    intervals = [b - a for a, b in pairwise(times)]
    middle = median(intervals)
    kept = [i for i in intervals if abs(i - middle) <= _REGULAR * middle]
    return (60.0 * len(kept) / sum(kept), len(kept) / len(intervals)) if kept else (60.0 / middle, 0.0)
