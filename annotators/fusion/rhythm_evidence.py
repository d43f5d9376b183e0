"""What a clip's estimates say of its rhythm as a whole, whatever the hypothesis: features shared by tempo and meter."""

from collections.abc import Sequence
from math import log2, nan

import numpy as np

from schemas import Estimate

from .evidence import Row, Tracker, at, audio_of, changes, number, numbers, spans_by_tool

_DUPLE, _TRIPLE, _QUAD = (2,), (1, 3), (0, 4)  # of 1/4, 1/3, 1/2, 2/3, 3/4 of the way to the next beat


def clip_rhythm(estimates: Sequence[Estimate], trackers: Sequence[Tracker]) -> Row:
    """One row: regularity, subdivision and accents by tracker, and the signal's own density."""
    row: Row = {}
    for tracker in trackers:
        name, estimate = tracker.name, tracker.estimate
        between, every = numbers(estimate, "between"), numbers(estimate, "every")
        on = numbers(estimate, "beat_activation")
        row |= {
            f"{name}.regularity": tracker.regularity,
            f"{name}.irregularity": number(estimate, "irregularity"),
            f"{name}.on": float(on.mean()) if on.size else nan,
            f"{name}.duple": _mean(between, _DUPLE),
            f"{name}.triple": _mean(between, _TRIPLE),
            f"{name}.quad": _mean(between, _QUAD),
            f"{name}.every2": at(every, 0),
            f"{name}.every3": at(every, 1),
            f"{name}.every4": at(every, 2),
            f"{name}.own_bar": float(max(tracker.grid.positions, default=0)),
        }
        for band, label in ((0, "low"), (-1, "high")):
            row |= _onsets(estimate, name, band, label)
    sound = audio_of(estimates)
    row |= {"percussive_share": sound["percussive_share"], "onset_density": sound["onset_density"]}
    return row


def chord_change_fit(estimates: Sequence[Estimate], period: float) -> float:
    """How well chord changes keep to one place in a period of seconds: 0 .. 1, NaN below two changes.

    Length of the mean of exp(2 pi i t / period) over the changes: 1 if all fall on one phase.
    """
    spans = spans_by_tool(estimates)
    times = changes(next(iter(spans.values()))) if spans else np.zeros(0)
    if times.size < 2:
        return nan
    return float(np.abs(np.mean(np.exp(2j * np.pi * times / period))))


def chord_pace(estimates: Sequence[Estimate], bpm: float) -> float:
    """Octaves of the median time between chord changes over a beat; NaN below two changes."""
    spans = spans_by_tool(estimates)
    times = changes(next(iter(spans.values()))) if spans else np.zeros(0)
    gaps = np.diff(times)
    gaps = gaps[gaps > 0.1]
    return log2(float(np.median(gaps)) * bpm / 60.0) if gaps.size else nan


def _mean(values: np.ndarray, index: tuple[int, ...]) -> float:
    return float(values[list(index)].mean()) if values.size > max(index) else nan


def _onsets(estimate: Estimate, name: str, band: int, label: str) -> Row:
    bands = estimate.details.get("onset_between")
    if not isinstance(bands, list) or not bands or not isinstance(bands[band], list):
        return {}
    values = np.asarray(bands[band], dtype=np.float64)  # on the beat, then the five places between
    on = max(float(values[0]), 0.05)
    return {
        f"{name}.{label}_on": float(values[0]),
        f"{name}.{label}_duple": float(values[3]) / on,
        f"{name}.{label}_triple": float(values[[2, 4]].mean()) / on,
        f"{name}.{label}_quad": float(values[[1, 5]].mean()) / on,
    }
