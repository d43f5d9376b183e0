"""How the spectrum rises in three bands: drums and bass, middle, cymbals. Pure functions of numbers."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

LOW_HZ, HIGH_HZ = 150.0, 2000.0


def band_edges(centre_frequencies: Any, offset: int) -> tuple[slice, ...]:
    """Columns of three bands (below 150 Hz, up to 2 kHz, above) of a filterbank that starts at column ``offset``."""
    low, high = np.searchsorted(centre_frequencies, (LOW_HZ, HIGH_HZ))
    edges = (0, int(low), int(high), len(centre_frequencies))
    return tuple(slice(offset + a, offset + b) for a, b in pairwise(edges))


def onset_bands(features: Any, bands: tuple[slice, ...]) -> npt.NDArray[np.float32]:
    """Mean rise of the log spectrum in each band: features [frames, columns] -> float32[frames, bands]."""
    return np.stack([np.asarray(features[:, band], np.float32).mean(axis=1) for band in bands], axis=1)
