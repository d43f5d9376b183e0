"""Two profiles on the same clips, attribute by attribute: does the second lose more than chance?

python -m benchmarks.labels.paired TRUTH DUMP_FAST fast DUMP best [--split test]

Prints how much more the first scores than the second at full coverage, in points, with 95 % bootstrap intervals of the
difference over style families.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.labels.corpus import load
from benchmarks.machine import machine
from fgmcaps.annotators import load_profile
from fgmcaps.annotators.evaluation import ATTRIBUTES, Judged, bootstrap_interval
from fgmcaps.pipeline.labels.evaluate import judge_profile


def judged_by_name(truth: Path, dump: Path, name: str, split: str) -> dict[str, Judged]:
    """Every clip of the split as the profile labels it."""
    profile = load_profile(name)
    clips = load(truth / "rendered", dump / "rendered", [tool.name for tool in profile.tools])
    clips = [clip for clip in clips if clip.split == split]
    found = judge_profile([(() if c.gate is not None else c.estimates, c.truth) for c in clips], profile)
    return {clip.name: judged for clip, judged in zip(clips, found, strict=True)}


def mean_of(gain: npt.NDArray[np.float64], rows: npt.NDArray[np.intp]) -> float:
    """Mean over some clips."""
    return float(gain[rows].mean())


def main() -> None:
    """Judge both, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    for number in ("first", "second"):
        parser.add_argument(f"{number}_dump", type=Path)
        parser.add_argument(f"{number}_profile")
    parser.add_argument("--split", default="validation")
    args = parser.parse_args()
    print(machine())
    first = judged_by_name(args.truth, args.first_dump, args.first_profile, args.split)
    second = judged_by_name(args.truth, args.second_dump, args.second_profile, args.split)
    names = sorted(first.keys() & second.keys())
    print(f"{args.first_profile} less {args.second_profile}, {len(names)} clips of split {args.split}")
    print("| attribute | clips | difference, points |\n|---|---:|---:|")
    for attribute in ATTRIBUTES:
        pairs = [(first[n].scores.of(attribute), second[n].scores.of(attribute), first[n].group) for n in names]
        known = [(a - b, group) for a, b, group in pairs if a is not None and b is not None]
        gain = np.array([difference for difference, _ in known])
        low, high = bootstrap_interval(partial(mean_of, gain), [group for _, group in known])
        print(f"| {attribute} | {gain.size} | {100 * gain.mean():+.1f} ({100 * low:+.1f} to {100 * high:+.1f}) |")


if __name__ == "__main__":
    main()
