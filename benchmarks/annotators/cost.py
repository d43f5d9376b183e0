"""Processor seconds per clip by tool and in all, from decoded samples to labels.

python -m benchmarks.annotators.cost CLIPS [--profile best] [--limit 30]

Process time of one process with one thread a library: resampling, gate, every tool with its evidence, fusion. The first
clip warms caches up and is not counted. Other work on the machine makes the figures larger (shared caches and cores).
"""

import argparse
import os
import time
import warnings
from collections import defaultdict
from pathlib import Path

from benchmarks.annotators.clips import clip_paths, read_clip
from benchmarks.machine import machine
from fgmcaps.annotators import fuse, gate, load_profile

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--profile", default="best")
    parser.add_argument("--limit", type=int, default=30)
    args = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in _ONE_THREAD):
        parser.exit(2, f"set {' and '.join(f'{name}=1' for name in _ONE_THREAD)}: the build's workers run so\n")
    warnings.simplefilter("ignore")
    profile = load_profile(args.profile)
    paths = clip_paths(args.clips)[: args.limit + 1]
    if len(paths) < 2:
        parser.exit(2, f"{args.clips}: at least two clips are needed, found {len(paths)}\n")
    for tool in profile.annotators:
        tool.setup()
    seconds: dict[str, float] = defaultdict(float)
    for index, path in enumerate(paths):
        audio = read_clip(path)
        marks = [time.process_time()]
        names = ["resample", "gate", *(tool.info.name for tool in profile.annotators), "fuse"]
        for tool in profile.annotators:
            audio.at(tool.sample_rate)
        marks.append(time.process_time())
        gate(audio.samples, audio.sample_rate, profile.gate)
        marks.append(time.process_time())
        estimates = []
        for tool in profile.annotators:
            estimates.append(tool.annotate(audio.at(tool.sample_rate), tool.sample_rate))
            marks.append(time.process_time())
        fuse(estimates, profile.fusion)
        marks.append(time.process_time())
        if index > 0:
            for name, start, end in zip(names, marks[:-1], marks[1:], strict=True):
                seconds[name] += end - start
    counted = len(paths) - 1
    print(machine())
    print(f"profile {args.profile}, {counted} clips, load {os.getloadavg()[0]:.1f}")
    for name, total in seconds.items():
        print(f"  {name:24} {total / counted:.3f}")
    print(f"  {'all':24} {sum(seconds.values()) / counted:.3f} CPU s a clip")


if __name__ == "__main__":
    main()
