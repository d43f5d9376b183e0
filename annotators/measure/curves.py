"""Curves over time, read at beats and at lags."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

_REACH_S = 0.02


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


def autocorrelation(curve: Floats) -> Floats:
    """Normalised, unbiased autocorrelation of ``curve`` less its mean: [frames], 1 at lag 0; zeros for a constant."""
    centred = np.asarray(curve, np.float64) - np.mean(curve)
    size = centred.size
    spectrum = np.fft.rfft(centred, 2 * size)
    raw = np.fft.irfft(spectrum * spectrum.conj())[:size]
    if raw[0] <= 1e-9 * size:
        return np.zeros(size)
    return np.asarray(raw / raw[0] * size / (size - np.arange(size)))


def near_lag(values: Floats, lag: float) -> float:
    """Highest value within 4 % (one frame at least) of a lag in frames; 0 beyond two thirds of the clip."""
    reach = max(1.0, 0.04 * lag)
    low, high = int(np.floor(lag - reach)), int(np.ceil(lag + reach)) + 1
    return 0.0 if high > 0.67 * values.size else float(values[max(1, low) : high].max())
