"""Accuracy by style family: where a profile is strong and where it is not."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from fgmcaps.annotators.evaluation import ATTRIBUTES, Judged


def family_table(clips: Sequence[Judged]) -> str:
    """Markdown: mean score before the filter (and of what it keeps) for each family, those with most clips first.

    Made families are one row a meter: each has a few clips only.
    """
    rows: dict[str, list[Judged]] = defaultdict(list)
    for clip in clips:
        made = clip.group.startswith("made ")
        rows[" ".join(clip.group.split()[:2]) if made else clip.group].append(clip)
    lines = [
        "## By style family: score of all (of those kept)",
        "",
        "| family | clips | " + " | ".join(ATTRIBUTES) + " |",
    ]
    lines.append("|---|---:" + "|---:" * len(ATTRIBUTES) + "|")
    for family, found in sorted(rows.items(), key=lambda item: (-len(item[1]), item[0])):
        cells = []
        for attribute in ATTRIBUTES:
            known = [c for c in found if c.scores.of(attribute) is not None]
            kept = [c for c in known if attribute in c.kept]
            cells.append(f"{_mean(known, attribute)} ({_mean(kept, attribute)}, {len(kept)} kept)" if known else "")
        lines.append(f"| {family} | {len(found)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _mean(clips: Sequence[Judged], attribute: str) -> str:
    return f"{np.mean([c.scores.of(attribute) or 0.0 for c in clips]):.2f}" if clips else "-"
