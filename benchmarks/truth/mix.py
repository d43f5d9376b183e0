"""Light mixing: what happens to music between the studio and a data set. Every step is a number in the truth file."""

import io
from dataclasses import asdict, dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import lfilter

from benchmarks.truth.synth import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Mix:
    """``peak_dbfs`` of the clip, ``tilt_db`` = treble minus bass about 1 kHz, reverb in 0 .. 1, ``noise_db`` relative
    to the music's RMS or None, ``codec`` none / mp3 / ogg with ``codec_level`` 0 .. 1 (libsndfile's compression
    level)."""

    peak_dbfs: float
    tilt_db: float
    reverb_room: float
    reverb_level: float
    noise: str
    noise_db: float | None
    codec: str
    codec_level: float
    seed: int

    def record(self) -> dict[str, object]:
        """As it is written into the truth file."""
        return asdict(self)


def draw_mix(rng: np.random.Generator) -> Mix:
    """Random settings."""
    noise = str(rng.choice(["none", "white", "pink"], p=[0.4, 0.3, 0.3]))
    codec = str(rng.choice(["none", "mp3", "ogg"], p=[0.45, 0.35, 0.2]))
    # libsndfile maps 0 .. 1 to 320 .. 32 kb/s (mp3) and to Vorbis quality 1 .. 0: about 64 to 192 kb/s of music.
    level = {"none": 0.0, "mp3": float(rng.uniform(0.45, 0.88)), "ogg": float(rng.uniform(0.2, 0.7))}[codec]
    return Mix(
        round(float(rng.uniform(-20, -0.3)), 2),
        round(float(rng.uniform(-8, 8)), 2),
        round(float(rng.uniform(0.1, 0.95)), 3),
        round(float(rng.choice([0.0, 0.25, 0.5, 0.8])), 3),
        noise,
        None if noise == "none" else round(float(rng.uniform(-60, -35)), 1),
        codec,
        round(level, 3),
        int(rng.integers(0, 2**31)),
    )


def apply_mix(samples: NDArray[np.float32], mix: Mix, start: int, count: int) -> NDArray[np.float32]:
    """``count`` samples from ``start`` of mono float32 ``samples`` [n], tilted, with noise, coded and levelled.

    A lossy round trip keeps the time: what libsndfile reads back starts where what it wrote began.
    """
    rng = np.random.default_rng(mix.seed)
    sound = _tilt(samples, mix.tilt_db)
    if mix.noise_db is not None:
        rms = float(np.sqrt(np.mean(sound[start : start + count] ** 2)))
        sound = sound + rms * 10 ** (mix.noise_db / 20) * noise(rng, len(sound), mix.noise)
    sound = sound / max(float(np.abs(sound).max()), 1e-9) * 0.9
    if mix.codec != "none":
        sound = round_trip(sound, mix.codec, mix.codec_level)
    clip = sound[start : start + count]
    return (clip / max(float(np.abs(clip).max()), 1e-9) * 10 ** (mix.peak_dbfs / 20)).astype(np.float32)


def _tilt(samples: NDArray[np.float32], tilt_db: float) -> NDArray[np.float32]:
    """First-order split at 1 kHz: the low part turned down by half of ``tilt_db``, the high part up by as much."""
    pole = float(np.exp(-2 * np.pi * 1000 / SAMPLE_RATE))
    low = lfilter([1 - pole], [1, -pole], samples).astype(np.float32)
    gain = 10 ** (tilt_db / 40)
    return np.asarray(low / np.float32(gain) + (samples - low) * np.float32(gain), np.float32)


def noise(rng: np.random.Generator, count: int, colour: str) -> NDArray[np.float32]:
    """``white`` or ``pink`` (power 1/f) noise of RMS 1, float32 [count]."""
    white = rng.standard_normal(count).astype(np.float32)
    if colour == "white":
        return white
    # Kellet's economy pink filter: within .5 dB of 1/f above 40 Hz, and far cheaper than a spectrum.
    poles, gains = (0.99765, 0.96300, 0.57000), (0.0990460, 0.2965164, 1.0526913)
    pink = 0.1848 * white
    for pole, gain in zip(poles, gains, strict=True):
        pink = pink + lfilter([gain], [1, -pole], white).astype(np.float32)
    return np.asarray(pink / np.sqrt(np.mean(pink**2)), np.float32)


def round_trip(samples: NDArray[np.float32], codec: str, level: float) -> NDArray[np.float32]:
    """Encoded to mp3 or ogg in memory and decoded; float32 [n], padded or cut to the length that went in."""
    kind = {"mp3": ("MP3", "MPEG_LAYER_III"), "ogg": ("OGG", "VORBIS")}[codec]
    buffer = io.BytesIO()
    rate = {"bitrate_mode": "CONSTANT"} if codec == "mp3" else {}
    soundfile.write(buffer, samples, SAMPLE_RATE, format=kind[0], subtype=kind[1], compression_level=level, **rate)
    buffer.seek(0)
    back, _ = soundfile.read(buffer, dtype="float32")
    return np.pad(back[: len(samples)], (0, max(0, len(samples) - len(back))))
