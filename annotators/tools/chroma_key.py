"""Our own key finder: chroma of spectral peaks, correlated with key profiles. No model, no licence but ours.

Chroma: peaks of a 372 ms Hann spectrum between 65 Hz and 2.1 kHz, square-root magnitude so that a loud bass does not
drown the harmony, folded to 12 pitch classes after the clip's tuning (offset from 440 Hz, circular mean of the peaks'
deviations) is taken out. Key: correlation with Temperley's profiles (:mod:`fgmcaps.annotators.kernels.key_profiles`).
"""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Annotator, Samples
from fgmcaps.annotators.evidence.keys import KeyScores, MeanChroma
from fgmcaps.annotators.kernels.key_profiles import key_correlations
from fgmcaps.schemas import Key, ToolInfo
from fgmcaps.schemas.estimate import Detail, Value
from fgmcaps.schemas.music import KEYS

RATE = 22_050
FRAME, HOP = 8192, 2048
MIN_HZ, MAX_HZ = 65.0, 2100.0
VERSION = "1"
_LOWEST = 1e-3  # peaks 60 dB below the frame's highest are noise

Floats = npt.NDArray[np.float64]


class ChromaKey(Annotator[Floats]):
    """Key by profile correlation; the confidence is the winner's correlation, details hold chroma and all 24."""

    attribute: ClassVar = "key"
    sample_rate: ClassVar[int] = RATE

    def __init__(self, profile: str = "temperley") -> None:
        super().__init__()
        key_correlations(np.zeros(12), profile)  # an unknown profile is an error here
        self.profile = profile

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        return ToolInfo("chroma_key", VERSION, "Apache-2.0")

    def settings(self) -> dict[str, Detail]:
        """The key profile."""
        return {"profile": self.profile}

    def _load(self) -> Floats:
        return np.hanning(FRAME)

    def _estimate(self, model: Floats, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        chroma = peak_chroma(samples, model)
        scores = np.round(key_correlations(chroma, self.profile), 4)
        mean = MeanChroma(tuple(round(float(v), 4) for v in chroma))
        details = mean.to_details() | KeyScores(tuple(float(v) for v in scores)).to_details()
        if not chroma.any():
            return Key(None), 0.0, details
        best = int(np.argmax(scores))
        return Key(KEYS[best]), float(scores[best]), details


def peak_chroma(samples: Samples, window: Floats) -> Floats:
    """Pitch-class distribution float64[12] from C, summing to 1 (zeros without any peak), of mono 22,050 Hz samples."""
    if samples.size < FRAME:
        samples = np.pad(samples, (0, FRAME - samples.size))
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    magnitude = np.abs(np.fft.rfft(frames * window, axis=1))
    low, high = int(MIN_HZ * FRAME / RATE), int(MAX_HZ * FRAME / RATE)
    left, middle, right = magnitude[:, low - 1 : high - 1], magnitude[:, low:high], magnitude[:, low + 1 : high + 1]
    peak = (middle > left) & (middle >= right) & (middle > _LOWEST * magnitude.max(axis=1, keepdims=True))
    frame, index = np.nonzero(peak)
    if frame.size == 0:
        return np.zeros(12)
    a, b, c = (np.log(part[frame, index] + 1e-12) for part in (left, middle, right))
    curve = a - 2 * b + c
    shift = np.where(np.abs(curve) > 1e-9, 0.5 * (a - c) / np.where(curve == 0, 1.0, curve), 0.0)
    pitch = 69 + 12 * np.log2((index + low + np.clip(shift, -0.5, 0.5)) * RATE / FRAME / 440.0)
    weight = np.sqrt(middle[frame, index])
    tuning = np.angle(np.sum(weight * np.exp(2j * np.pi * pitch))) / (2 * np.pi)
    nearest = np.round(pitch - tuning)
    weight = weight * np.cos(np.pi * (pitch - tuning - nearest)) ** 2  # peaks between two semitones count less
    chroma = np.bincount(nearest.astype(np.int64) % 12, weights=weight, minlength=12)
    return np.asarray(chroma / chroma.sum())
