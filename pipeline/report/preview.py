"""A clip's audio as the report carries it: a small MP3 data URI, and the outline of its waveform.

MP3, because every browser plays it, and measured against Ogg/Opus and Ogg/Vorbis of the same libsndfile its bytes are
the same each time (Ogg streams carry a random number) and a decoded click lies at the same sample.
"""

import base64
import io
import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile

COLUMNS = 480
MAX_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Preview:
    """``uri`` plays in a browser; ``outline`` is an SVG path in a box of ``COLUMNS`` x 100, its middle at 50."""

    uri: str
    outline: str


def preview_of(data: bytes) -> Preview | None:
    """Preview of encoded audio; None where it cannot be decoded (the report then shows the labels alone)."""
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate = file.samplerate
            samples = file.read(MAX_SECONDS * rate, dtype="float32", always_2d=True).mean(axis=1)
    except (soundfile.SoundFileError, RuntimeError):
        return None
    if samples.size == 0 or not np.isfinite(samples).all():
        return None
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, samples, rate, format="MP3", subtype="MPEG_LAYER_III")
    except soundfile.SoundFileError:  # MP3 has no such sample rate
        return None
    return Preview(f"data:audio/mpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}", outline(samples))


def outline(samples: npt.NDArray[np.float32], columns: int = COLUMNS) -> str:
    """SVG path around the highest and lowest sample of each of ``columns`` equal parts, scaled to the clip's peak."""
    peak = float(np.abs(samples).max()) or 1.0
    edges = np.linspace(0, samples.size, columns + 1).astype(int)
    parts = [samples[a : max(b, a + 1)] for a, b in itertools.pairwise(edges)]
    top = [50 - 48 * float(part.max(initial=0.0)) / peak for part in parts]
    low = [50 - 48 * float(part.min(initial=0.0)) / peak for part in parts]
    up = "L".join(f"{x} {y:.1f}" for x, y in enumerate(top))
    down = "L".join(f"{x} {y:.1f}" for x, y in reversed(list(enumerate(low))))
    return f"M{up}L{down}Z"
