"""Clips per second of ``fgmcaps annotate`` over those of a plain process pool on the same clips, in one run.

    python -m benchmarks.overhead MUSIC [--tracks 70] [--clips-per-track 3] [--workers 2]

Both start from nothing (processes, models), decode the same windows and call the same annotators.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

from benchmarks.machine import machine
from fgmcaps.annotators import Profile, load_profile
from fgmcaps.pipeline.audio.decode import Decoder
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.sources import FolderSource
from fgmcaps.pipeline.sources.base import location_of, path_of
from fgmcaps.pipeline.stages.cut import ClipWork, TrackTask, clips_of
from fgmcaps.pipeline.stages.journal import TrackDone, scan
from fgmcaps.pipeline.stages.label import annotate, start_tools
from fgmcaps.schemas import Track
from fgmcaps.schemas.ids import track_id_of_digest

_profile: Profile
_decoder: Decoder


def _start(profile_name: str) -> None:
    global _profile, _decoder
    _profile, _decoder = load_profile(profile_name), Decoder()
    start_tools(_profile.annotators)


def _track(job: tuple[Path, int]) -> int:
    path, clips = job
    track = Track(track_id_of_digest(_decoder.hash(path)), location_of(path), "", path.name, 0, "")
    done = 0
    for work in clips_of(TrackTask(track), _decoder, clips):
        if isinstance(work, ClipWork):
            annotate(work.audio, _profile)
        done += 1
    return done


def pool_rate(paths: list[Path], clips: int, workers: int, profile: str) -> tuple[int, float]:
    """Clips and seconds of a ``multiprocessing`` pool, one track a task."""
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(workers, _start, (profile,)) as pool:
        done = sum(pool.imap_unordered(_track, [(p, clips) for p in paths], chunksize=1))
    return done, time.perf_counter() - started


def annotate_rate(music: Path, tracks: int, clips: int, workers: int, profile: str) -> tuple[int, float]:
    """Clips and seconds of ``fgmcaps annotate`` into an empty folder."""
    with tempfile.TemporaryDirectory() as out:
        argv = [
            sys.executable,
            "-m",
            "fgmcaps.pipeline.cli",
            "annotate",
            str(music),
            out,
            "--quiet",
            "--limit",
            str(tracks),
        ]
        argv += ["--clips-per-track", str(clips), "--workers", str(workers), "--profile", profile]
        started = time.perf_counter()
        subprocess.run(argv, check=True)
        seconds = time.perf_counter() - started
        folder = next((Path(out) / ".fgmcaps" / "annotations").iterdir())
        return sum(entry.outcomes for entry in scan(folder) if isinstance(entry, TrackDone)), seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("music", type=Path)
    parser.add_argument("--tracks", type=int, default=70)
    parser.add_argument("--clips-per-track", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--profile", default=BuildConfig().profile)
    args = parser.parse_args()
    files = list(FolderSource(args.music).files())[: args.tracks]
    print(machine())
    ours, ours_s = annotate_rate(args.music, args.tracks, args.clips_per_track, args.workers, args.profile)
    print(f"fgmcaps annotate: {ours} clips in {ours_s:.1f} s, {ours / ours_s:.3f} clips/s")
    plain, plain_s = pool_rate([path_of(f.location) for f in files], args.clips_per_track, args.workers, args.profile)
    print(f"process pool:     {plain} clips in {plain_s:.1f} s, {plain / plain_s:.3f} clips/s")
    print(f"ratio: {(ours / ours_s) / (plain / plain_s):.3f}")


if __name__ == "__main__":
    main()
