"""A fingerprint of decoded sound that survives re-encoding, trimming, resampling and changes of level.

After Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002: a bit is the sign of the change in
time of the difference between two neighbouring bands. Theirs has 32 bits every 11.6 ms, to find 3 s of music among
millions; ours compares whole tracks, so it has 16 bits every 125 ms and takes .7 kB a track.
"""

import numpy as np
import numpy.typing as npt
import soxr

SECONDS = 45.0
"""How much of a track, from its start, is fingerprinted."""
FRAMES_PER_S = 8
SAMPLE_RATE = 11_025
NOTHING = 0
"""A frame that says nothing: silence, or a sound that does not change at all."""

Fingerprint = npt.NDArray[np.uint16]

_WINDOW = 4096
_HOP = SAMPLE_RATE // FRAMES_PER_S
_EDGES_HZ = np.geomspace(250, 2200, 18)
_SMOOTH = 4  # frames of a mean, which makes up for windows that do not begin at the same place in two copies
_LAG = 4
_CHUNK = 64


def fingerprint_of(samples: npt.NDArray[np.float32], sample_rate: int) -> Fingerprint:
    """uint16[n] of float32[m] at ``sample_rate`` Hz, mono; frame i begins at i / 8 s. Empty for less than 1.4 s."""
    if sample_rate != SAMPLE_RATE:
        samples = soxr.resample(samples, sample_rate, SAMPLE_RATE, quality="LQ")
    if len(samples) < _WINDOW:
        return np.zeros(0, np.uint16)
    levels = _band_levels(samples)
    if len(levels) < _SMOOTH + _LAG:
        return np.zeros(0, np.uint16)
    sums = np.cumsum(np.vstack([np.zeros((1, levels.shape[1])), levels]), axis=0)
    means = (sums[_SMOOTH:] - sums[:-_SMOOTH]) / _SMOOTH
    slopes = means[:, 1:] - means[:, :-1]
    rises = slopes[_LAG:] - slopes[:-_LAG] > 1e-6
    frames: Fingerprint = (rises @ (1 << np.arange(rises.shape[1]))).astype(np.uint16)
    return frames


def to_bytes(frames: Fingerprint) -> bytes:
    """For keeping: little-endian."""
    return frames.astype("<u2").tobytes()


def from_bytes(data: bytes) -> Fingerprint:
    """What :func:`to_bytes` kept. Raises ValueError for an odd number of bytes."""
    return np.frombuffer(data, "<u2").astype(np.uint16)


def _band_levels(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """float64[frames, bands]: natural logarithm of the energy in each band."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    edges = np.searchsorted(np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE), _EDGES_HZ)
    shape = np.hanning(_WINDOW).astype(np.float32)
    energies = []
    for start in range(0, len(windows), _CHUNK):
        power = np.abs(np.fft.rfft(windows[start : start + _CHUNK] * shape)) ** 2
        energies.append(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1))
    energy = np.concatenate(energies)
    levels: npt.NDArray[np.float64] = np.log(energy + 1e-9 * energy.max() + 1e-12)
    return levels
