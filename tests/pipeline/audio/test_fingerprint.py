"""Fingerprints of one recording stay near each other whatever is done to it; those of others are far."""

from functools import cache

import numpy as np
import pytest
import soxr

from fgmcaps.pipeline.audio.fingerprint import FRAMES_PER_S, fingerprint_of, from_bytes, to_bytes
from fgmcaps.pipeline.build.same_sound import find_matches

RATE = 22_050


@cache
def music(seed, seconds=30):
    """float32[n]: chords of random notes over random percussion."""
    rng = np.random.default_rng(seed)
    time = np.arange(seconds * RATE) / RATE
    out = np.zeros(len(time))
    start = 0.0
    while start < seconds:
        length = rng.uniform(0.2, 0.8)
        inside = slice(round(start * RATE), round((start + length) * RATE))
        for note in rng.choice(np.arange(48, 84), 3, replace=False):
            pitch = 440 * 2 ** ((note - 69) / 12)
            for harmonic in range(1, 6):
                out[inside] += np.sin(2 * np.pi * pitch * harmonic * time[inside]) / harmonic
        out[inside] += rng.normal(size=len(time[inside])) * np.exp(-(time[inside] - start) * 20)
        start += length
    return (out / np.abs(out).max() * 0.7).astype(np.float32)


CHANGES = {
    "level": lambda y: (0.2 * y, RATE),
    "rate": lambda y: (soxr.resample(y, RATE, 44_100), 44_100),
    "telephone": lambda y: (soxr.resample(y, RATE, 8_000), 8_000),
    "trimmed": lambda y: (y[round(1.337 * RATE) :], RATE),
    "delayed": lambda y: (np.concatenate([np.zeros(round(2.71 * RATE), np.float32), y]), RATE),
    "noise": lambda y: (y + 0.01 * np.random.default_rng(1).normal(size=len(y)).astype(np.float32), RATE),
    "clipped": lambda y: (np.clip(2 * y, -0.7, 0.7), RATE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_no_other_recording(change):
    tracks = [music(seed) for seed in range(6)]
    prints = [fingerprint_of(track, RATE) for track in tracks]
    prints.append(fingerprint_of(*CHANGES[change](tracks[2])))
    assert [(m.first, m.second) for m in find_matches(prints)] == [(2, 6)]


def test_the_offset_says_where_the_sound_lies():
    track = music(3, 40)
    late = fingerprint_of(track[10 * RATE :], RATE)
    (match,) = find_matches([fingerprint_of(track, RATE), late])
    assert match.offset == 10 * FRAMES_PER_S and match.error < 0.05


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(30 * RATE, np.float32),
        np.full(30 * RATE, 0.5, np.float32),
        np.zeros(0, np.float32),
        np.ones(100, np.float32),
    ],
)
def test_what_does_not_change_says_nothing_and_matches_nothing(samples):
    prints = [fingerprint_of(samples, RATE)] * 3
    assert find_matches(prints) == []


def test_silence_before_two_recordings_makes_them_no_copies():
    quiet = np.zeros(30 * RATE, np.float32)
    prints = [fingerprint_of(np.concatenate([quiet, music(seed, 15)]), RATE) for seed in (1, 2)]
    assert find_matches(prints) == []


def test_bytes_come_back():
    frames = fingerprint_of(music(0, 5), RATE)
    assert len(frames) > 20 and (from_bytes(to_bytes(frames)) == frames).all()
    assert to_bytes(np.array([258], np.uint16)) == b"\x02\x01"
