"""What a beat tracker's activations show beyond the beats that it chose: octaves, bar lengths, regularity.

Conventions
-----------
Activations are float[frames, 2]: probability of a beat that is not a downbeat, and of a downbeat; their sum is the
probability of any beat. Times in seconds, tempi in BPM. "On the beat" is the maximum within 20 ms. All values are for a
classifier to weigh; none is a decision.
"""

import numpy as np

from fgmcaps.annotators.evidence.base import rounded
from fgmcaps.annotators.evidence.beats import BeatActivations, BeatPeriods
from fgmcaps.annotators.measure.curves import Floats, autocorrelation, near_lag, off_beat, sampled

MIN_BPM, MAX_BPM = 30.0, 300.0
CANDIDATES = 4
MIN_BEATS = 3


def beat_activations(activations: Floats, fps: int, times: tuple[float, ...]) -> BeatActivations:
    """``activations`` on the beats ``times`` that a tracker chose from them, and the tempi that they suggest."""
    beat, down = _curves(activations)
    at = np.asarray(times)
    bpm, strength = tempo_peaks(beat, fps)
    return BeatActivations(
        beat_activation=rounded(sampled(beat, at, fps), 2),
        downbeat_activation=rounded(sampled(down, at, fps), 2),
        tempo_bpm=rounded(bpm, 2),
        tempo_strength=rounded(strength),
    )


def beat_periods(activations: Floats, fps: int, times: tuple[float, ...]) -> BeatPeriods | None:
    """How ``activations`` repeat, in the beats ``times``; None below three beats."""
    beat, down = _curves(activations)
    at = np.asarray(times)
    if at.size < MIN_BEATS:
        return None
    interval = float(np.median(np.diff(at)))
    on = sampled(beat, at, fps)
    contrast, margin, phase = bar_phases(sampled(down, at, fps))
    level = max(float(on.mean()), 1e-3)
    correlation, down_correlation = autocorrelation(beat), autocorrelation(down)
    return BeatPeriods(
        bar_contrast=rounded(contrast),
        bar_margin=rounded(margin),
        bar_phase=tuple(float(p) for p in phase),
        between=rounded([off_beat(beat, at, fps, part) / level for part in BeatPeriods.PLACES]),
        every=rounded([_best_phase(on, n)[0] for n in BeatPeriods.EVERY]),
        lag_ratio=rounded([near_lag(correlation, ratio * interval * fps) for ratio in BeatPeriods.LAG_RATIOS]),
        downbeat_lag=rounded([near_lag(down_correlation, n * interval * fps) for n in BeatPeriods.BARS]),
        irregularity=round(float(np.std(np.diff(at)) / interval), 4),
    )


def _curves(activations: Floats) -> tuple[Floats, Floats]:
    """Any beat and downbeat: float64[frames] each."""
    both = np.asarray(activations, np.float64)
    return both.sum(axis=1), both[:, 1]


def bar_phases(on_beat: Floats) -> tuple[list[float], list[float], list[int]]:
    """How well bars of 2 .. 7 beats fit the downbeat activation on the beats: ``(contrast, margin, phase)``.

    For a bar of n, phase p (0 .. n-1) claims beats p, p + n, ... as downbeats. The best phase has the highest mean;
    contrast = its mean less the mean of the other beats; margin = its mean less that of the next best phase.
    Bars longer than the beats count 0.
    """
    found = [_best_phase(on_beat, n) for n in BeatPeriods.BARS]
    return [c for c, _, _ in found], [m for _, m, _ in found], [p for _, _, p in found]


def tempo_peaks(curve: Floats, fps: int) -> tuple[list[float], list[float]]:
    """Tempi in BPM of the highest peaks of the autocorrelation between 30 and 300 BPM, and their heights."""
    values = autocorrelation(curve)
    low, high = max(1, int(60 * fps / MAX_BPM)), min(int(60 * fps / MIN_BPM) + 1, values.size - 1)
    if high - low < 2:
        return [], []
    left, middle, right = values[low - 1 : high - 1], values[low:high], values[low + 1 : high + 1]
    peaks = np.flatnonzero((middle > left) & (middle >= right) & (middle > 0.02))
    peaks = peaks[np.argsort(-middle[peaks], kind="stable")][:CANDIDATES]
    bend = left[peaks] - 2 * middle[peaks] + right[peaks]
    shift = 0.5 * (left[peaks] - right[peaks]) / np.where(bend < 0, bend, -1.0)
    return [60 * fps / (low + p + s) for p, s in zip(peaks, shift, strict=True)], [float(middle[p]) for p in peaks]


def _best_phase(on: Floats, n: int) -> tuple[float, float, int]:
    """Every n-th beat of the best phase: its mean less that of all others, less that of the next phase, the phase."""
    if on.size <= n:
        return 0.0, 0.0, 0
    means = np.array([on[p::n].mean() for p in range(n)])
    best = int(np.argmax(means))
    others = np.delete(on, np.s_[best::n])
    return float(means[best] - others.mean()), float(means[best] - np.delete(means, best).max()), best
