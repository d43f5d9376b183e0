"""Fixed filters of the spectral encoder: mel bands, pitch bands, log-spaced lags, templates. Pure functions of numbers.

Conventions: 25 frames a second, frame ``t`` is centred at ``(t + 0.5) / 25`` s. Pitches are MIDI numbers (A4 = 69).
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgmcaps.common.numba_cache import prepare_numba

Array = npt.NDArray[np.float64]

CHORD_QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "min7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
}
# Temperley's key profiles (What's Key for Key?, Music Perception 17, 1999).
MAJOR_PROFILE = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
MINOR_PROFILE = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)


def mel_bank(sample_rate: int, n_fft: int, bands: int, low: float) -> Tensor:
    """float32[n_fft // 2 + 1, bands]: triangles on librosa's mel scale from ``low`` Hz to half the sample rate."""
    prepare_numba()
    import librosa

    bank = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=bands, fmin=low)
    return torch.from_numpy(bank.T.astype(np.float32))


def pitch_bank(sample_rate: int, n_fft: int, lowest: int, semitones: int, per_semitone: int) -> Tensor:
    """float32[n_fft // 2 + 1, semitones * per_semitone]: Gaussians centred on fractions of semitones.

    Band ``b`` is centred at ``lowest + (b - (per_semitone - 1) / 2) / per_semitone``, so that a semitone's bands lie
    evenly around it. A Gaussian is never narrower than the window's main lobe.
    """
    offsets = (np.arange(semitones * per_semitone) - (per_semitone - 1) / 2) / per_semitone
    centres = 440.0 * 2 ** ((lowest + offsets - 69) / 12)
    spacing = sample_rate / n_fft
    width = np.maximum(centres * (2 ** (0.25 / 12) - 1), 0.7 * spacing)
    bins = np.arange(n_fft // 2 + 1)[:, None] * spacing
    bank = np.exp(-0.5 * ((bins - centres) / width) ** 2)
    return torch.from_numpy((bank / bank.sum(axis=0)).astype(np.float32))


def lag_grid(shortest: float, octaves: int, per_octave: int) -> Array:
    """Log-spaced lags in seconds, ``octaves * per_octave + 1`` of them."""
    grid: Array = shortest * 2 ** (np.arange(octaves * per_octave + 1) / per_octave)
    return grid


def lag_reader(lags: Array, rate: float) -> Tensor:
    """int64[len(lags), K]: samples of an autocorrelation at ``rate`` Hz that lie nearest to each lag on the grid.

    A lag stands for all from half a step below to half a step above it. Its value is the largest of those, so that a
    narrow peak at a long lag counts in full.
    """
    step = np.sqrt(lags[1] / lags[0])
    first = np.ceil(lags / step * rate - 1e-9).astype(int)
    last = np.floor(lags * step * rate + 1e-9).astype(int)
    nearest = np.round(lags * rate).astype(int)
    first, last = np.minimum(first, nearest), np.minimum(np.maximum(last, nearest), nearest[-1])
    width = int((last - first).max()) + 1
    return torch.from_numpy(np.minimum(first[:, None] + np.arange(width), last[:, None]))


def lag_bank(lags: Array, rate: float) -> Tensor:
    """float32[count, len(lags)]: averages an autocorrelation around each lag, in triangles as wide as the grid's step.

    Where :func:`lag_reader` finds a narrow peak in full, this tells sharp repetition from vague one.
    """
    count = round(lags[-1] * rate) + 1
    samples = np.arange(count)[:, None]
    centres = lags * rate
    bank = np.maximum(0.0, 1 - np.abs(samples - centres) / np.maximum(np.gradient(centres), 1.0))
    total = bank.sum(axis=0)
    return torch.from_numpy((bank / np.where(total > 0, total, 1.0)).astype(np.float32))


def chord_templates() -> Tensor:
    """float32[60, 12], unit rows: 12 roots of each of ``CHORD_QUALITIES``, in its order; upper notes count less."""
    rows = []
    for intervals in CHORD_QUALITIES.values():
        for root in range(12):
            row = np.zeros(12)
            for interval in intervals:
                row[(root + interval) % 12] += 0.7 if interval > 7 else 1.0
                row[(root + interval + 7) % 12] += 0.2  # the third harmonic of each note
            rows.append(row / np.linalg.norm(row))
    return torch.from_numpy(np.array(rows, dtype=np.float32))


def key_templates() -> Tensor:
    """float32[24, 12]: C .. B major, C .. B minor profiles, zero mean and unit norm."""
    rows = []
    for profile in (MAJOR_PROFILE, MINOR_PROFILE):
        for tonic in range(12):
            row = np.roll(np.array(profile), tonic)
            row = row - row.mean()
            rows.append(row / np.linalg.norm(row))
    return torch.from_numpy(np.array(rows, dtype=np.float32))
