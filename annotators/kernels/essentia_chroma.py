"""The chroma of Essentia's key finder, once for all its profiles, and every key's score under a profile.

``KeyExtractor`` computes the same chroma for each profile and returns only the winner. Here its steps run one by one
with its own parameters (frames of 4,096 samples, Hann, at most 60 peaks below 3.5 kHz, whitening, HPCP of 12 bins with
4 harmonics), and its own ``Key`` algorithm decides; the values are the same
(tests/annotators/kernels/test_shipped_front_ends.py).

Gomez, "Tonal description of polyphonic audio for music content processing", INFORMS Journal on Computing 18(3), 2006.
Profiles: Krumhansl and Kessler 1982; Sha'ath 2011 (shaath); Faraldo, Jorda, Herrera, AES Semantic Audio 2017 (bgate);
Faraldo, Gomez, Jorda, Herrera, ECIR 2016 (edma).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Samples
from fgmcaps.annotators.kernels.key_profiles import PROFILES as TONAL_PROFILES
from fgmcaps.annotators.kernels.key_profiles import correlations
from fgmcaps.annotators.libraries.essentia import RATE, import_essentia

Floats = npt.NDArray[np.floating[Any]]

FRAME = 4096
_LOW_HZ, _HIGH_HZ = 25, 3500
_THRESHOLD = 0.2
_A_TO_C = -3  # Essentia counts pitch classes from A

KEY_TABLES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "krumhansl": TONAL_PROFILES["krumhansl"],
    "shaath": (
        (6.6, 2.0, 3.5, 2.3, 4.6, 4.0, 2.5, 5.2, 2.4, 3.7, 2.3, 3.4),
        (6.5, 2.7, 3.5, 5.4, 2.6, 3.5, 2.5, 5.2, 4.0, 2.7, 4.3, 3.2),
    ),
    "bgate": (
        (1.0, 0.0, 0.42, 0.0, 0.53, 0.37, 0.0, 0.77, 0.0, 0.38, 0.21, 0.30),
        (1.0, 0.0, 0.36, 0.39, 0.0, 0.38, 0.0, 0.74, 0.27, 0.0, 0.42, 0.23),
    ),
    "edma": (
        (1.0, 0.29, 0.50, 0.40, 0.60, 0.56, 0.32, 0.80, 0.31, 0.45, 0.42, 0.39),
        (1.0, 0.31, 0.44, 0.58, 0.33, 0.49, 0.29, 0.78, 0.43, 0.29, 0.53, 0.32),
    ),
}


def chroma_extractor() -> Callable[[Samples], npt.NDArray[np.float32]]:
    """A function from 44.1 kHz samples to the mean chroma that ``KeyExtractor`` hands to ``Key``: float32[12] from A.

    The maximum is 1 and bins below 0.2 are 0, as ``KeyExtractor`` has it; all zeros where no peak is found.
    """
    essentia = import_essentia()
    window, spectrum = essentia.Windowing(type="hann", size=FRAME), essentia.Spectrum(size=FRAME)
    peaks = essentia.SpectralPeaks(
        orderBy="magnitude",
        magnitudeThreshold=1e-4,
        minFrequency=_LOW_HZ,
        maxFrequency=_HIGH_HZ,
        maxPeaks=60,
        sampleRate=RATE,
    )
    whitening = essentia.SpectralWhitening(maxFrequency=_HIGH_HZ, sampleRate=RATE)
    profile = essentia.HPCP(
        bandPreset=False,
        harmonics=4,
        minFrequency=_LOW_HZ,
        maxFrequency=_HIGH_HZ,
        normalized="none",
        sampleRate=RATE,
        size=12,
        weightType="cosine",
        windowSize=1,
    )

    def chroma(samples: Samples) -> npt.NDArray[np.float32]:
        frames = []
        for frame in essentia.FrameGenerator(samples, frameSize=FRAME, hopSize=FRAME, startFromZero=False):
            magnitude = spectrum(window(frame))
            frequencies, heights = peaks(magnitude)
            frames.append(profile(frequencies, whitening(magnitude, frequencies, heights)))
        mean = np.mean(frames, axis=0, dtype=np.float32)
        top = float(mean.max())
        if top <= 0:
            return np.zeros(12, dtype=np.float32)
        scaled = mean / np.float32(top)
        return np.asarray(np.where(scaled < _THRESHOLD, np.float32(0), scaled), dtype=np.float32)

    return chroma


def key_scores(chroma: Floats, profile: str) -> Floats:
    """Correlation of a chroma float[12] from A with each key of a profile of ``KEY_TABLES``: float64[24], C first."""
    return correlations(np.roll(chroma, _A_TO_C), KEY_TABLES[profile])
