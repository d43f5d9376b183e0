from itertools import pairwise

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.training.data.audio import AudioError, decode, prepare, windows
from fgmcaps.training.data.dataset import AudioRef
from tests.training.shards import flac, tone


def test_stereo_at_another_rate_becomes_mono_at_the_encoders_rate():
    left, right = tone(1, 2.0), tone(2, 2.0)
    samples = decode(AudioRef(flac(np.stack([left, right], axis=1), 48_000), None, 0.0, 0.0), 24_000)
    expected = soxr.resample((left + right) / 2, 48_000, 24_000, quality="HQ")
    assert samples.dtype == np.float32
    assert np.abs(samples - expected).max() < 1e-3


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        (AudioRef(None, None, 0, 0), "no audio in the row"),
        (AudioRef(b"nonsense", None, 0, 0), "cannot be decoded"),
        (AudioRef(b"", None, 0, 0), "cannot be decoded"),
        (AudioRef(flac(tone(0, 0.2)), None, 0, 0), "0.20 s of audio: at least 0.5"),
    ],
)
def test_audio_that_cannot_be_used_says_why(ref, message):
    with pytest.raises(AudioError, match=message):
        decode(ref, 24_000)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(AudioError, match="cannot be decoded"):
        decode(AudioRef(None, tmp_path / "none.wav", 0, 1), 24_000)


def test_samples_that_are_no_numbers():
    with pytest.raises(AudioError, match="NaN"):
        prepare(np.array([0.0] * 20_000 + [np.nan]), 24_000, 24_000)


@settings(deadline=None)
@given(st.integers(0, 20_000), st.integers(50, 5_000), st.integers(0, 5_000))
def test_windows_cover_all_but_a_short_rest(samples, window, smallest):
    spans = list(windows(samples, window, min(smallest, window)))
    assert spans[0][0] == 0
    assert all(b - a == window for a, b in spans[:-1])
    assert all(a == before[1] for before, (a, _) in pairwise(spans))
    assert samples - spans[-1][1] < max(min(smallest, window), 1) or samples == spans[-1][1]
