"""Tempo hypotheses and their evidence: every tool's tempo, its half, third, double, triple, and three to two."""

from collections.abc import Sequence
from math import isnan, log2, nan

import numpy as np

from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence
from fgmcaps.annotators.fusion.features import Row
from fgmcaps.annotators.fusion.hypotheses.rhythm_features import accents, pace, phase_fit, subdivision
from fgmcaps.annotators.fusion.tracker import Tracker

RATIOS = (1.0, 2.0, 1 / 2, 3 / 2, 2 / 3, 3.0, 1 / 3)
MIN_BPM, MAX_BPM = 28.0, 280.0
_SAME = 0.05  # octaves (3.5 %): two hypotheses this close are one
_RANGE = 2.5  # octaves; larger ratios count as this one


def tempo_hypotheses(clip: ClipEvidence) -> list[float]:
    """Candidate tempi in BPM, the most trusted tool's measure of each first; empty if no tool found a beat."""
    sources = _sources(clip)
    candidates = [bpm * ratio for ratio in RATIOS for bpm in sources]
    candidates += clip.tempo_peaks
    found: list[float] = []
    for bpm in candidates:
        if MIN_BPM <= bpm <= MAX_BPM and all(abs(log2(bpm / other)) > _SAME for other in found):
            found.append(bpm)
    return found


def tempo_rows(clip: ClipEvidence, hypotheses: Sequence[float]) -> list[Row]:
    """Features of each hypothesis."""
    sources, tool, times = _sources(clip), clip.tempo_tool, clip.chord_times
    rows = []
    for bpm in hypotheses:
        row = {
            "octaves": log2(bpm / 100.0),
            "agree": float(sum(abs(log2(source / bpm)) < _SAME for source in sources)),
            "slower": float(sum(log2(source / bpm) < -0.5 for source in sources)),
            "faster": float(sum(log2(source / bpm) > 0.5 for source in sources)),
            "essentia.ratio": _octaves(tool.bpm, bpm),
            "essentia.confidence": tool.confidence,
            "essentia.share": (
                nan if tool.candidates is None else _height(tool.candidates.tempo_bpm, tool.candidates.tempo_share, bpm)
            ),
            "chord_pace": pace(times, bpm),
            "chord_beat": phase_fit(times, 60.0 / bpm),
            "chord_two": phase_fit(times, 120.0 / bpm),
            "density": clip.onset_density * 60.0 / bpm,
            "percussive_share": clip.percussive_share,
        }
        for tracker in clip.trackers:
            row |= _tracker_row(tracker, bpm)
        rows.append(row)
    return rows


def _tracker_row(tracker: Tracker, bpm: float) -> Row:
    name, ratio, peaks = tracker.name, tracker.ratio(bpm), tracker.activations
    return {
        f"{name}.ratio": _octaves(tracker.bpm, bpm),
        f"{name}.bar_beats": tracker.own_bar / ratio if tracker.own_bar else nan,
        f"{name}.irregularity": nan if tracker.periods is None else tracker.periods.irregularity,
        f"{name}.likelihood": tracker.tempo_log_likelihood(bpm),
        f"{name}.likelihood_double": tracker.tempo_log_likelihood(2 * bpm),
        f"{name}.likelihood_triple": tracker.tempo_log_likelihood(3 * bpm),
        f"{name}.likelihood_half": tracker.tempo_log_likelihood(bpm / 2),
        f"{name}.strength": nan if peaks is None else _height(peaks.tempo_bpm, peaks.tempo_strength, bpm),
        f"{name}.lag": tracker.lag(ratio),
        f"{name}.lag_half": tracker.lag(ratio / 2),
        f"{name}.lag_third": tracker.lag(ratio / 3),
        f"{name}.lag_two": tracker.lag(ratio * 2),
        f"{name}.lag_three": tracker.lag(ratio * 3),
        f"{name}.lag_four": tracker.lag(ratio * 4),
        **subdivision(tracker, bpm),
        **accents(tracker, bpm),
    }


def _sources(clip: ClipEvidence) -> list[float]:
    return [tracker.bpm for tracker in clip.trackers] + ([] if isnan(clip.tempo_tool.bpm) else [clip.tempo_tool.bpm])


def _octaves(bpm: float, of: float) -> float:
    return nan if isnan(bpm) else float(np.clip(log2(bpm / of), -_RANGE, _RANGE))


def _height(peaks: Sequence[float], heights: Sequence[float], bpm: float) -> float:
    """The height of the tool's tempo peak at ``bpm``; 0 where it saw none."""
    near = [h for p, h in zip(peaks, heights, strict=False) if p > 0 and abs(log2(p / bpm)) < _SAME]
    return max(near, default=0.0)
