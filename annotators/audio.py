"""Samples at the rate that each tool was trained on, from one decode."""

import numpy as np
import soxr

from fgmcaps.annotators.base import Samples

MIN_RATE, MAX_RATE = 1_000, 768_000


def resample(samples: Samples, rate_in: int, rate_out: int) -> Samples:
    """Resample mono float32[n] from ``rate_in`` to ``rate_out`` Hz (soxr, HQ recipe); same rate: the same array.

    Raises ValueError for samples that are not float32[n] and for rates outside 1 kHz .. 768 kHz.
    """
    if samples.dtype != np.float32 or samples.ndim != 1:
        raise ValueError(f"resample: samples must be float32[n], got {samples.dtype}{list(samples.shape)}")
    for rate in (rate_in, rate_out):
        if not MIN_RATE <= rate <= MAX_RATE:
            raise ValueError(f"resample: sample rate {rate} Hz is outside {MIN_RATE} .. {MAX_RATE} Hz")
    if rate_in == rate_out:
        return samples
    return np.ascontiguousarray(soxr.resample(samples, rate_in, rate_out, quality="HQ"), dtype=np.float32)


class ClipAudio:
    """One decoded clip and its resampled forms, each made once, on demand."""

    def __init__(self, samples: Samples, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._by_rate: dict[int, Samples] = {sample_rate: samples}

    @property
    def samples(self) -> Samples:
        """The samples as decoded."""
        return self._by_rate[self.sample_rate]

    def at(self, rate: int) -> Samples:
        """float32[m] at ``rate`` Hz."""
        if rate not in self._by_rate:
            self._by_rate[rate] = resample(self.samples, self.sample_rate, rate)
        return self._by_rate[rate]
