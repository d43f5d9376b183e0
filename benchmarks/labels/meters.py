"""Which time signatures are taken for which, and what the meter would reach if 2/4 and 4/4 were one.

python -m benchmarks.labels.meters DUMP TRUTH [--profile best] [--split validation]

Counts are before the filter. A bar of 4/4 can be written as two of 2/4: where only the writer's habit
distinguishes them, no tool can be right more often than that habit can be guessed.
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
from fgmcaps.annotators.fusion.clip_evidence import read_evidence
from fgmcaps.annotators.fusion.decide import decide_rhythm
from fgmcaps.annotators.fusion.fusion_model import load_model
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS

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
        rhythm = decide_rhythm(read_evidence(clip.estimates), model)
        answer = "" if rhythm is None else rhythm.signature
        confusion[truth, answer] += 1
        exact.append(float(answer == truth))
        alike.append(float(ALIKE.get(answer, answer) == ALIKE.get(truth, truth)))
        chance.append(0.0 if rhythm is None else rhythm.meter_probability)
        family.append(clip.family)
    named = [*FELT_BEATS, *sorted({answer for _, answer in confusion} - set(FELT_BEATS))]
    print(f"| truth | {' | '.join(answer or 'none' for answer in named)} |\n|---{'|---:' * len(named)}|")
    for truth in FELT_BEATS:
        print(f"| {truth} | {' | '.join(str(confusion[truth, answer]) for answer in named)} |")
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
