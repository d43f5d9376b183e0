"""A clip's samples as FLAC bytes for the ``audio`` column."""

import io

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from fgmcaps.schemas import CLIP_SAMPLE_RATE

FULL_SCALE = 32_768


def encode_flac(samples: npt.NDArray[np.float32], sample_rate: int) -> bytes:
    """24 kHz mono 16-bit FLAC of ``samples`` (float32[n], nominally -1 .. 1, at ``sample_rate`` Hz). Deterministic.

    - Resampled with soxr HQ where needed. The result has exactly ``round(n * 24000 / sample_rate)`` samples (10 s give
      240,000): a resampler's last sample too many is cut, one too few is a zero.
    - Full scale is 32,768, so that 16-bit audio at 24 kHz comes back bit for bit. A clip that exceeds full scale, as
      decoded MP3 does, is turned down until its peak fits, rather than clipped: the waveform keeps its shape.

    Raises ValueError for an empty or non-finite clip, more than one channel or a sample rate that is not positive.
    """
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"need mono samples of shape [n], n > 0, got shape {samples.shape}")
    if sample_rate <= 0:
        raise ValueError(f"sample rate must be positive, got {sample_rate}")
    if not np.isfinite(samples).all():
        raise ValueError("samples hold NaN or infinity; the gate must turn such a clip away")
    length = max(1, round(samples.size * CLIP_SAMPLE_RATE / sample_rate))
    if sample_rate != CLIP_SAMPLE_RATE:
        samples = soxr.resample(samples, sample_rate, CLIP_SAMPLE_RATE, quality="HQ")
    samples = samples[:length]
    if samples.size < length:
        samples = np.pad(samples, (0, length - samples.size))
    scaled = samples.astype(np.float64) * FULL_SCALE
    peak = float(np.abs(scaled).max())
    if peak > FULL_SCALE:
        scaled *= (FULL_SCALE - 1) / peak
    pcm = np.clip(np.rint(scaled), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, CLIP_SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
