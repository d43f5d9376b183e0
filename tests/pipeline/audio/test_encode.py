"""The encoder against what a decoder reads back."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.pipeline.audio.encode import encode_flac


def decode(data, dtype="int16"):
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.format, file.subtype, file.samplerate, file.channels) == ("FLAC", "PCM_16", 24_000, 1)
        return file.read(dtype=dtype)


def sine(rate, seconds, hz=440.0, level=0.5):
    return (level * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def test_sixteen_bit_audio_at_24_khz_comes_back_bit_for_bit():
    pcm = np.random.default_rng(0).integers(-32768, 32768, 240_000).astype(np.int16)
    pcm[:2] = -32768, 32767
    assert np.array_equal(decode(encode_flac((pcm / 32768).astype(np.float32), 24_000)), pcm)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 192000])
def test_ten_seconds_are_240_000_samples_at_every_rate(rate):
    assert decode(encode_flac(sine(rate, 10), rate)).size == 240_000


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.sampled_from([8000, 11025, 22050, 24000, 44100, 48000, 37_799]))
def test_odd_lengths_have_the_documented_length(count, rate):
    data = encode_flac(np.full(count, 0.1, np.float32), rate)
    assert decode(data).size == max(1, round(count * 24_000 / rate))


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_resampling_keeps_the_waveform(rate):
    got = decode(encode_flac(sine(rate, 10), rate), "float32")
    error = got[2000:-2000] - sine(24_000, 10)[2000:-2000]
    assert np.abs(error).max() < 2e-4  # 0.5 * 2**-15 from rounding, the rest from soxr HQ: below -70 dBFS


def test_above_the_new_nyquist_there_is_silence():
    got = decode(encode_flac(sine(48_000, 2, hz=15_000), 48_000), "float32")
    assert np.abs(got[2000:-2000]).max() < 1e-3


@pytest.mark.parametrize("level", [1.0, 1.5, 40.0, 1e30])
def test_a_loud_clip_is_turned_down_and_keeps_its_shape(level):
    got = decode(encode_flac(sine(24_000, 1, level=level), 24_000), "float32")
    expected = sine(24_000, 1, level=1.0)
    assert np.abs(got - expected).max() < 1e-4
    assert np.count_nonzero(np.abs(got) > 0.9999) < 800  # a clipped sine would sit at full scale for most of the time


def test_a_quiet_clip_is_not_touched():
    got = decode(encode_flac(sine(24_000, 1, level=0.01), 24_000), "float32")
    assert np.abs(got).max() == pytest.approx(0.01, abs=1e-4)


def test_equal_samples_give_equal_bytes():
    samples = np.random.default_rng(1).normal(0, 0.1, 44_100).astype(np.float32)
    assert encode_flac(samples, 44_100) == encode_flac(samples.copy(), 44_100)


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros((2, 5), np.float32), 24_000, "shape"),
        (np.zeros(0, np.float32), 24_000, "shape"),
        (np.array([0, np.nan], np.float32), 24_000, "NaN"),
        (np.array([0, np.inf], np.float32), 24_000, "NaN"),
        (np.zeros(5, np.float32), 0, "rate"),
    ],
)
def test_what_is_no_clip_is_refused(samples, rate, message):
    with pytest.raises(ValueError, match=message):
        encode_flac(samples, rate)
