"""What no tool should see is turned away; music is not, however quiet."""

from typing import Any

import numpy as np
import pytest

from fgmcaps.annotators import GateSettings, gate
from fgmcaps.annotators.gate import noisiness

RATE = 24_000
N = 10 * RATE


def _noise(exponent: float) -> np.ndarray:
    """Gaussian noise with power falling as 1 / f ** exponent: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(N))
    spectrum /= np.maximum(np.arange(spectrum.size), 10) ** (exponent / 2)
    wave = np.fft.irfft(spectrum, N)
    return 0.3 * wave / np.abs(wave).max()


def _clicks(per_second: float, length: int) -> np.ndarray:
    out = np.zeros(N)
    for start in range(0, N - length, int(RATE / per_second)):
        out[start : start + length] = 0.9 * np.sin(2 * np.pi * 1000 * np.arange(length) / RATE + 1)
    return out


TURNED_AWAY = {
    "silence": (np.zeros(N), "silence"),
    "almost silence": (1e-4 * _noise(0), "silence"),
    "dc": (np.full(N, 0.5), "dc"),
    "dc with dither": (np.full(N, -0.2) + 1e-5 * _noise(0), "dc"),
    "white noise": (_noise(0), "noise"),
    "quiet white noise": (0.01 * _noise(0), "noise"),
    "pink noise": (_noise(1), "noise"),
    "brown noise": (_noise(2), "noise"),
    "single-sample clicks": (_clicks(2, 1), "clicks"),
    "5 ms clicks": (_clicks(2, 120), "clicks"),
    "fast clicks": (_clicks(4, 120), "clicks"),
    "clicks over hiss": (_clicks(2, 120) + 0.001 * _noise(0), "clicks"),
    "0.1 s": (0.5 * np.sin(np.arange(RATE // 10) / 10), "too_short"),
    "nothing": (np.zeros(0), "too_short"),
    "nan": (np.where(np.arange(N) == 77, np.nan, _noise(0)), "non_finite"),
    "infinity": (np.where(np.arange(N) == 77, np.inf, _noise(0)), "non_finite"),
}


@pytest.mark.parametrize("name", TURNED_AWAY)
def test_what_is_not_music_is_turned_away(name: str) -> None:
    samples, reason = TURNED_AWAY[name]
    result = gate(samples.astype(np.float32), RATE)
    assert result is not None
    assert result.reason == reason
    assert result.message


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 9, 18, 27])
@pytest.mark.parametrize("level_db", [-6, -40, -60])
def test_real_music_passes_at_any_level(index: int, level_db: int, music: Any) -> None:
    samples, rate = music(index)
    scaled = samples / np.sqrt(np.mean(samples**2)) * 10 ** (level_db / 20)
    assert gate(scaled.astype(np.float32), rate) is None


@pytest.mark.parametrize("rate", [8_000, 24_000, 192_000])
def test_a_band_passes_at_any_rate(rate: int, play: Any) -> None:
    from fgmcaps.annotators import resample

    samples = play(110, 4, [(0, "maj"), (9, "min")])
    assert gate(resample(samples, 44_100, rate), rate) is None


def test_drums_alone_pass() -> None:
    rng, out = np.random.default_rng(1), np.zeros(N)
    decay = np.exp(-np.arange(RATE // 5) / (RATE / 20))
    for start in range(0, N - decay.size, RATE // 4):
        out[start : start + decay.size] += 0.3 * rng.standard_normal(decay.size) * decay
    assert gate(out.astype(np.float32), RATE) is None


def test_music_with_an_offset_passes(music: Any) -> None:
    samples, rate = music(3)
    assert gate(samples + np.float32(0.3), rate) is None


def test_gaussian_noise_has_the_flatness_of_theory() -> None:
    # E[log periodogram / expectation] = -Euler's constant for an exponential distribution.
    flatness, deviation = noisiness(_noise(1).reshape(-1, 960))
    assert flatness == pytest.approx(np.exp(-np.euler_gamma), abs=0.02)
    assert deviation < 0.6


def test_limits_come_from_the_settings() -> None:
    samples = (0.1 * np.sin(np.arange(4 * RATE) * 0.1)).astype(np.float32)
    assert gate(samples, RATE) is None
    result = gate(samples, RATE, GateSettings(min_seconds=5.0))
    assert result is not None
    assert result.reason == "too_short"


@pytest.mark.parametrize("samples", [np.zeros(N), np.zeros((2, N), dtype=np.float32)])
def test_other_dtypes_and_shapes_are_errors(samples: np.ndarray) -> None:
    with pytest.raises(ValueError, match="float32"):
        gate(samples, RATE)  # type: ignore[arg-type]
