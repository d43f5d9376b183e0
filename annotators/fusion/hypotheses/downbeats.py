"""Where the bars begin: beats of the chosen tempo from a tracker's, and a hypothesis for each place of the bar line."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence
from fgmcaps.annotators.fusion.features import Floats, Row, nearest
from fgmcaps.annotators.fusion.tracker import Tracker

RATIOS = (1.0, 2.0, 1 / 2, 3.0, 3 / 2, 2 / 3, 1 / 3, 4.0)
"""Tracker's beats in a felt beat, the readiest first."""
_NEAR_CHANGE_S = 0.12


@dataclass(frozen=True, eq=False)
class Bars:
    """One hypothesis: beat and downbeat times in seconds, and where its bars begin among the tracker's beats."""

    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    phase: int


@dataclass(frozen=True, eq=False)
class Grid:
    """A tracker whose beats carry the chosen tempo: ``ratio`` of its beats make a felt one."""

    tracker: Tracker
    ratio: float


def grid_of(clip: ClipEvidence, bpm: float) -> Grid | None:
    """The tracker to take beats from at ``bpm``: one that counts the felt beat, else one that divides or groups it."""
    for ratio in RATIOS:
        for tracker in clip.trackers:
            if nearest(tracker.ratio(bpm), (ratio,)) is not None:
                return Grid(tracker, ratio)
    return None


def bar_hypotheses(grid: Grid, beats_per_bar: int, seconds: float) -> list[Bars]:
    """Every place where bars of ``beats_per_bar`` felt beats can begin; ``seconds`` is the clip's length.

    Felt beats that fall between the tracker's are interpolated, those before its first and after its last extrapolated.
    """
    times = np.asarray(grid.tracker.grid.times)
    index = np.arange(times.size, dtype=np.float64)
    step = grid.ratio
    length = beats_per_bar * step
    # A bar may begin on any of the tracker's beats or, where it groups felt beats, between two of them.
    stride = min(1.0, step)
    out = []
    for k in range(round(length / stride)):
        first = k * stride
        low, high = int(np.floor((-2.0 - first) / step)), int(np.ceil((index[-1] + 2.0 - first) / step))
        numbers_ = np.arange(low, high + 1)
        at: Floats = first + numbers_ * np.float64(step)
        when = _when(times, at)
        inside = (when >= 0.0) & (when < seconds)
        beats = tuple(round(float(t), 4) for t in when[inside])
        down = tuple(round(float(t), 4) for t in when[inside & (numbers_ % beats_per_bar == 0)])
        out.append(Bars(beats, down, k))
    return out


def _when(times: Floats, index: Floats) -> Floats:
    """Times at fractional beat numbers, straight lines beyond both ends."""
    inner = np.interp(index, np.arange(times.size), times)
    first = np.median(np.diff(times[:5]))
    last = np.median(np.diff(times[-5:]))
    end = times.size - 1
    before, after = times[0] + index * first, times[-1] + (index - end) * last
    return np.asarray(np.where(index < 0, before, np.where(index > end, after, inner)))


def bar_rows(clip: ClipEvidence, grid: Grid, beats_per_bar: int, hypotheses: Sequence[Bars]) -> list[Row]:
    """Features of each hypothesis, most of them relative to the other places of the bar line."""
    columns: dict[str, list[float]] = {}
    for tracker in clip.trackers:
        times = np.asarray(tracker.grid.times)
        own = np.asarray([t for t, p in zip(times, tracker.grid.positions, strict=True) if p == 1])
        for name, values in (
            ("down", tracker.on_downbeat),
            ("on", tracker.on_beat),
            ("low", tracker.low_onsets),
            ("all", tracker.all_onsets),
        ):
            columns[f"{tracker.name}.{name}"] = [_mean_at(times, values, h.downbeats) for h in hypotheses]
        columns[f"{tracker.name}.own"] = [_share_near(h.downbeats, own, 0.07) for h in hypotheses]
        columns[f"{tracker.name}.own_back"] = [_share_near(own, h.downbeats, 0.07) for h in hypotheses]
    for rank, changed in enumerate(tool.changes for tool in clip.recognisers):
        columns[f"chords{rank}.change"] = [_share_near(changed, h.downbeats, _NEAR_CHANGE_S) for h in hypotheses]
        columns[f"chords{rank}.changed"] = [_share_near(h.downbeats, changed, _NEAR_CHANGE_S) for h in hypotheses]
    rows: list[Row] = [{} for _ in hypotheses]
    for name, column in columns.items():
        for row, value, other in zip(rows, column, _best_other(column), strict=True):
            row[name], row[f"{name}.lead"] = value, value - other
    for row, _ in zip(rows, hypotheses, strict=True):
        row |= {"beats": float(beats_per_bar), "ratio": grid.ratio, "hypotheses": float(len(hypotheses))}
    return rows


def _mean_at(times: Floats, values: Floats, wanted: Sequence[float]) -> float:
    """Mean of a tracker's ``values`` (one a beat) at its beats within 70 ms of ``wanted``; NaN if there is none."""
    if values.size != times.size or not wanted:
        return nan
    gap = np.abs(times[:, None] - np.asarray(wanted)[None, :]).min(axis=1)
    near = gap < 0.07
    return float(values[near].mean()) if near.any() else nan


def _share_near(times: Sequence[float] | Floats, others: Sequence[float] | Floats, reach: float) -> float:
    a, b = np.asarray(times, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if a.size == 0 or b.size == 0:
        return nan if a.size == 0 else 0.0
    return float((np.abs(a[:, None] - b[None, :]).min(axis=1) < reach).mean())


def _best_other(values: Sequence[float]) -> list[float]:
    """For each value the highest of the others; NaN if they are."""
    out = []
    for i in range(len(values)):
        others = [v for j, v in enumerate(values) if j != i and not np.isnan(v)]
        out.append(max(others, default=nan))
    return out
