"""Measurements of the signal itself: how far the labels of a clip can be trusted. No tool gives them.

Conventions
-----------
``spectrum`` is the constant-Q magnitude float[frames, 288] of :mod:`fgmcaps.annotators.kernels.constant_q`:
36 bins an octave from F#0 at 43 frames/s. Percussive and harmonic parts as in Fitzgerald, "Harmonic/percussive
separation using median filtering", DAFx 2010, on semitones.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter

from fgmcaps.annotators.base import Samples
from fgmcaps.annotators.evidence.base import rounded
from fgmcaps.annotators.evidence.signal import SignalEvidence
from fgmcaps.annotators.gate import frame_levels, noisiness, whole_frames

Floats = npt.NDArray[np.floating[Any]]

_BINS_PER_SEMITONE = 3
_LOWEST_MIDI = 18  # F#0
_BASS, _HARMONY = slice(24 - 18, 52 - 18), slice(48 - 18, 96 - 18)  # C1 .. D#3 and C3 .. B6
_MIN_RISE = 0.05  # mean over semitones, nats: less is not an onset
_MEDIAN_TIME, _MEDIAN_PITCH = 15, 11  # 0.35 s, 11 semitones
_RANGE = 1e-3  # 60 dB below the clip's loudest bin is silence


def signal_evidence(samples: Samples, sample_rate: int, spectrum: Floats, frame_rate: float) -> SignalEvidence:
    """Evidence of one clip: float32[n] at ``sample_rate`` Hz, and its ``spectrum`` at ``frame_rate`` frames/s."""
    semitones = semitone_spectrum(spectrum)
    harmonic = median_filter(semitones, (_MEDIAN_TIME, 1), mode="nearest")
    percussive = median_filter(semitones, (1, _MEDIAN_PITCH), mode="nearest")
    energy = semitones.astype(np.float64) ** 2
    mask = percussive**2 / np.maximum(percussive**2 + harmonic**2, 1e-20)
    total = max(float(energy.sum()), 1e-20)
    pitches = np.sqrt(semitones * (1 - mask)).sum(axis=0)
    chroma = fold(pitches, _HARMONY)
    frames = whole_frames(samples.astype(np.float64) - samples.mean(dtype=np.float64), sample_rate)
    flatness, deviation = noisiness(frames)
    levels = frame_levels(frames)
    return SignalEvidence(
        percussive_share=round(float((energy * mask).sum() / total), 4),
        harmonic_chroma=rounded(chroma),
        bass_chroma=rounded(fold(pitches, _BASS)),
        chroma_entropy=round(float(-np.sum(chroma * np.log(np.maximum(chroma, 1e-12))) / np.log(12)), 4),
        onset_density=round(onset_density(semitones, frame_rate), 3),
        flatness=round(flatness, 4),
        level_deviation_db=round(deviation, 2),
        level_dbfs=round(float(10 * np.log10(np.mean(frames**2) + 1e-20)), 2),
        sounding_share=round(float(np.mean(levels > levels.max() - 40.0)), 3),
    )


def semitone_spectrum(spectrum: Floats) -> npt.NDArray[np.float32]:
    """Constant-Q magnitude [frames, 288] -> float32[frames, 96], semitones from F#0: each bin with its neighbours."""
    shifted = np.pad(spectrum, ((0, 0), (1, 0)))[:, : spectrum.shape[1]]
    return np.asarray(shifted.reshape(len(spectrum), -1, _BINS_PER_SEMITONE).sum(axis=2, dtype=np.float32))


def fold(pitches: Floats, part: slice) -> Floats:
    """A part of semitone strengths [96] by pitch class from C: float64[12], summing to 1 (flat where there is none)."""
    classes = (np.arange(pitches.size) + _LOWEST_MIDI) % 12
    chroma = np.bincount(classes[part], weights=pitches[part], minlength=12)
    return np.asarray(chroma / chroma.sum() if chroma.sum() > 0 else np.full(12, 1 / 12))


def onset_density(semitones: Floats, frame_rate: float) -> float:
    """Onsets a second: peaks of the half-wave rectified rise in log magnitude, above its mean and 50 ms apart."""
    floor = max(float(semitones.max(initial=0.0)) * _RANGE, 1e-9)
    rise = np.maximum(np.diff(np.log(np.maximum(semitones, floor)), axis=0), 0.0).mean(axis=1)
    if rise.size < 3:
        return 0.0
    middle = rise[1:-1]
    threshold = rise.mean() + 0.5 * rise.std()
    peaks = (middle > rise[:-2]) & (middle >= rise[2:]) & (middle > max(threshold, _MIN_RISE))
    return float(peaks.sum() * frame_rate / len(semitones))
