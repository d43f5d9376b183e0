"""Clips as samples: decode, mix to mono, resample; cut what is longer than an encoder takes into windows."""

import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from fgmcaps.training.data.dataset import AudioRef

MIN_SECONDS = 0.5
"""A shorter clip has no music to speak of: it is an error."""
MAX_SECONDS = 3600.0
"""Never read more of a file, whatever its header claims."""


class AudioError(ValueError):
    """A clip without audio, or with audio that cannot be used; the message says why, the caller adds the name."""


def decode(ref: AudioRef, sample_rate: int) -> npt.NDArray[np.float32]:
    """Mono samples of a clip: float32[n] at ``sample_rate`` Hz. Raises AudioError."""
    if ref.data is None and ref.path is None:
        raise AudioError("no audio in the row (built with `audio: none`, or a licence keeps it back)")
    try:
        with soundfile.SoundFile(io.BytesIO(ref.data) if ref.data is not None else str(ref.path)) as file:
            rate = file.samplerate
            if ref.data is None and ref.start_s:
                file.seek(min(round(ref.start_s * rate), file.frames))
            seconds = ref.duration_s if ref.data is None and ref.duration_s else MAX_SECONDS
            samples = file.read(round(min(seconds, MAX_SECONDS) * rate), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        raise AudioError(f"cannot be decoded: {' '.join(str(error).split())}") from None
    return prepare(samples, rate, sample_rate)


def prepare(samples: npt.NDArray[np.floating], rate: int, sample_rate: int) -> npt.NDArray[np.float32]:
    """Mono float32[n] at ``sample_rate`` Hz of samples [n] or [n, channels] at ``rate`` Hz. Raises AudioError."""
    if samples.ndim not in (1, 2):
        raise AudioError(f"samples of shape {samples.shape}: need [n] or [n, channels]")
    mono = np.asarray(samples if samples.ndim == 1 else samples.mean(axis=1), dtype=np.float32)
    if len(mono) < MIN_SECONDS * rate:
        raise AudioError(f"{len(mono) / rate:.2f} s of audio: at least {MIN_SECONDS} s are needed")
    if not np.isfinite(mono).all():
        raise AudioError("holds NaN or infinity")
    if rate == sample_rate:
        return np.ascontiguousarray(mono)
    resampled: npt.NDArray[np.float32] = soxr.resample(mono, rate, sample_rate, quality="HQ")
    return resampled


def windows(samples: int, window: int, smallest: int) -> Iterator[tuple[int, int]]:
    """``(start, end)`` of consecutive windows; a rest under ``smallest`` samples is dropped, unless it is all."""
    for start in range(0, max(samples, 1), window):
        end = min(start + window, samples)
        if start == 0 or end - start >= smallest:
            yield start, end
