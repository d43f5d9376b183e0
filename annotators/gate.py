"""The gate: clips that no annotator could label correctly are turned away before any model sees them.

Tools always answer: measured, Essentia names a key for white noise with strength .72 - .81 and a tempo of
738 BPM on silence. So level, length and the presence of structure are checked on the samples themselves.

Conventions
-----------
Levels are dBFS of the root mean square (full-scale square wave = 0 dBFS), after the mean is removed. Frames are 40 ms.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Samples
from fgmcaps.annotators.settings import GateSettings

FRAME_SECONDS = 0.04
_EPS = 1e-20
_AUDIBLE = 1e-5


@dataclass(frozen=True, slots=True)
class GateResult:
    """Why a clip was turned away: a stable slug for counting and a sentence for people."""

    reason: str
    message: str


def gate(samples: Samples, sample_rate: int, settings: GateSettings | None = None) -> GateResult | None:
    """None for a clip worth annotating, else why not.

    Reasons: ``too_short``, ``non_finite``, ``silence``, ``dc``, ``clicks``, ``noise``.

    ``samples``: float32[n] mono. Raises ValueError for another dtype or shape.
    """
    limits = settings or GateSettings()
    if samples.dtype != np.float32 or samples.ndim != 1:
        raise ValueError(f"gate: samples must be float32[n], got {samples.dtype}{list(samples.shape)}")
    seconds = samples.size / sample_rate
    if seconds < limits.min_seconds:
        return GateResult("too_short", f"{seconds:.2f} s of audio; at least {limits.min_seconds:g} s are needed")
    if not np.isfinite(samples).all():
        return GateResult("non_finite", "the samples contain NaN or infinity; decode the file again or repair it")

    mean = float(samples.mean(dtype=np.float64))
    signal = samples.astype(np.float64) - mean
    level = _db(float(np.mean(signal**2)))
    if level < limits.silence_dbfs:
        if _db(mean**2) >= limits.silence_dbfs:
            return GateResult("dc", f"only a constant offset of {mean:.3f}")
        return GateResult("silence", f"level {max(level, -200):.0f} dBFS; at least {limits.silence_dbfs:g} are needed")

    frames = whole_frames(signal, sample_rate)
    levels = frame_levels(frames)
    active = float(np.mean(levels > levels.max() - limits.active_range_db))
    if active < limits.min_active_share:
        return GateResult("clicks", f"only {active:.0%} of the clip sounds: clicks in silence, not music")

    flatness, deviation = noisiness(frames)
    if flatness > limits.noise_flatness and deviation < limits.noise_level_deviation_db:
        return GateResult("noise", f"steady noise (flatness {flatness:.2f}, level +-{deviation:.1f} dB)")
    return None


def noisiness(frames: npt.NDArray[np.float64]) -> tuple[float, float]:
    """``(flatness, level deviation in dB)`` of frames [m, n] after division by the clip's smooth spectral envelope.

    Whitening makes white, pink and brown noise alike: the periodogram of Gaussian noise over its expectation is
    exponentially distributed, so its geometric over its arithmetic mean is exp(-Euler's constant) = 0.561. Partials of
    tones stand out of their neighbourhood and push it down. Drums are as flat as noise, but their level moves.
    Digital silence is neither: zeros.
    """
    power = np.abs(np.fft.rfft(frames * np.hanning(frames.shape[1]), axis=1)) ** 2
    power = power[:, 2 : max(4, int(power.shape[1] * 0.6))]  # no DC; above 0.6 Nyquist lossy codecs cut holes
    window = np.ones(max(3, power.shape[1] // 16))
    bins = np.ones(power.shape[1])
    envelope = np.convolve(power.mean(axis=0), window, mode="same") / np.convolve(bins, window, mode="same")
    audible = envelope > envelope.max() * _AUDIBLE  # far from a lone tone there is only the window's leakage
    if not audible.any():  # digital silence
        return 0.0, 0.0
    whitened = power[:, audible] / (envelope[audible] + _EPS) + _EPS
    level = whitened.mean(axis=1)
    sounding = level > level.max() * 1e-6
    shape = (whitened / level[:, None])[sounding]
    flatness = float(np.exp(np.mean(np.log(shape))))
    return flatness, float(np.std(10 * np.log10(level)))


def _db(power: float) -> float:
    return float(10 * np.log10(power + _EPS))


def whole_frames(signal: npt.NDArray[np.float64], sample_rate: int) -> npt.NDArray[np.float64]:
    """The whole 40 ms frames of a signal [n]: [m, n per frame]."""
    size = max(16, round(FRAME_SECONDS * sample_rate))
    count = signal.size // size
    return signal[: count * size].reshape(count, size)


def frame_levels(frames: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Level in dBFS of each frame."""
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + _EPS))
