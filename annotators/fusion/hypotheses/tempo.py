"""Tempo hypotheses and their evidence: every tool's tempo, its half, third, double, triple, and three to two."""

from collections.abc import Sequence
from math import isnan, log2, nan

import numpy as np

from fgmcaps.annotators.fusion.evidence import Row, Tracker, audio_of, number, numbers, tempo_of, trackers_of
from fgmcaps.annotators.fusion.hypotheses.rhythm_evidence import accents, chord_times, pace, phase_fit, subdivision
from fgmcaps.schemas import Estimate

RATIOS = (1.0, 2.0, 1 / 2, 3 / 2, 2 / 3, 3.0, 1 / 3)
MIN_BPM, MAX_BPM = 28.0, 280.0
_SAME = 0.05  # octaves (3.5 %): two hypotheses this close are one
_RANGE = 2.5  # octaves beyond which a ratio says no more
ESSENTIA = "essentia_rhythm"


def tempo_hypotheses(estimates: Sequence[Estimate]) -> list[float]:
    """Candidate tempi in BPM, the most trusted tool's measure of each first; empty if no tool found a beat."""
    sources = _sources(estimates)
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
    trackers, sources = trackers_of(estimates), _sources(estimates)
    essentia, ticks = tempo_of(estimates, ESSENTIA)
    sound, times = audio_of(estimates), chord_times(estimates)
    rows = []
    for bpm in hypotheses:
        row = {
            "octaves": log2(bpm / 100.0),
            "agree": float(sum(abs(log2(source / bpm)) < _SAME for source in sources)),
            "slower": float(sum(log2(source / bpm) < -0.5 for source in sources)),
            "faster": float(sum(log2(source / bpm) > 0.5 for source in sources)),
            "essentia.ratio": _octaves(ticks, bpm),
            "essentia.confidence": nan if essentia is None or essentia.confidence is None else essentia.confidence,
            "essentia.share": _share(essentia, "tempo_share", bpm),
            "chord_pace": pace(times, bpm),
            "chord_beat": phase_fit(times, 60.0 / bpm),
            "chord_two": phase_fit(times, 120.0 / bpm),
            "density": sound["onset_density"] * 60.0 / bpm,
            "percussive_share": sound["percussive_share"],
        }
        for tracker in trackers:
            row |= _tracker_row(tracker, bpm)
        rows.append(row)
    return rows


def _tracker_row(tracker: Tracker, bpm: float) -> Row:
    name, ratio = tracker.name, tracker.ratio(bpm)
    own_bar = max(tracker.grid.positions, default=0)
    return {
        f"{name}.ratio": _octaves(tracker.bpm, bpm),
        f"{name}.bar_beats": own_bar / ratio if own_bar else nan,
        f"{name}.irregularity": number(tracker.estimate, "irregularity"),
        f"{name}.likelihood": tracker.hypothesis(bpm),
        f"{name}.likelihood_double": tracker.hypothesis(2 * bpm),
        f"{name}.likelihood_triple": tracker.hypothesis(3 * bpm),
        f"{name}.likelihood_half": tracker.hypothesis(bpm / 2),
        f"{name}.strength": _share(tracker.estimate, "tempo_strength", bpm),
        f"{name}.lag": tracker.lag(ratio),
        f"{name}.lag_half": tracker.lag(ratio / 2),
        f"{name}.lag_third": tracker.lag(ratio / 3),
        f"{name}.lag_two": tracker.lag(ratio * 2),
        f"{name}.lag_three": tracker.lag(ratio * 3),
        f"{name}.lag_four": tracker.lag(ratio * 4),
        **subdivision(tracker, bpm),
        **accents(tracker, bpm),
    }


def _sources(estimates: Sequence[Estimate]) -> list[float]:
    ticks = tempo_of(estimates, ESSENTIA)[1]
    return [tracker.bpm for tracker in trackers_of(estimates)] + ([] if isnan(ticks) else [ticks])


def _octaves(bpm: float, of: float) -> float:
    return nan if isnan(bpm) else float(np.clip(log2(bpm / of), -_RANGE, _RANGE))


def _share(estimate: Estimate | None, name: str, bpm: float) -> float:
    """The height of the tool's tempo peak at ``bpm``; 0 where it saw none, NaN where it does not say."""
    if estimate is None or "tempo_bpm" not in estimate.details:
        return nan
    peaks, heights = numbers(estimate, "tempo_bpm"), numbers(estimate, name)
    near = [h for p, h in zip(peaks, heights, strict=False) if p > 0 and abs(log2(p / bpm)) < _SAME]
    return float(max(near, default=0.0))
