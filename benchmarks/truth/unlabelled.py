"""Recordings whose truth nobody wrote down: several clips of each track, to see whether labels of one track agree.

What two clips of a steady track are said to be must be the same; how often it is bounds how right it can be.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.truth.chart import CLIP_S
from benchmarks.truth.jams_file import jams_text
from benchmarks.truth.manifest import write_manifest
from benchmarks.truth.render import write_clip
from benchmarks.truth.truth import TruthClip

_PLACES = (0.2, None, 0.5, 0.75)  # of the track; None: right behind the one before
_LEAST_S = 60.0
_LEAST_RMS = 0.003
FORMATS = (".ogg", ".oga", ".mp3", ".flac", ".wav", ".opus")


def write_unlabelled(folder: Path, music: Path, per_package: int) -> dict[str, int]:
    """Writes four clips of up to ``per_package`` tracks of each folder of ``music``, and the manifest; counts them."""
    counts: dict[str, int] = {}
    for package in sorted(path for path in music.iterdir() if path.is_dir()):
        tracks = [p for p in sorted(package.rglob("*")) if p.suffix.lower() in FORMATS and p.is_file()]
        tracks.sort(key=lambda path: hashlib.sha256(path.relative_to(music).as_posix().encode()).digest())
        done = 0
        for track in tracks:
            if done == per_package:
                break
            done += _write_track(folder, track, track.relative_to(music).as_posix(), package.name)
        counts[package.name] = done
    write_manifest(folder)
    return counts


def _write_track(folder: Path, path: Path, name: str, package: str) -> bool:
    """Whether the track is long enough, can be read and sounds at all four places."""
    slug = hashlib.sha256(name.encode()).hexdigest()[:10]
    paths = [folder / "clips" / package / f"{slug}-{number}.flac" for number in range(len(_PLACES))]
    if all(p.exists() and p.with_suffix(".jams").exists() for p in paths):
        return True
    clips = list(_cut(path))
    if len(clips) < len(_PLACES):
        return False
    for target, (start, samples, rate) in zip(paths, clips, strict=True):
        truth = TruthClip(
            path=target,
            split="test",
            family=name,
            style=package,
            library="unlabelled",
            tempo_bpm=None,
            beats=(),
            downbeats=(),
            meter=None,
            beats_per_bar=None,
            key=None,
            chords=(),
            marks=("unlabelled",),
            sandbox={"start_s": start, "licence": f"see the copyright file of Debian's {package}"},
            duration_s=CLIP_S,
        )
        if rate != 44_100:
            return False
        write_clip(target, samples, jams_text(truth, []))
    return True


def _cut(path: Path) -> Iterator[tuple[float, NDArray[np.float32], int]]:
    try:
        with soundfile.SoundFile(path) as file:
            seconds, rate = file.frames / file.samplerate, file.samplerate
            if seconds < _LEAST_S or rate != 44_100:
                return
            start = 0.0
            for place in _PLACES:
                start = start + CLIP_S if place is None else round(place * seconds, 3)
                file.seek(round(start * rate))
                samples = file.read(round(CLIP_S * rate), dtype="float32", always_2d=True).mean(axis=1)
                if len(samples) == round(CLIP_S * rate) and float(np.sqrt(np.mean(samples**2))) > _LEAST_RMS:
                    yield start, np.asarray(samples, np.float32), rate
    except soundfile.LibsndfileError:
        return
