"""What a beat tracker's activations say beyond the beats it chose: octaves, bar lengths, regularity. Pure.

Conventions
-----------
Activations are float[frames, 2]: probability of a beat that is no downbeat, and of a downbeat; their sum is the
probability of any beat. Times in seconds, tempi in BPM. "On the beat" is the maximum within 20 ms. All values are for a
classifier to weigh; none is a decision. Lists of a clip without enough beats are empty or zero.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.frames import rounded
from fgmcaps.schemas.estimate import Detail

Floats = npt.NDArray[np.floating[Any]]

BARS = (2, 3, 4, 5, 6, 7)
BETWEEN = (0.25, 1 / 3, 0.5, 2 / 3, 0.75)
LAG_RATIOS = (1 / 3, 1 / 2, 2 / 3, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0, 6.0)
MIN_BPM, MAX_BPM = 30.0, 300.0
CANDIDATES = 4
MIN_BEATS = 3
_REACH_S = 0.02


def beat_evidence(activations: Floats, fps: int, times: tuple[float, ...]) -> dict[str, Detail]:
    """Evidence around the beats ``times`` that a tracker chose from ``activations``.

    - ``beat_activation``, ``downbeat_activation``: on each beat, any beat and downbeat;
    - ``bar_contrast``, ``bar_margin``, ``bar_phase``: for 2 .. 7 beats a bar (:func:`bar_phases`);
    - ``between``: mean activation at 1/4, 1/3, 1/2, 2/3, 3/4 of the way to the next beat, relative to on the beat;
    - ``every``: how much stronger every 2nd, 3rd and 4th beat is than the others, best phase;
    - ``lag_ratio``: autocorrelation at 1/3, 1/2, 2/3, 1, 4/3, 3/2, 2, 3, 4 and 6 beat periods, any beat;
      ``downbeat_lag``: of the downbeat activation at 2 .. 7 beat periods;
    - ``tempo_bpm``, ``tempo_strength``: peaks of the autocorrelation, strongest first;
    - ``irregularity``: standard deviation of the beat intervals over their median.
    """
    beat = np.asarray(activations, np.float64).sum(axis=1)
    down = np.asarray(activations, np.float64)[:, 1]
    at = np.asarray(times)
    on, on_down = sampled(beat, at, fps), sampled(down, at, fps)
    bpm, strength = tempo_peaks(beat, fps)
    out: dict[str, Detail] = {
        "beat_activation": rounded(on, 2),
        "downbeat_activation": rounded(on_down, 2),
        "tempo_bpm": rounded(bpm, 2),
        "tempo_strength": rounded(strength),
    }
    if at.size < MIN_BEATS:
        return out
    interval = float(np.median(np.diff(at)))
    contrast, margin, phase = bar_phases(on_down)
    level = max(float(on.mean()), 1e-3)
    correlation, down_correlation = autocorrelation(beat), autocorrelation(down)
    lags = [ratio * interval * fps for ratio in LAG_RATIOS]
    out |= {
        "bar_contrast": rounded(contrast),
        "bar_margin": rounded(margin),
        "bar_phase": [float(p) for p in phase],
        "between": rounded([off_beat(beat, at, fps, part) / level for part in BETWEEN]),
        "every": rounded([_best_phase(on, n)[0] for n in (2, 3, 4)]),
        "lag_ratio": rounded([_near(correlation, lag) for lag in lags]),
        "downbeat_lag": rounded([_near(down_correlation, n * interval * fps) for n in BARS]),
        "irregularity": round(float(np.std(np.diff(at)) / interval), 4),
    }
    return out


def onset_evidence(onsets: Floats, fps: int, times: tuple[float, ...]) -> dict[str, Detail]:
    """Onset strength of the signal itself around the beats: [frames, bands], from low to high.

    ``onset_between``: for each band the mean on the beat and at 1/4, 1/3, 1/2, 2/3 and 3/4 of the way to the next one,
    relative to the band's mean; ``onset_low`` and ``onset_all``: on each beat, lowest band and sum of bands, relative
    to their mean; ``onset_lag``: for each band the autocorrelation at the lags of ``lag_ratio``.
    """
    at = np.asarray(times)
    if at.size < MIN_BEATS:
        return {}
    relative = np.asarray(onsets, np.float64) / np.maximum(np.mean(onsets, axis=0), 1e-9)
    summed = np.asarray(np.sum(onsets, axis=1, dtype=np.float64))
    summed = np.asarray(summed / max(float(summed.mean()), 1e-9))
    return {
        "onset_between": [
            rounded([sampled(band, at, fps).mean(), *(off_beat(band, at, fps, part) for part in BETWEEN)], 2)
            for band in relative.T
        ],
        "onset_low": rounded(sampled(relative[:, 0], at, fps), 1),
        "onset_all": rounded(sampled(summed, at, fps), 1),
        "onset_lag": onset_lag(onsets, fps, times),
    }


def onset_lag(onsets: Floats, fps: int, times: tuple[float, ...]) -> list[list[float]]:
    """Autocorrelation of each onset band [frames, bands] at ``LAG_RATIOS`` of the median beat interval: bands lists."""
    interval = float(np.median(np.diff(times)))
    curves = [autocorrelation(band) for band in np.asarray(onsets, np.float64).T]
    return [rounded([_near(curve, ratio * interval * fps) for ratio in LAG_RATIOS], 2) for curve in curves]


def sampled(curve: Floats, at: Floats, fps: int) -> Floats:
    """Maximum of ``curve`` [frames] within 20 ms of each time of ``at``; zero outside the clip."""
    reach = max(1, round(_REACH_S * fps))
    padded = np.pad(curve, reach)
    widest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    index = np.rint(np.asarray(at, np.float64) * fps).astype(np.int64)
    inside = (index >= 0) & (index < curve.size)
    return np.asarray(np.where(inside, widest[np.clip(index, 0, curve.size - 1)], 0.0))


def off_beat(curve: Floats, at: Floats, fps: int, part: float) -> float:
    """Mean of ``curve`` at ``part`` of the way from each beat to the next."""
    return float(sampled(curve, at[:-1] + part * np.diff(at), fps).mean())


def bar_phases(on_beat: Floats) -> tuple[list[float], list[float], list[int]]:
    """How well bars of 2 .. 7 beats fit the downbeat activation on the beats: ``(contrast, margin, phase)``.

    For a bar of n, phase p (0 .. n-1) claims beats p, p + n, ... as downbeats. The best phase has the highest mean;
    contrast = its mean less the mean of the other beats; margin = its mean less that of the next best phase.
    Bars longer than the beats count 0.
    """
    found = [_best_phase(on_beat, n) for n in BARS]
    return [c for c, _, _ in found], [m for _, m, _ in found], [p for _, _, p in found]


def autocorrelation(curve: Floats) -> Floats:
    """Normalised, unbiased autocorrelation of ``curve`` less its mean: [frames], 1 at lag 0; zeros for a constant."""
    centred = np.asarray(curve, np.float64) - np.mean(curve)
    size = centred.size
    spectrum = np.fft.rfft(centred, 2 * size)
    raw = np.fft.irfft(spectrum * spectrum.conj())[:size]
    if raw[0] <= 1e-9 * size:
        return np.zeros(size)
    return np.asarray(raw / raw[0] * size / (size - np.arange(size)))


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


def _near(values: Floats, lag: float) -> float:
    """Highest value within 4 % (one frame at least) of a lag in frames; 0 beyond two thirds of the clip."""
    reach = max(1.0, 0.04 * lag)
    low, high = int(np.floor(lag - reach)), int(np.ceil(lag + reach)) + 1
    return 0.0 if high > 0.67 * values.size else float(values[max(1, low) : high].max())


def _best_phase(on: Floats, n: int) -> tuple[float, float, int]:
    """Every n-th beat of the best phase: its mean less that of all others, less that of the next phase, the phase."""
    if on.size <= n:
        return 0.0, 0.0, 0
    means = np.array([on[p::n].mean() for p in range(n)])
    best = int(np.argmax(means))
    others = np.delete(on, np.s_[best::n])
    return float(means[best] - others.mean()), float(means[best] - np.delete(means, best).max()), best
