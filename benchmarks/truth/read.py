"""The truth corpora for whoever judges or fits labels: ``read_truth(folder)``."""

from pathlib import Path

from benchmarks.truth.jams_file import read_jams
from benchmarks.truth.manifest import audio_files
from benchmarks.truth.truth import TruthClip

__all__ = ["TruthClip", "read_truth"]


def read_truth(folder: Path | str) -> list[TruthClip]:
    """All complete clips of a folder that ``python -m benchmarks.truth`` wrote, by name.

    FileNotFoundError if there are none.
    """
    files = audio_files(Path(folder))
    if not files:
        raise FileNotFoundError(f"{folder}: no truth clips here: python -m benchmarks.truth render {folder}")
    return [read_jams(audio.with_suffix(".jams"), audio) for audio in files]
