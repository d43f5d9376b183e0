"""Key profiles and their correlation with a pitch-class distribution.

Conventions
-----------
Pitch classes 0 = C .. 11 = B; keys 0 .. 11 = C .. B major, 12 .. 23 = C .. B minor, as in ``fgmcaps.schemas.music``.

Profiles: Krumhansl and Kessler, Psychological Review 89(4), 1982 (probe-tone ratings); Temperley, "What's key for
key?", Music Perception 17(1), 1999 (the same corrected for the leading tone and the minor sixth and seventh).
"""

from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PROFILES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "krumhansl": (
        (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
        (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    ),
    "temperley": (
        (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
        (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
    ),
}


def key_correlations(pitch_classes: Floats, profile: str = "temperley") -> Floats:
    """Pearson correlation of a pitch-class distribution float[12] with the profile of each key: float64[24].

    A constant distribution correlates with nothing: 24 zeros. Raises KeyError for an unknown profile.
    """
    return correlations(pitch_classes, PROFILES[profile])


def correlations(pitch_classes: Floats, profile: tuple[tuple[float, ...], tuple[float, ...]]) -> Floats:
    """:func:`key_correlations` for a ``(major, minor)`` pair of profiles, each 12 values from the tonic."""
    centred = np.asarray(pitch_classes, dtype=np.float64) - np.mean(pitch_classes)
    norm = np.linalg.norm(centred)
    if norm <= 1e-9 * np.abs(pitch_classes).max():
        return np.zeros(24)
    table, lengths = _centred_keys(profile)
    return np.asarray(table @ centred / (lengths * norm))


@cache
def _centred_keys(profile: tuple[tuple[float, ...], tuple[float, ...]]) -> tuple[Floats, Floats]:
    """The profile of each key less its mean, float64[24, 12], and its length, float64[24]."""
    major, minor = profile
    table = np.array([np.roll(p, tonic) for p in (major, minor) for tonic in range(12)])
    table = table - table.mean(axis=1, keepdims=True)
    return table, np.linalg.norm(table, axis=1)
