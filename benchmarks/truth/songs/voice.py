"""A loud lead that sings: harmonics of a gliding pitch through the formants of vowels, with vibrato and breath.

Formants: Peterson, Barney, "Control methods used in a study of the vowels", JASA 24(2), 1952 (means of men, women).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from benchmarks.truth.synth import SAMPLE_RATE

_VOWELS = (  # Hz of the first three formants: heed, hid, head, had, hod, hawed, hood, who'd, hud
    (290, 2500, 3100),
    (410, 2200, 2900),
    (570, 2000, 2700),
    (750, 1850, 2600),
    (790, 1150, 2600),
    (580, 870, 2550),
    (450, 1090, 2450),
    (330, 900, 2400),
    (690, 1270, 2600),
)
_STEP = 64  # samples between two values of a contour
_PENTATONIC = {"major": (0, 2, 4, 7, 9), "minor": (0, 3, 5, 7, 10), "blues": (0, 3, 5, 6, 7, 10)}


@dataclass(frozen=True, slots=True)
class Sung:
    """One sung note: seconds, MIDI pitch (not only whole), loudness 0 .. 1."""

    start: float
    end: float
    pitch: float
    loud: float


def tune(
    rng: np.random.Generator,
    beats: Sequence[float],
    triads: Sequence[tuple[float, float, tuple[int, ...]]],
    tonic: int | None,
    mode: str | None,
) -> list[Sung]:
    """A line over ``triads`` (start, end, pitch classes) on and between ``beats`` [s]: phrases with rests, notes of the
    chord on beats, of a pentatonic scale (or a blues scale) of ``tonic`` between; early or late as singers are."""
    scale_name = "blues" if rng.random() < 0.25 else (mode or "minor")
    scale = None if tonic is None else [(tonic + s) % 12 for s in _PENTATONIC[scale_name]]
    centre = float(rng.uniform(50, 72))
    pitch, late = centre, float(rng.normal(0, 0.02))
    notes: list[Sung] = []
    busy, resting = float(rng.uniform(0.45, 0.9)), 0
    for beat, after in pairwise(beats):
        if resting:
            resting -= 1
            continue
        if rng.random() < 0.12:
            resting = int(rng.integers(1, 4))
            continue
        parts = (0.0, 0.5) if rng.random() < 0.55 else (0.0,)
        for part in parts:
            if rng.random() > busy:
                continue
            at = beat + part * (after - beat)
            chord = next((tones for a, b, tones in triads if a <= at + 1e-6 < b), ())
            pool = [*chord] if part == 0.0 and rng.random() < 0.6 else [*(scale or chord)]
            if not pool:
                continue
            near = [p for p in range(int(centre) - 9, int(centre) + 10) if p % 12 in pool]
            weights = np.exp(-np.abs(np.array(near) - pitch) / 2.5)
            pitch = float(rng.choice(near, p=weights / weights.sum()))
            length = (after - beat) * (0.5 if len(parts) == 2 else float(rng.choice([0.9, 1.8], p=[0.7, 0.3])))
            start = max(0.0, at + late + float(rng.normal(0, 0.02)))
            notes.append(Sung(start, start + length * 0.95, pitch, float(rng.uniform(0.5, 1.0))))
    return notes


def sing(rng: np.random.Generator, notes: Sequence[Sung], seconds: float, cents: float) -> NDArray[np.float32]:
    """Samples float32 [seconds * SAMPLE_RATE] of peak 1 (silence without notes); ``cents``: the band's tuning."""
    count = round(seconds * SAMPLE_RATE)
    steps = count // _STEP + 2
    time = np.arange(steps) * _STEP / SAMPLE_RATE
    pitch, level = np.zeros(steps), np.zeros(steps)
    formants = np.tile(np.array(_VOWELS[4], float), (steps, 1))
    glide = float(rng.uniform(0.02, 0.09))
    depth, rate = float(rng.uniform(0.05, 0.5)), float(rng.uniform(4.8, 6.5))
    shift = float(rng.uniform(1.0, 1.2))
    before = notes[0].pitch if notes else 60.0
    for note in notes:
        inside = (time >= note.start) & (time < note.end + 0.05)
        age = time[inside] - note.start
        wanted = note.pitch + (before - note.pitch) * np.exp(-age / glide)
        pitch[inside] = wanted + depth * np.sin(2 * np.pi * rate * age) * np.clip((age - 0.15) / 0.2, 0, 1)
        fade = np.clip(age / 0.03, 0, 1) * np.clip((note.end + 0.05 - time[inside]) / 0.05, 0, 1)
        level[inside] = note.loud * fade
        formants[inside] = np.array(_VOWELS[int(rng.integers(0, len(_VOWELS)))], float) * shift
        before = note.pitch
    if not level.any():
        return np.zeros(count, np.float32)
    formants = _smooth(formants, 12)
    hertz = 440.0 * 2 ** ((pitch - 69 + cents / 100) / 12)
    grid, fine = np.arange(steps) * _STEP, np.arange(count)
    phase = 2 * np.pi * np.cumsum(np.interp(fine, grid, hertz)) / SAMPLE_RATE
    sound = np.zeros(count)
    lowest = float(hertz[level > 0].min())
    for harmonic in range(1, int(min(40, 5500 / max(lowest, 60.0))) + 1):
        at = harmonic * hertz
        gain = level * _resonance(at, formants) / harmonic * (at < 6000)
        sound += np.interp(fine, grid, gain) * np.sin(harmonic * phase)
    breath = sosfilt(butter(2, [2000, 9000], "band", fs=SAMPLE_RATE, output="sos"), rng.standard_normal(count))
    onset = np.maximum(np.diff(level, prepend=0.0), 0.0)
    puff = np.convolve(onset, np.exp(-np.arange(60) / 15), "full")[:steps]
    peak = float(np.abs(sound).max())
    sound += peak * np.interp(fine, grid, 0.02 * level + 0.15 * puff) * breath
    return np.asarray(sound / max(float(np.abs(sound).max()), 1e-9), np.float32)


def _resonance(hertz: NDArray[np.float64], formants: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain at ``hertz`` [n] of three resonances at ``formants`` [n, 3]."""
    width = np.array([90.0, 120.0, 170.0])
    strength = np.array([1.0, 0.5, 0.3])
    off = (hertz[:, None] - formants) / width
    return np.asarray((strength / np.sqrt(1 + off**2)).sum(axis=1) + 0.02)


def _smooth(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    kernel = np.ones(length) / length
    return np.stack([np.convolve(column, kernel, "same") for column in values.T], axis=1)
