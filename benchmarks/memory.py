"""Peak resident memory per worker of ``fgmcaps annotate`` at 100 and at 1,000 clips.

    python -m benchmarks.memory MUSIC [--small 100] [--large 1000] [--workers 2]

The decoder of a worker counts as part of it.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.machine import machine, wilson
from fgmcaps.pipeline.stages.journal import LetterEntry, TrackDone, scan


def peak_per_worker(music: Path, tracks: int, clips: int, workers: int) -> tuple[int, int, float]:
    """Clips done, failed, and the largest resident size of a Beam worker with its children, MB."""
    peak = 0.0
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
        build = subprocess.Popen([*argv, "--clips-per-track", str(clips), "--workers", str(workers)])
        watched = psutil.Process(build.pid)
        while build.poll() is None:
            for process in _workers(watched):
                peak = max(peak, _resident(process))
            time.sleep(0.1)
        if build.returncode:
            raise SystemExit(f"fgmcaps annotate ended with {build.returncode}")
        folder = next((Path(out) / ".fgmcaps" / "annotations").iterdir())
        entries = list(scan(folder))
        clips_done = sum(entry.outcomes for entry in entries if isinstance(entry, TrackDone))
        failed = sum(isinstance(entry, LetterEntry) and entry.kind == "failed" for entry in entries)
        return clips_done, failed, peak


def _workers(build: psutil.Process) -> list[psutil.Process]:
    found = []
    try:
        for process in build.children(recursive=True):
            argv = process.cmdline()
            if argv and "python" in Path(argv[0]).name and any("sdk_worker_main" in word for word in argv):
                found.append(process)
    except psutil.Error:
        pass
    return found


def _resident(worker: psutil.Process) -> float:
    try:
        return float(sum(p.memory_info().rss for p in [worker, *worker.children(recursive=True)])) / 2**20
    except psutil.Error:
        return 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("music", type=Path)
    parser.add_argument("--tracks", type=int, default=125, help="tracks of both runs' folder that are used at most")
    parser.add_argument("--small", type=int, default=100)
    parser.add_argument("--large", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    print(machine())
    per_track = -(-args.large // args.tracks)
    sizes = {}
    for wanted in (args.small, args.large):
        clips, failed, peak = peak_per_worker(args.music, -(-wanted // per_track), per_track, args.workers)
        sizes[wanted] = peak
        low, high = wilson(failed, clips)
        print(
            f"{clips} clips: peak {peak:.0f} MB per worker; failed {failed} (95 % {low:.2%} to {high:.2%})", flush=True
        )
    print(f"ratio: {sizes[args.large] / sizes[args.small]:.3f}")


if __name__ == "__main__":
    main()
