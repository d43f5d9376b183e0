"""Signals with exact truth, made here, and windows of real music from a package."""

from collections.abc import Callable
from pathlib import Path

import immich_memories_music
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

Samples = npt.NDArray[np.float32]
RATE = 44_100
TRACKS = sorted(Path(immich_memories_music.tracks_dir()).rglob("*.opus"))
_STEPS = {"maj": (0, 4, 7), "min": (0, 3, 7), "dim": (0, 3, 6), "7": (0, 4, 7, 10)}


def real_clip(index: int, start_s: float = 8.0, seconds: float = 10.0) -> tuple[Samples, int]:
    """``(mono float32, sample rate)``: a window of one of the package's tracks, in the order of their paths."""
    with soundfile.SoundFile(TRACKS[index]) as file:
        file.seek(int(start_s * file.samplerate))
        samples = file.read(int(seconds * file.samplerate), dtype="float32", always_2d=True)
        return np.ascontiguousarray(samples.mean(axis=1), dtype=np.float32), file.samplerate


def tone(midi: float, seconds: float, rate: int = RATE) -> npt.NDArray[np.float64]:
    """A note with six decaying partials and soft edges."""
    t = np.arange(int(seconds * rate)) / rate
    hz = 440.0 * 2 ** ((midi - 69) / 12)
    wave = sum(np.sin(2 * np.pi * hz * k * t) / k**1.5 for k in range(1, 7) if hz * k < rate / 2)
    edge = np.minimum(1.0, np.minimum(t, t[-1] - t) / 0.01)
    return np.asarray(wave * edge)


def chord_pad(chords: list[tuple[int, str]], seconds_each: float, rate: int = RATE) -> Samples:
    """Chords ``(root pitch class, quality)`` one after the other: root in the bass, close position above."""
    parts = []
    for root, quality in chords:
        voice = 0.8 * tone(36 + root, seconds_each, rate)
        for step in _STEPS[quality]:
            voice = voice + 0.5 * tone(60 + (root + step) % 12, seconds_each, rate)
        parts.append(voice)
    mix = np.concatenate(parts)
    return (0.5 * mix / np.abs(mix).max()).astype(np.float32)


def band(bpm: float, beats_per_bar: int, chords: list[tuple[int, str]], seconds: float = 10.0) -> Samples:
    """Kick on 1, snare on the other beats (4/4: 2 and 4), hi-hat on eighths, one chord a bar; starts on beat 1."""
    beat = 60.0 / bpm
    out = np.zeros(int((seconds + 4) * RATE))
    noise = np.random.default_rng(7).standard_normal(RATE)

    def add(at_s: float, wave: npt.NDArray[np.float64]) -> None:
        start = int(at_s * RATE)
        stop = min(out.size, start + wave.size)
        out[start:stop] += wave[: stop - start]

    t = np.arange(int(0.25 * RATE)) / RATE
    kick = np.sin(2 * np.pi * (50 * t + 30 * (1 - np.exp(-t * 30)) / 30)) * np.exp(-t * 14)
    snare = noise[: t.size] * np.exp(-t * 25) * 0.35
    hat = np.diff(noise[: t.size + 1]) * np.exp(-t * 90) * 0.15
    for i in range(int(seconds / beat) + 1):
        position = i % beats_per_bar
        if position == 0:
            add(i * beat, 1.1 * kick)
            root, quality = chords[(i // beats_per_bar) % len(chords)]
            bar = beat * beats_per_bar
            add(i * beat, 0.30 * tone(36 + root, bar))
            for step in _STEPS[quality]:
                add(i * beat, 0.10 * tone(60 + (root + step) % 12, bar))
        elif beats_per_bar == 4 and position == 2:
            add(i * beat, 0.6 * kick)
        else:
            add(i * beat, snare)
        add(i * beat, hat)
        add((i + 0.5) * beat, 0.6 * hat)
    out = out[: int(seconds * RATE)]
    return (0.7 * out / np.abs(out).max()).astype(np.float32)


@pytest.fixture(scope="session")
def music() -> Callable[..., tuple[Samples, int]]:
    """:func:`real_clip`."""
    return real_clip


@pytest.fixture(scope="session")
def pad() -> Callable[..., Samples]:
    """:func:`chord_pad`."""
    return chord_pad


@pytest.fixture(scope="session")
def play() -> Callable[..., Samples]:
    """:func:`band`."""
    return band
