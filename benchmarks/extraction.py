"""Extraction failures, coverage and seconds per clip by stage on a folder of recorded music.

python -m benchmarks.extraction MUSIC [--clips-per-track 1] [--workers 2] [--out FOLDER]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import machine, wilson
from fgmcaps.pipeline.build.stage_file import StageFile
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.stats import collect_stats


def main() -> None:
    """Build and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("music", type=Path)
    parser.add_argument("--clips-per-track", default="1")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        out = args.out or Path(scratch) / "out"
        argv = [sys.executable, "-m", "fgmcaps", "build", str(args.music), str(out), "--quiet"]
        argv += ["--clips-per-track", args.clips_per_track, "--workers", str(args.workers)]
        subprocess.run(argv, check=True)
        counts, stats = read_manifest(out).counts, collect_stats(out)
        low, high = wilson(counts.failed, counts.clips_found)
        print(f"tracks {counts.tracks}, clips {counts.clips_found}, rows {counts.rows}")
        print(f"failed {counts.failed} = {counts.failed / counts.clips_found:.2%} (95 % {low:.2%} to {high:.2%})")
        print(f"failed by reason {counts.failed_by_reason}, filtered {counts.filtered} {counts.filtered_by_reason}")
        print("coverage " + ", ".join(f"{name} {share:.1%}" for name, share in stats.coverage.items()))
        print("seconds per clip by stage (CPU of one worker):")
        timings = StageFile(out / ".fgmcaps").read_timings()  # of this run: empty where everything was there already
        for stage, t in timings.items():
            print(f"  {stage:8} {t.seconds / t.count:.3f}  (x {t.count}, longest {t.max:.2f})")
        print(f"  {'all':8} {sum(t.seconds for t in timings.values()) / counts.clips_found:.3f}")


if __name__ == "__main__":
    main()
