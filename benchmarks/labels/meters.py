"""Which time signatures are taken for which, and what the meter would reach if 2/4 and 4/4 were one.

python -m benchmarks.labels.meters DUMP TRUTH [--profile best] [--split validation]

Counts are before the filter. A bar of 4/4 can be written as two of 2/4: where nothing but the writer's habit tells them
apart, no tool can be right more often than that habit can be guessed.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.labels.corpus import load
from benchmarks.machine import machine
from fgmcaps.annotators import load_profile
from fgmcaps.annotators.evaluation import bootstrap_interval, coverage_at
from fgmcaps.annotators.fusion.calibrated import decide_rhythm
from fgmcaps.annotators.fusion.fusion_model import load_model
from fgmcaps.annotators.fusion.hypotheses.meter import METERS

Floats = npt.NDArray[np.float64]

ALIKE = {"2/4": "4/4"}


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--profile", default="best")
    parser.add_argument("--split", default="validation")
    args = parser.parse_args()
    print(machine())
    profile = load_profile(args.profile)
    model = load_model(profile.fusion.model)
    confusion: Counter[tuple[str, str]] = Counter()
    exact, alike, chance, family = [], [], [], []
    clips = load(args.truth / "rendered", args.dump / "rendered", [tool.name for tool in profile.tools])
    for clip in clips:
        truth = clip.truth.time_signature
        if clip.split != args.split or clip.gate is not None or truth is None:
            continue
        rhythm = decide_rhythm(clip.estimates, model)
        said = "" if rhythm is None else rhythm.signature
        confusion[truth, said] += 1
        exact.append(float(said == truth))
        alike.append(float(ALIKE.get(said, said) == ALIKE.get(truth, truth)))
        chance.append(0.0 if rhythm is None else rhythm.meter_probability)
        family.append(clip.family)
    said_ever = [*METERS, *sorted({said for _, said in confusion} - set(METERS))]
    print(f"| truth | {' | '.join(said or 'none' for said in said_ever)} |\n|---{'|---:' * len(said_ever)}|")
    for truth in METERS:
        print(f"| {truth} | {' | '.join(str(confusion[truth, said]) for said in said_ever)} |")
    for name, outcome in (("exact", exact), ("2/4 and 4/4 as one", alike)):
        report(name, np.array(outcome), np.array(chance), family)


def report(name: str, right: Floats, chance: Floats, family: list[str]) -> None:
    """One line: accuracy and the coverage at 95 %, with intervals over style families."""
    accuracy = bootstrap_interval(lambda rows: float(right[rows].mean()), family)
    covered = bootstrap_interval(lambda rows: coverage_at(chance[rows], right[rows], 0.95), family)
    print(
        f"{name}: {right.mean():.3f} [{accuracy[0]:.3f}, {accuracy[1]:.3f}] of {right.size} clips; "
        f"coverage at 95 % {coverage_at(chance, right, 0.95):.3f} [{covered[0]:.3f}, {covered[1]:.3f}]"
    )


if __name__ == "__main__":
    main()
