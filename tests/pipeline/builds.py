"""Real builds for the slow tests: a small corpus cut from real recordings, and the command run as a user runs it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile as sf

from fgmcaps.pipeline.demo import demo_music

# Real tools, the quick ones: a build of six clips takes seconds.
FAST = """
profile_overrides:
  fusion: {recipe: paper}
  stages:
    beats: [{tool: beatnet}]
    key: [{tool: essentia_key, options: {profile: bgate}}]
    chords: [{tool: madmom_chords}]
rows_per_shard: 3
"""


def write_fast_config(folder: Path) -> Path:
    """The configuration of the fast builds."""
    path = folder / "fast.yaml"
    path.write_text(FAST)
    return path


def cut_corpus(folder: Path, tracks: int, seconds: float = 11.0) -> list[Path]:
    """``tracks`` real excerpts, in several formats, in subfolders."""
    sources = sorted(demo_music().rglob("*.opus"))
    formats = ("flac", "wav", "ogg", "mp3")
    out = []
    for i in range(tracks):
        samples, rate = sf.read(sources[i], dtype="float32", stop=round(seconds * 48_000))
        path = folder / f"album {i % 2}" / f"track {i}.{formats[i % len(formats)]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, samples, rate)
        out.append(path)
    return out


def command(*args: object) -> list[str]:
    """argv of ``fgmcaps`` in this environment."""
    return [sys.executable, "-m", "fgmcaps", *map(str, args)]


def run(*args: object, **more: object) -> "subprocess.CompletedProcess[str]":
    """Run ``fgmcaps``; output as text. A build that hangs fails the test."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command(*args), capture_output=True, text=True, timeout=300, env=environment, **more)  # type: ignore[call-overload,no-any-return]


def digest(out: Path) -> dict[str, str]:
    """SHA-256 of every published file that must be equal in equal builds."""
    names = [p for p in out.rglob("*") if p.is_file() and ".fgmcaps" not in p.parts and p.name != "report.html"]
    return {p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(names)}


def manifest(out: Path) -> dict[str, object]:
    """The manifest as plain JSON."""
    data: dict[str, object] = json.loads((out / "manifest.json").read_text())
    return data


def letters(out: Path) -> list[dict[str, object]]:
    """All dead letters."""
    return [json.loads(line) for path in sorted((out / "failures").glob("f*.jsonl")) for line in path.open()]


def tone(seconds: float, rate: int = 44_100, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Chords with a pulse, loud enough for the gate; another recording for another seed."""
    t = np.arange(round(seconds * rate)) / rate
    roots = np.random.default_rng(seed).integers(-9, 10, 60)[(2 * t).astype(int)]
    phase = 2 * np.pi * np.cumsum(2.0 ** (roots / 12)) / rate
    chord = sum(np.sin(f * phase) for f in (261.6, 329.6, 392.0)) / 4
    mono = chord * (0.4 + 0.6 * (np.sin(2 * np.pi * 2 * t) > 0))
    return np.repeat(mono[:, None], channels, axis=1).astype(np.float32)
