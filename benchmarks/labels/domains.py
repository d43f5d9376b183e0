"""One table over all kinds of music: python -m benchmarks.labels.domains DUMP TRUTH [--profile best] [--billboard DIR]

For each domain (folders ``rendered``, ``billboard``, ``pop909``, ``recorded`` of both) and attribute: how right the
labels are before the filter, what their probabilities state, what the default filter keeps and how right that is, and
the best single tool. Only clips of split test (of ``recorded`` all). Songs of which several clips were rendered are
shown once more with the track as context; rendered styles once more with the shares of meters that are found in them.
95 % intervals over songs or style families.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.labels.corpus import LabelClip, load
from benchmarks.machine import machine
from benchmarks.truth.read import read_truth
from fgmcaps.annotators import FusionSettings, load_profile
from fgmcaps.annotators.evaluation import Judged, judge, labels_of_tool, study, unfiltered
from fgmcaps.annotators.fusion import fuse
from fgmcaps.annotators.fusion.fusion_model import load_model
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.annotators.fusion.meter_prior import estimated_meters
from fgmcaps.annotators.fusion.track.context import TrackClip, in_context
from fgmcaps.annotators.profile import Profile
from fgmcaps.schemas import Fused

DOMAINS = ("rendered", "billboard", "pop909", "recorded")
TITLES = {
    "rendered": "chord charts in styles of MMA",
    "billboard": "songs of the Billboard charts, rendered",
    "pop909": "POP909, pianos and bands",
    "recorded": "Frets on Fire, recordings",
}
ROUNDS = 500


def judged(found: Sequence[Fused], clips: Sequence[LabelClip], settings: FusionSettings) -> list[Judged]:
    """Each clip before and after the filter."""
    everything = unfiltered(settings)
    return [judge(keep(f, everything), keep(f, settings), c.truth) for f, c in zip(found, clips, strict=True)]


def best_tool(clips: Sequence[LabelClip], attribute: str) -> str:
    """The tool that is right most often, alone."""
    scores: dict[str, list[float]] = defaultdict(list)
    for clip in clips:
        for estimate in clip.estimates:
            labels = labels_of_tool(estimate)
            score = judge(labels, labels, clip.truth).scores.of(attribute)
            if score is not None:
                scores[estimate.annotator].append(score)
    means = {name: float(np.mean(values)) for name, values in scores.items() if len(values) > len(clips) / 2}
    name = max(means, key=lambda tool: means[tool], default="")
    return f"{means[name]:.2f} {name}" if name else "-"


def context(found: Sequence[Fused], clips: Sequence[LabelClip], starts: dict[str, float]) -> list[Fused]:
    """What is found with the other clips of each song heard."""
    songs: dict[str, list[int]] = defaultdict(list)
    for i, clip in enumerate(clips):
        songs[clip.family].append(i)
    out = list(found)
    for places in songs.values():
        track = [TrackClip(starts[clips[i].name], 10.0, found[i]) for i in places]
        for i, fused in zip(places, in_context(track), strict=True):
            out[i] = fused
    return out


def rows(title: str, clips: Sequence[Judged], tool: Callable[[str], str]) -> list[str]:
    """Markdown rows of one domain."""
    lines = []
    for attribute, result in study(clips, rounds=ROUNDS).items():
        low, high = result.accuracy_interval
        kept_low, kept_high = result.kept_accuracy_interval
        stated = float(np.mean(result.confidence)) if result.confidence else float("nan")
        lines.append(
            f"| {title} | {attribute} | {result.clips} | {result.accuracy:.3f} [{low:.2f}, {high:.2f}] | {stated:.3f} "
            f"| {result.kept_coverage:.2f} | {result.kept_accuracy:.3f} [{kept_low:.2f}, {kept_high:.2f}] "
            f"| {tool(attribute)} |"
        )
        title = ""
    return lines


def untold(attribute: str) -> str:
    """In the place of a tool that is told already."""
    return ""


def of_domain(name: str, truth: Path, dump: Path, profile: Profile) -> list[str]:
    """All rows of a domain."""
    tools = [tool.name for tool in profile.tools]
    clips = load(truth / name, dump / name, tools)
    clips = [c for c in clips if c.gate is None and (c.split == "test" or name == "recorded")]
    found = [fuse(c.estimates, profile.fusion).fused or Fused() for c in clips]
    lines = rows(TITLES[name], judged(found, clips, profile.fusion), lambda a: best_tool(clips, a))
    if name in ("billboard", "pop909"):
        starts = {
            clip.path.relative_to(truth / name).as_posix(): float(str(clip.sandbox["at_s"]))
            for clip in read_truth(truth / name)
        }
        lines += rows(
            "the same, track as context", judged(context(found, clips, starts), clips, profile.fusion), untold
        )
    model = load_model(profile.fusion.model)
    if name == "rendered" and model.meters is not None:
        shares = estimated_meters(found, model.meters)
        settings = profile.fusion.model_copy(update={"meters": shares})
        again = rows("", judged(found, clips, settings), untold)
        lines += [row.replace("|  |", "| the same, its own meters |", 1) for row in again if "| meter |" in row]
    return lines


def main() -> None:
    """Print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--profile", default="best")
    args = parser.parse_args()
    print(machine())
    profile = load_profile(args.profile)
    print("| music | attribute | clips | right | stated | kept | right of kept | best single tool |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    for name in DOMAINS:
        if (args.dump / name).is_dir():
            print("\n".join(of_domain(name, args.truth, args.dump, profile)), flush=True)


if __name__ == "__main__":
    main()
