"""Front ends that are kept or shared against the libraries that they come from, on real clips."""

import warnings
from typing import Any

import numpy as np
import pytest

from fgmcaps.annotators import ClipAudio
from fgmcaps.annotators.kernels.constant_q import BINS, BINS_PER_OCTAVE, HOP, LOWEST_HZ, RATE, constant_q, tuning_of
from fgmcaps.annotators.kernels.essentia_chroma import KEY_TABLES
from fgmcaps.annotators.libraries.essentia import import_essentia
from fgmcaps.annotators.tools.essentia_key import PROFILES, EssentiaKey
from fgmcaps.schemas.music import canonical_key

pytestmark = pytest.mark.slow


def shipped_constant_q(samples: Any, tuning: float) -> Any:
    import librosa

    assert librosa.note_to_hz("F#0") == LOWEST_HZ
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spectrum = librosa.hybrid_cqt(
            samples,
            sr=RATE,
            hop_length=HOP,
            fmin=LOWEST_HZ,
            n_bins=BINS,
            bins_per_octave=BINS_PER_OCTAVE,
            tuning=tuning,
        )
    return np.abs(spectrum).T


@pytest.mark.parametrize(("index", "length"), [(0, 220_500), (8, 70_001), (3, 3_000)])
def test_the_constant_q_equals_librosa_s(index: int, length: int, music: Any) -> None:
    samples = ClipAudio(*music(index)).at(RATE)[:length]
    for tuning in (tuning_of(samples), 0.0, -0.37):
        want = shipped_constant_q(samples, tuning)
        found = constant_q(samples, tuning)
        assert found.shape == want.shape
        np.testing.assert_allclose(found, want, atol=2e-6 * want.max())


@pytest.mark.parametrize("profile", PROFILES)
def test_keys_and_strengths_equal_those_of_the_key_extractor(profile: str, music: Any) -> None:
    shipped = import_essentia().KeyExtractor(profileType=profile, sampleRate=44_100)
    clips = [ClipAudio(*music(index)).at(44_100) for index in (0, 5, 11, 19)]
    clips += [np.zeros(100_000, np.float32), clips[0][:3_000].copy(), clips[1][:140_001].copy()]
    for samples in clips:
        tonic, mode, strength = shipped(samples)
        estimate = EssentiaKey(profile).annotate(samples, 44_100)
        assert estimate.value.name == canonical_key(f"{tonic} {mode}")  # type: ignore[union-attr]
        assert estimate.confidence == round(strength, 4)
        if profile in KEY_TABLES and samples.any():
            assert max(estimate.details["scores"]) == pytest.approx(strength, abs=6e-4)  # type: ignore[arg-type]
