"""Judge profiles and their tools on dumped clips: python -m benchmarks.labels.evaluate DUMP TRUTH --profile best

Reads ``rendered``, ``billboard``, ``pop909`` (split ``--split``), ``recorded``, ``negatives`` (the half that was not
fitted on) and what
else begins with ``negatives`` (other seeds, all of it) of both folders; prints tables, writes them with plots below
``--out``. What the gate turns away has no label. The test split is to be looked at once, at the end.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from benchmarks.labels.corpus import NULL, LabelClip, load, negatives_of
from benchmarks.labels.families import family_table
from benchmarks.labels.fit import NEGATIVES
from benchmarks.machine import machine, wilson
from fgmcaps.annotators import load_profile
from fgmcaps.annotators.evaluation import study
from fgmcaps.annotators.fusion import fuse
from fgmcaps.annotators.profile import Profile
from fgmcaps.pipeline.labels.evaluate import judge_profile, judge_tools
from fgmcaps.pipeline.labels.report import markdown, write_study
from fgmcaps.schemas import Labels

SETS = ("rendered", "billboard", "pop909", "recorded")


def main() -> None:
    """Judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--profile", default="best")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--without", nargs="*", default=[], help="tools of the profile that the dump lacks")
    args = parser.parse_args()
    print(machine())
    profile = load_profile(args.profile)
    tools = [tool.name for tool in profile.tools if tool.name not in args.without]
    for name in SETS:
        if (args.dump / name).is_dir():
            clips = load(args.truth / name, args.dump / name, tools)
            title = name
            if name != "recorded":
                clips, title = [c for c in clips if c.split == args.split], f"{name}, split {args.split}"
            if clips:
                report(clips, profile, title, args.out, args.rounds)
    for folder in sorted(args.dump.glob(f"{NEGATIVES}*")):
        clips = load(args.truth / folder.name, folder, tools)
        fresh = clips if folder.name != NEGATIVES else negatives_of(clips)[1]
        print(negatives(fresh, profile, folder.name))


def report(clips: list[LabelClip], profile: Profile, title: str, out: Path | None, rounds: int) -> None:
    """Tables of one set, printed and written."""
    pairs = [(() if c.gate is not None else c.estimates, c.truth) for c in clips]
    families = len({c.family for c in clips})
    note = f"{len(clips)} clips of {families} families. 95 % intervals over families, 1,000 bootstrap rounds."
    judged = judge_profile(pairs, profile)
    results = {profile.name: study(judged, rounds=rounds), **judge_tools(pairs, profile, rounds)}
    heading = f"Profile `{profile.name}`: {title}"
    print(markdown(results, heading, (note,)))
    print(family_table(judged))
    if out is not None:
        folder = out / profile.name / title.split(",")[0]
        write_study(folder, results, heading, (note,))


def negatives(clips: list[LabelClip], profile: Profile, title: str) -> str:
    """Labels given to negatives that were not fitted on, by kind: only what must be null is counted."""
    table: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    asked = given = 0
    for clip in clips:
        row = table[clip.family]
        row["clips"] += 1
        row["gate"] += clip.gate is not None
        labels = Labels() if clip.gate is not None else fuse(clip.estimates, profile.fusion)
        for name, value in (
            ("tempo", labels.tempo_bpm),
            ("meter", labels.time_signature),
            ("downbeats", labels.downbeats or None),
            ("key", labels.key),
            ("chords", labels.chords or None),
        ):
            if NULL + name in clip.marks:
                asked, given = asked + 1, given + (value is not None)
                row[name] += value is not None
                row[f"{name}.asked"] += 1
    columns = ("tempo", "meter", "downbeats", "key", "chords")
    lines = [
        f"## Labels where none is right: {title}",
        "",
        "| kind | clips | refused by the gate | " + " | ".join(columns) + " |",
    ]
    lines.append("|---" * (3 + len(columns)) + "|")
    for kind, row in sorted(table.items()):
        cells = [f"{row[c]} of {row[f'{c}.asked']}" if row[f"{c}.asked"] else "" for c in columns]
        lines.append(f"| {kind} | {row['clips']} | {row['gate']} | " + " | ".join(cells) + " |")
    low, high = wilson(given, asked)
    return "\n".join(
        [*lines, "", f"{given} of {asked} labels that must be null were given (95 %: {low:.3f} to {high:.3f})"]
    )


if __name__ == "__main__":
    main()
