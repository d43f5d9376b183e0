"""Measurements of the signal: sounds whose share of percussion, pitch classes and onsets are known."""

import numpy as np
import pytest

from fgmcaps.annotators.kernels.constant_q import HOP, RATE, constant_q
from fgmcaps.annotators.measure.signal import fold, semitone_spectrum, signal_evidence

SECONDS = 10
TIME = np.arange(SECONDS * RATE) / RATE


def evidence(samples):
    samples = samples.astype(np.float32)
    return signal_evidence(samples, RATE, constant_q(samples, 0.0), RATE / HOP)


def clicks(per_second):
    """Bursts of noise of 5 ms."""
    rng = np.random.default_rng(0)
    out = np.zeros_like(TIME)
    for at in np.arange(0.2, SECONDS - 0.1, 1 / per_second):
        start = int(at * RATE)
        out[start : start + 110] += 0.5 * rng.standard_normal(110)
    return out


@pytest.mark.slow
@pytest.mark.parametrize(("hz", "pitch_class"), [(440.0, 9), (261.63, 0), (369.99, 6)])
def test_a_held_tone_is_harmonic_and_of_one_pitch_class(hz, pitch_class):
    found = evidence(0.3 * np.sin(2 * np.pi * hz * TIME))
    assert int(np.argmax(found.harmonic_chroma)) == pitch_class
    assert found.harmonic_chroma[pitch_class] > 0.6
    assert sum(found.harmonic_chroma) == pytest.approx(1.0, abs=0.006)  # twelve times half a digit
    assert found.percussive_share < 0.1
    assert found.chroma_entropy < 0.6
    assert found.sounding_share == 1.0
    assert found.level_dbfs == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.05)


def test_bass_and_harmony_are_kept_apart():
    found = evidence(0.3 * np.sin(2 * np.pi * 55.0 * TIME) + 0.3 * np.sin(2 * np.pi * 523.25 * TIME))
    assert int(np.argmax(found.bass_chroma)) == 9  # A1
    assert int(np.argmax(found.harmonic_chroma)) == 0  # C5


@pytest.mark.parametrize("per_second", [1, 2, 4])
def test_clicks_are_percussive_and_counted(per_second):
    found = evidence(clicks(per_second))
    assert found.percussive_share > 0.7
    assert found.onset_density == pytest.approx(per_second, rel=0.15)


def test_noise_favours_no_pitch_class():
    found = evidence(0.1 * np.random.default_rng(1).standard_normal(TIME.size))
    assert found.chroma_entropy > 0.97
    assert found.flatness > 0.5


def test_half_of_the_clip_sounds():
    found = evidence(np.where(TIME < SECONDS / 2, 0.3 * np.sin(2 * np.pi * 440 * TIME), 0.0))
    assert found.sounding_share == pytest.approx(0.5, abs=0.03)


def test_silence_gives_finite_numbers():
    found = evidence(np.zeros_like(TIME))
    assert all(np.all(np.isfinite(value)) for value in found.to_details().values())
    assert found.onset_density == 0.0
    assert found.harmonic_chroma == pytest.approx([1 / 12] * 12, abs=0.0005)


def test_semitones_take_each_bin_with_its_neighbours():
    spectrum = np.zeros((1, 288), dtype=np.float32)
    spectrum[0, [2, 3, 4]] = (1.0, 2.0, 4.0)  # around the centre (bin 3) of the second semitone
    assert semitone_spectrum(spectrum)[0, :3].tolist() == [0.0, 7.0, 0.0]


def test_folding_counts_from_c():
    pitches = np.zeros(96)
    pitches[[60 - 18, 72 - 18, 69 - 18]] = (1.0, 2.0, 1.0)  # C4, C5, A4
    chroma = fold(pitches, slice(48 - 18, 96 - 18))
    assert chroma[[0, 9]].tolist() == [0.75, 0.25]
