"""The manifest that ``fgmcaps build`` reads: one line a clip."""

import csv
import os
from pathlib import Path

from benchmarks.truth.jams_file import read_jams

COLUMNS = ("path", "title", "genre", "split", "licence")


def audio_files(folder: Path) -> list[Path]:
    """The clips of a truth folder that are complete (audio and JAMS), by name."""
    truths = (jams.with_suffix(".flac") for jams in folder.glob("clips/*/*.jams"))
    return sorted(audio for audio in truths if audio.exists())


def write_manifest(folder: Path) -> int:
    """Writes ``manifest.csv`` from the clips that exist; returns how many. Readers see the old one or the new one."""
    files = audio_files(folder)
    part = folder / f".manifest.{os.getpid()}.part"
    with part.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        for audio in files:
            clip = read_jams(audio.with_suffix(".jams"), audio)
            table.writerow(
                [audio.relative_to(folder), audio.stem, clip.family, clip.split, clip.sandbox.get("licence", "CC0-1.0")]
            )
    part.replace(folder / "manifest.csv")
    return len(files)
