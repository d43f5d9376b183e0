"""Clips of a folder for the annotator benchmarks: audio files of about ten seconds, by name."""

import re
from pathlib import Path

import numpy as np
import soundfile

from fgmcaps.annotators import ClipAudio

SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}
MAX_SECONDS = 15.0
_PARTIAL = re.compile(r"^\.|\.part\.")


def clip_paths(folder: Path) -> list[Path]:
    """Audio files under ``folder``, by relative path, without hidden and half-written (``.part.``) ones."""
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    return [folder / p for p in sorted(found, key=Path.as_posix) if not any(map(_PARTIAL.search, p.parts))]


def read_clip(path: Path) -> ClipAudio:
    """Mono samples of one file. Raises ValueError for a file longer than 15 s: cut it into clips first."""
    with soundfile.SoundFile(path) as file:
        seconds = file.frames / file.samplerate
        if seconds > MAX_SECONDS:
            raise ValueError(f"{path}: {seconds:.1f} s of audio; this benchmark reads clips of 10 s, cut it first")
        samples = file.read(dtype="float32", always_2d=True)
        return ClipAudio(np.ascontiguousarray(samples.mean(axis=1), dtype=np.float32), file.samplerate)
