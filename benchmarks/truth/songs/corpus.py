"""The corpus of real songs: which song is in which split, and its windows rendered and written."""

import hashlib
import logging
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.truth.manifest import write_manifest
from benchmarks.truth.plan import SOUNDFONT_SHARES
from benchmarks.truth.soundfonts import find_soundfont
from benchmarks.truth.synth import Synth

log = logging.getLogger(__name__)
SPLITS = {"train": 0.60, "validation": 0.15, "test": 0.25}


def split_of_song(name: str) -> str:
    """The split of a song by its name alone."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    for split, share in SPLITS.items():
        if place < share:
            return split
        place -= share
    return "test"


def soundfont_of(split: str, rng: np.random.Generator) -> str:
    """The name of a soundfont of a split; MuseScoreLite sounds in the test split only."""
    shares = SOUNDFONT_SHARES[split]
    return str(rng.choice(list(shares), p=list(shares.values())))


@cache
def synth(font: str, tools: Path) -> Synth:
    """One a process and soundfont."""
    return Synth(find_soundfont(font, tools))


def write_songs(
    folder: Path, jobs: Sequence[object], write: Callable[[object], list[str]], workers: int
) -> dict[str, int]:
    """Runs ``write(job)`` for every song, which returns ``made``, ``kept`` or a reason for each window; counts them."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"made": 0, "kept": 0, "refused": 0}
    context = multiprocessing.get_context("spawn")  # forking a process that has threads may hang
    with ProcessPoolExecutor(workers, context) as pool:
        for done, results in enumerate(pool.map(write, jobs, chunksize=2), start=1):
            for result in results:
                counts[result if result in counts else "refused"] += 1
                if result not in counts:
                    log.info("%s", result)
            if done % 50 == 0:
                write_manifest(folder)
                log.info("%d of %d songs: %s", done, len(jobs), counts)
    write_manifest(folder)
    return counts
