"""Tempo hypotheses and their evidence: every tool's tempo, its half, third, double, triple, and three to two."""

from collections.abc import Sequence
from math import isnan, log2, nan

import numpy as np

from schemas import Estimate

from .evidence import Row, Tracker, numbers, tempo_of, trackers_of
from .rhythm_evidence import chord_change_fit, chord_pace, clip_rhythm

RATIOS = (1.0, 2.0, 1 / 2, 3 / 2, 2 / 3, 3.0, 1 / 3)
MIN_BPM, MAX_BPM = 28.0, 280.0
_SAME = 0.05  # octaves (3.5 %): two hypotheses this close are one
_RANGE = 2.5  # octaves beyond which a ratio says no more
ESSENTIA = "essentia_rhythm"


def tempo_hypotheses(estimates: Sequence[Estimate]) -> list[float]:
    """Candidate tempi in BPM, the most trusted tool's measure of each first; empty if no tool found a beat."""
    sources = [tracker.bpm for tracker in trackers_of(estimates)]
    ticks = tempo_of(estimates, ESSENTIA)[1]
    sources += [] if isnan(ticks) else [ticks]
    candidates = [bpm * ratio for ratio in RATIOS for bpm in sources]
    for estimate in estimates:  # peaks that a tool saw and did not choose
        candidates += numbers(estimate, "tempo_bpm").tolist() if estimate.attribute in ("beats", "tempo") else []
    found: list[float] = []
    for bpm in candidates:
        if MIN_BPM <= bpm <= MAX_BPM and all(abs(log2(bpm / other)) > _SAME for other in found):
            found.append(bpm)
    return found


def tempo_rows(estimates: Sequence[Estimate], hypotheses: Sequence[float]) -> list[Row]:
    """Features of each hypothesis."""
    trackers = trackers_of(estimates)
    whole = clip_rhythm(estimates, trackers)
    essentia, ticks = tempo_of(estimates, ESSENTIA)
    sources = [t.bpm for t in trackers] + ([] if isnan(ticks) else [ticks])
    rows = []
    for bpm in hypotheses:
        row = dict(whole)
        row["octaves"] = log2(bpm / 100.0)
        row["agree"] = float(sum(abs(log2(source / bpm)) < _SAME for source in sources))
        for tracker in trackers:
            row |= _tracker_row(tracker, bpm)
        row["essentia.ratio"] = _octaves(ticks, bpm)
        row["essentia.confidence"] = nan if essentia is None or essentia.confidence is None else essentia.confidence
        row["essentia.share"] = _share(essentia, "tempo_share", bpm)
        row["chord_pace"] = chord_pace(estimates, bpm)
        row["chord_beat"] = chord_change_fit(estimates, 60.0 / bpm)
        row["chord_two"] = chord_change_fit(estimates, 120.0 / bpm)
        row["density"] = row["onset_density"] * 60.0 / bpm
        rows.append(row)
    return rows


def _tracker_row(tracker: Tracker, bpm: float) -> Row:
    name, ratio = tracker.name, tracker.ratio(bpm)
    own_bar = max(tracker.grid.positions, default=0)
    row = {
        f"{name}.ratio": _octaves(tracker.bpm, bpm),
        f"{name}.bar_beats": own_bar / ratio if own_bar else nan,
        f"{name}.likelihood": tracker.hypothesis(bpm),
        f"{name}.likelihood3": tracker.hypothesis(bpm, 3) - tracker.hypothesis(bpm, 4),
        f"{name}.likelihood2": tracker.hypothesis(bpm, 2) - tracker.hypothesis(bpm, 4),
        f"{name}.likelihood_double": tracker.hypothesis(2 * bpm),
        f"{name}.likelihood_triple": tracker.hypothesis(3 * bpm),
        f"{name}.strength": _share(tracker.estimate, "tempo_strength", bpm),
        f"{name}.lag": tracker.lag(ratio),
        f"{name}.lag_half": tracker.lag(ratio / 2),
        f"{name}.lag_third": tracker.lag(ratio / 3),
        f"{name}.lag_two": tracker.lag(ratio * 2),
        f"{name}.lag_three": tracker.lag(ratio * 3),
        f"{name}.lag_four": tracker.lag(ratio * 4),
    }
    for beats in (2, 3, 4, 5, 6):
        row[f"{name}.loglik{beats}"] = tracker.bar_log_likelihood(beats)
    return row


def _octaves(bpm: float, of: float) -> float:
    return nan if isnan(bpm) else float(np.clip(log2(bpm / of), -_RANGE, _RANGE))


def _share(estimate: Estimate | None, name: str, bpm: float) -> float:
    """The height of the tool's tempo peak at ``bpm``; 0 where it saw none, NaN where it does not say."""
    if estimate is None or "tempo_bpm" not in estimate.details:
        return nan
    peaks, heights = numbers(estimate, "tempo_bpm"), numbers(estimate, name)
    near = [h for p, h in zip(peaks, heights, strict=False) if p > 0 and abs(log2(p / bpm)) < _SAME]
    return float(max(near, default=0.0))
