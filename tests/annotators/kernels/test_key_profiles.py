"""Key profiles against numpy's own correlation, and our key finder on chords of known keys, scored by mir_eval."""

from typing import Any

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators import resample
from fgmcaps.annotators.kernels.key_profiles import PROFILES, key_correlations
from fgmcaps.annotators.tools.chroma_key import ChromaKey, peak_chroma
from fgmcaps.schemas.music import KEYS, key_index

CADENCES = {
    "major": [(0, "maj"), (5, "maj"), (7, "7"), (0, "maj")],
    "minor": [(0, "min"), (5, "min"), (7, "7"), (0, "min")],
}


@pytest.mark.parametrize("profile", PROFILES)
def test_correlations_equal_numpy_corrcoef(profile: str) -> None:
    chroma = np.random.default_rng(0).random(12)
    got = key_correlations(chroma, profile)
    for key in KEYS:
        index = key_index(key)
        table = PROFILES[profile][index // 12]
        rotated = [table[(pc - index % 12) % 12] for pc in range(12)]
        assert got[index] == pytest.approx(np.corrcoef(chroma, rotated)[0, 1], abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=12, max_size=12), st.integers(0, 11))
def test_transposing_the_chroma_transposes_the_key(values: list[int], semitones: int) -> None:
    chroma = np.array(values) / 1000
    got, moved = key_correlations(chroma), key_correlations(np.roll(chroma, semitones))
    assert np.allclose(np.roll(got[:12], semitones), moved[:12], atol=1e-9)
    assert np.allclose(np.roll(got[12:], semitones), moved[12:], atol=1e-9)


def test_a_flat_chroma_has_no_key() -> None:
    assert not key_correlations(np.full(12, 0.3)).any()
    assert not key_correlations(np.zeros(12)).any()
    assert not key_correlations(0.3 + 1e-12 * np.arange(12)).any()


def test_a_sine_falls_into_its_pitch_class() -> None:
    for pitch_class, hz in ((9, 440.0), (0, 261.626), (6, 739.989)):
        sine = np.sin(2 * np.pi * hz * np.arange(44_100) / 22_050).astype(np.float32)
        chroma = peak_chroma(sine, np.hanning(8192))
        assert int(np.argmax(chroma)) == pitch_class
        assert chroma[pitch_class] > 0.9
        assert chroma.sum() == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_cadences_in_all_24_keys(key: str, pad: Any) -> None:
    tonic, mode = key_index(key) % 12, key.split()[1]
    chords = [((root + tonic) % 12, quality) for root, quality in CADENCES[mode]]
    clip = resample(pad(chords, 1.5), 44_100, 22_050)
    found = ChromaKey().annotate(clip, 22_050)
    assert found.value.kind == "key"
    assert mir_eval.key.weighted_score(key, found.value.name) == 1.0


def test_a_detuned_recording_keeps_its_key(pad: Any) -> None:
    chords = CADENCES["major"]
    clip = resample(pad(chords, 1.5), 44_100, 22_050)
    flat = resample(pad(chords, 1.5), 44_100, int(22_050 * 2 ** (0.3 / 12)))  # 30 cents flat when played at 22,050
    assert ChromaKey().annotate(clip, 22_050).value == ChromaKey().annotate(flat, 22_050).value


def test_silence_has_no_key() -> None:
    found = ChromaKey().annotate(np.zeros(22_050, dtype=np.float32), 22_050)
    assert found.value.name is None  # type: ignore[union-attr]
    assert found.confidence == 0.0
