"""What must hold for the ``audio`` value of a row."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import soundfile

from fgmcaps.schemas import CLIP_SAMPLE_RATE, CLIP_SECONDS

MAX_GRID_SLACK = 3  # samples at 24 kHz: one sample at 8 kHz
WITHHELD_FLAG = "audio:licence"  # qc flag of a row whose audio stayed behind when its dataset was published
MAX_AUDIO_BYTES = 4 << 20  # a 10 s clip as 16-bit mono PCM has 480 kB


def audio_policy(audio: Mapping[str, Any] | None) -> str:
    """``embed``, ``path`` or ``none``."""
    if audio is None or (audio["bytes"] is None and audio["path"] is None):
        return "none"
    return "path" if audio["bytes"] is None else "embed"


def audio_problems(audio: Mapping[str, Any] | None, duration_s: float) -> Iterator[str]:
    """What is wrong with embedded audio: size, format, rate, channels, length, samples. Else nothing."""
    data = None if audio is None else audio["bytes"]
    if data is None:
        return
    if not 0 < len(data) <= MAX_AUDIO_BYTES:
        yield f"{len(data)} bytes of audio: expected 1 to {MAX_AUDIO_BYTES}"
        return
    expected = round(duration_s * CLIP_SAMPLE_RATE)
    # A clip cut at another rate ends on that rate's grid; a full one ends on both.
    slack = 0 if duration_s == CLIP_SECONDS else MAX_GRID_SLACK
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if (file.format, file.samplerate, file.channels) != ("FLAC", CLIP_SAMPLE_RATE, 1):
                found = f"{file.format}, {file.samplerate} Hz, {file.channels} channels"
                yield f"{found}: expected FLAC, {CLIP_SAMPLE_RATE} Hz, mono"
                return
            # Read by what is expected, never by what the header claims.
            samples = file.read(expected + slack + 1, dtype="float32")
    except (soundfile.SoundFileError, RuntimeError) as error:
        yield f"cannot be decoded: {error}"
        return
    if abs(len(samples) - expected) > slack:
        more = "+" if len(samples) > expected else ""
        yield f"{len(samples)}{more} samples: expected {expected}"
    elif not np.isfinite(samples).all():
        yield "holds NaN or infinity"
