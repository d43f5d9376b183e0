"""Onsets of the signal around a tracker's beats.

Conventions
-----------
Onsets are float[frames, bands], from low to high (:mod:`fgmcaps.annotators.kernels.onset_bands`).
"""

import numpy as np

from fgmcaps.annotators.evidence.base import rounded
from fgmcaps.annotators.evidence.onsets import OnsetEvidence
from fgmcaps.annotators.measure.beats import MIN_BEATS
from fgmcaps.annotators.measure.curves import Floats, autocorrelation, near_lag, off_beat, sampled


def onset_evidence(onsets: Floats, fps: int, times: tuple[float, ...]) -> OnsetEvidence | None:
    """Onset strength around the beats ``times``; None below three beats."""
    at = np.asarray(times)
    if at.size < MIN_BEATS:
        return None
    relative = np.asarray(onsets, np.float64) / np.maximum(np.mean(onsets, axis=0), 1e-9)
    summed = np.asarray(np.sum(onsets, axis=1, dtype=np.float64))
    summed = np.asarray(summed / max(float(summed.mean()), 1e-9))
    return OnsetEvidence(
        onset_between=tuple(
            rounded(
                [sampled(band, at, fps).mean(), *(off_beat(band, at, fps, part) for part in OnsetEvidence.PLACES)], 2
            )
            for band in relative.T
        ),
        onset_low=rounded(sampled(relative[:, 0], at, fps), 1),
        onset_all=rounded(sampled(summed, at, fps), 1),
        onset_lag=onset_lag(onsets, fps, times),
    )


def onset_lag(onsets: Floats, fps: int, times: tuple[float, ...]) -> tuple[tuple[float, ...], ...]:
    """Autocorrelation of each band of ``onsets`` after ``OnsetEvidence.LAG_RATIOS`` median beat intervals."""
    interval = float(np.median(np.diff(times)))
    curves = [autocorrelation(band) for band in np.asarray(onsets, np.float64).T]
    ratios = OnsetEvidence.LAG_RATIOS
    return tuple(rounded([near_lag(curve, ratio * interval * fps) for ratio in ratios], 2) for curve in curves)
