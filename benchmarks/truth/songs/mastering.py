"""What a record is made of besides notes: a singer over the band, overdriven, compressed, and cut off at the top."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from benchmarks.truth.synth import SAMPLE_RATE

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Master:
    """``voice_db``: of the singer against the band (RMS), None for no singer; ``drive_db``: into a soft limit;
    ``ratio`` and ``attack_s``: of a compressor (1 = none)."""

    voice_db: float | None
    drive_db: float
    ratio: float
    attack_s: float

    def record(self) -> dict[str, float | None]:
        """As it is written into the truth file."""
        return asdict(self)


def draw_master(rng: np.random.Generator) -> Master:
    """Seven of ten have a singer."""
    voice = round(float(rng.uniform(-7.0, 3.0)), 1) if rng.random() < 0.7 else None
    drive = round(float(rng.choice([0.0, rng.uniform(0, 6), rng.uniform(6, 14)], p=[0.4, 0.4, 0.2])), 1)
    ratio = round(float(rng.choice([1.0, rng.uniform(1.5, 6.0)])), 2)
    return Master(voice, drive, ratio, round(float(rng.uniform(0.002, 0.05)), 4))


def mastered(band: Samples, voice: Samples | None, master: Master) -> Samples:
    """Band and singer as one record; float32 [n], peak at most 1."""
    mix = band.astype(np.float64)
    level = _rms(mix)
    if voice is not None and master.voice_db is not None and _rms(voice) > 0:
        mix = mix + voice[: len(mix)] * (level * 10 ** (master.voice_db / 20) / _rms(voice))
    mix = mix / max(float(np.abs(mix).max()), 1e-9)
    if master.ratio > 1:
        mix = _compressed(mix, master.ratio, master.attack_s)
    if master.drive_db > 0:
        mix = np.tanh(mix * 10 ** (master.drive_db / 20))
    return np.asarray(mix / max(float(np.abs(mix).max()), 1e-9), np.float32)


def _compressed(samples: NDArray[np.float64], ratio: float, attack_s: float) -> NDArray[np.float64]:
    """Feed-forward compression above a threshold of twice the RMS less 6 dB, with one time constant."""
    pole = float(np.exp(-1 / (attack_s * SAMPLE_RATE)))
    envelope = np.sqrt(np.maximum(lfilter([1 - pole], [1, -pole], samples**2), 1e-10))
    over = np.maximum(envelope / _rms(samples), 1.0)
    return np.asarray(samples * over ** (1 / ratio - 1))


def _rms(samples: NDArray[np.float32] | NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
