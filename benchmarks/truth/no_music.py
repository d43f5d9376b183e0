"""Sounds that are no music: none of the labels may be given. Mono float32 at SAMPLE_RATE, peaks below 1."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from benchmarks.truth.debian import unpacked
from benchmarks.truth.mix import noise
from benchmarks.truth.synth import SAMPLE_RATE

Sound = NDArray[np.float32]
_ESPEAK = ("espeak-ng", "libespeak-ng1", "espeak-ng-data", "libpcaudio0", "libsonic0")
_VOICES = ("en-gb", "en-us", "de", "fr", "es", "it", "pt", "nl", "pl", "sv")
_TEXT = (
    "the weather report said it will rain in the north tomorrow while the south stays dry please leave your name and "
    "number after the tone and we will call you back when the office opens a train to the coast leaves from here"
)


def silence(rng: np.random.Generator, count: int) -> Sound:
    """Digital silence, or dither at one or two 16-bit steps."""
    return (rng.integers(-1, 2, count) * float(rng.integers(0, 3)) / 32768).astype(np.float32)


def coloured_noise(rng: np.random.Generator, count: int, colour: str) -> Sound:
    """White or pink noise at -40 .. -12 dBFS RMS."""
    sound = noise(rng, count, colour) * 10 ** (float(rng.uniform(-40, -12)) / 20)
    return np.asarray(np.clip(sound, -1, 1), np.float32)


def clicks(rng: np.random.Generator, count: int) -> Sound:
    """Clicks at random times (a Poisson process, 1 to 8 a second) over faint noise: no beat."""
    sound: Sound = noise(rng, count, "white") * np.float32(1e-4)
    places = np.flatnonzero(rng.random(count) < float(rng.uniform(1, 8)) / SAMPLE_RATE)
    for place in places:
        length = min(int(rng.integers(40, 600)), count - int(place))
        burst = rng.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
        sound[place : place + length] += (0.3 * float(rng.uniform(0.3, 1)) * burst).astype(np.float32)
    return np.asarray(np.clip(sound, -1, 1), np.float32)


def hum(rng: np.random.Generator, count: int) -> Sound:
    """Mains hum at 50 or 60 Hz with harmonics over noise: pitch, but no key, chord or beat."""
    base = float(rng.choice([50.0, 60.0])) * (1 + float(rng.uniform(-0.002, 0.002)))
    time = np.arange(count) / SAMPLE_RATE
    tone = sum(
        np.sin(2 * np.pi * base * k * time + rng.uniform(0, 6.3)) * float(rng.uniform(0.2, 1)) / k for k in range(1, 9)
    )
    return np.asarray(0.1 * tone + 0.003 * noise(rng, count, "pink"), np.float32)


def sweep(rng: np.random.Generator, count: int) -> Sound:
    """A sine that glides over the audible range, up or down, once to four times."""
    turns = int(rng.integers(1, 5))
    course = (np.arange(count) / count * turns) % 1
    if rng.random() < 0.5:
        course = 1 - course
    frequency = 60 * (8000 / 60) ** course
    return (float(rng.uniform(0.05, 0.5)) * np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE)).astype(np.float32)


def random_notes(rng: np.random.Generator, count: int) -> Sound:
    """Decaying tones of random pitch (any cents), time and length: neither beat nor key."""
    sound = np.zeros(count, np.float32)
    for _ in range(int(rng.integers(25, 90))):
        start = int(rng.integers(0, count - 4000))
        length = min(int(rng.uniform(0.1, 1.5) * SAMPLE_RATE), count - start)
        time = np.arange(length) / SAMPLE_RATE
        pitch = 55 * 2 ** float(rng.uniform(0, 5))
        tone = sum(np.sin(2 * np.pi * pitch * k * time) / k**2 for k in range(1, 5))
        decay = np.exp(-time * float(rng.uniform(2, 8))) * np.minimum(1, time * 200) * np.minimum(1, time[::-1] * 50)
        sound[start : start + length] += (tone * decay).astype(np.float32)
    return np.asarray(sound / np.abs(sound).max() * float(rng.uniform(0.2, 0.9)), np.float32)


def speech(rng: np.random.Generator, count: int, tools: Path) -> Sound:
    """Speech of espeak-ng (unpacked from Debian under ``tools``): one of ten voices, random pitch and rate."""
    program = unpacked(tools, "usr/bin/espeak-ng", *_ESPEAK)
    libraries = next((tools / "usr/lib").glob("*/libespeak-ng.so.1")).parent
    text = " ".join(str(word) for word in rng.choice(_TEXT.split(), 60))
    voice, pitch, speed = str(rng.choice(_VOICES)), int(rng.integers(20, 90)), int(rng.integers(120, 220))
    with TemporaryDirectory() as folder:
        target = Path(folder, "speech.wav")
        how = ["-v", voice, "-p", str(pitch), "-s", str(speed), "-w", str(target)]
        environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
        command = [str(program), f"--path={libraries}", *how, text]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        samples, rate = soundfile.read(target, dtype="float32")
    samples = soxr.resample(samples, rate, SAMPLE_RATE)
    return (np.pad(samples, (0, max(0, count - len(samples))))[:count] * float(rng.uniform(0.3, 0.95))).astype(
        np.float32
    )
