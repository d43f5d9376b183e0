"""Accuracy by style family: where a profile is strong and where it is not."""

from collections import defaultdict

import numpy as np

from annotators.evaluation import judge, unfiltered
from annotators.fusion import fuse
from annotators.profile import Profile
from benchmarks.labels.corpus import LabelClip
from schemas import Labels

COLUMNS = ("tempo", "meter", "downbeats", "key", "chords")


def family_table(clips: list[LabelClip], profile: Profile) -> str:
    """Markdown: mean score before the filter (and of what it keeps) for each family, those with most clips first."""
    everything = unfiltered(profile.fusion)
    rows: dict[str, list[tuple[dict[str, float | None], frozenset[str]]]] = defaultdict(list)
    for clip in clips:
        if clip.gate is not None:
            full = kept = Labels()
        else:
            full, kept = fuse(clip.estimates, everything), fuse(clip.estimates, profile.fusion)
        judged = judge(full, kept, clip.truth)
        rows[clip.family].append(({c: judged.scores.of(c) for c in COLUMNS}, judged.kept))
    lines = ["## By style family: score (of those kept)", "", "| family | clips | " + " | ".join(COLUMNS) + " |"]
    lines.append("|---|---:" + "|---:" * len(COLUMNS) + "|")
    for family, found in sorted(rows.items(), key=lambda item: (-len(item[1]), item[0])):
        cells = []
        for column in COLUMNS:
            scores = [s[column] for s, _ in found if s[column] is not None]
            kept = [s[column] for s, k in found if s[column] is not None and column in k]
            cells.append(f"{_mean(scores)} ({_mean(kept)})")
        lines.append(f"| {family} | {len(found)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _mean(values: list[float | None]) -> str:
    return f"{np.mean([v for v in values if v is not None]):.2f}" if values else "-"
