"""Do labels of one track agree? python -m benchmarks.labels.agreement DUMP TRUTH [--profile best]

Reads ``unlabelled`` of both folders: four clips of each track, the second right behind the first. Nobody knows what is
right; but two clips of a steady track have one tempo, meter and key, so the share of pairs that agree bounds how
right they are: with accuracy p and errors that never coincide it is p squared; errors that both clips share only raise
it, so a rate below the square of the stated probability shows that the probability is too high, and a rate above shows
nothing.

Prints, of lone clips and with the track as context: what the filter keeps, the mean stated probability, and the rate of
agreement of all pairs and of kept pairs.
"""

import argparse
from collections import defaultdict
from itertools import combinations
from math import log2
from pathlib import Path

import numpy as np

from benchmarks.labels.corpus import LabelClip, load
from benchmarks.machine import machine, wilson
from fgmcaps.annotators import load_profile
from fgmcaps.annotators.fusion import fuse
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.annotators.fusion.track.context import SAME_TEMPO, TrackClip, in_context
from fgmcaps.annotators.profile import Profile
from fgmcaps.schemas import Fused, Labels

ATTRIBUTES = ("tempo", "meter", "key", "chords")
PLACES_S = (0.0, 10.0, 60.0, 120.0)
"""Where the four clips are taken to lie: the first two side by side, the others further on."""


def value(labels: Labels | Fused, attribute: str) -> object:
    """What is said; None where nothing is."""
    if attribute == "chords":
        return labels.chords or None
    return {"tempo": labels.tempo_bpm, "meter": labels.time_signature, "key": labels.key}[attribute]


def agree(attribute: str, a: object, b: object) -> bool:
    """Tempi within 4 %; the others equal."""
    if attribute == "tempo" and isinstance(a, float) and isinstance(b, float):
        return abs(log2(a / b)) <= log2(1 + SAME_TEMPO)
    return a == b


def tracks_of(clips: list[LabelClip]) -> dict[str, list[LabelClip]]:
    """Clips by track, in order of time; those that the gate lets through."""
    found: dict[str, list[LabelClip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda c: c.name):
        if clip.gate is None:
            found[clip.family].append(clip)
    return found


def labelled(clips: list[LabelClip], profile: Profile, context: bool) -> list[Labels]:
    """Labels of the clips of one track, alone or judged together."""
    alone = [fuse(clip.estimates, profile.fusion) for clip in clips]
    if not context:
        return alone
    places = [PLACES_S[int(clip.name.rsplit("-", 1)[1].split(".")[0])] for clip in clips]
    track = [TrackClip(at, 10.0, labels.fused or Fused()) for at, labels in zip(places, alone, strict=True)]
    return [keep(fused, profile.fusion) for fused in in_context(track)]


def report(tracks: dict[str, list[LabelClip]], profile: Profile, context: bool) -> str:
    """Markdown table."""
    rows = [labelled(clips, profile, context) for clips in tracks.values()]
    lines = [
        "| | clips | stated | kept | pairs | agree | kept pairs | agree |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for attribute in ATTRIBUTES:
        clips = [labels for row in rows for labels in row]
        stated = [getattr(labels.fused, f"{attribute}_probability") or 0.0 for labels in clips if labels.fused]
        kept = [value(labels, attribute) is not None for labels in clips]
        cells = [str(len(clips)), f"{np.mean(stated):.3f}", f"{np.mean(kept):.3f}"]
        if attribute != "chords":
            for of in (lambda labels: labels.fused or Fused(), lambda labels: labels):
                pairs = [
                    agree(attribute, value(of(a), attribute), value(of(b), attribute))
                    for row in rows
                    for a, b in combinations(row, 2)
                    if value(of(a), attribute) is not None and value(of(b), attribute) is not None
                ]
                low, high = wilson(sum(pairs), len(pairs)) if pairs else (0.0, 1.0)
                cells += [str(len(pairs)), f"{np.mean(pairs) if pairs else 0:.3f} [{low:.3f}, {high:.3f}]"]
        lines.append(f"| {attribute} | " + " | ".join(cells) + " |")
    facts = [sum(value(labels, a) is not None for a in ATTRIBUTES) for row in rows for labels in row]
    shares = [f"{n}: {np.mean([f == n for f in facts]):.3f}" for n in range(5)]
    return "\n".join([*lines, "", f"clips by the number of facts that their captions can state: {', '.join(shares)}"])


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--profile", default="best")
    args = parser.parse_args()
    print(machine())
    profile = load_profile(args.profile)
    tools = [tool.name for tool in profile.tools]
    tracks = tracks_of(load(args.truth / "unlabelled", args.dump / "unlabelled", tools))
    print(f"{len(tracks)} tracks")
    for context in (False, True):
        print(f"\n## {'The track as context' if context else 'Lone clips'}\n\n{report(tracks, profile, context)}")


if __name__ == "__main__":
    main()
