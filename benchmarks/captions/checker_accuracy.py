"""Recall and false alarms of the caption checker on the labelled set, with Wilson 95 % intervals.

``python -m benchmarks.captions.checker_accuracy [dev|heldout|all] [--show]``; ``--show`` lists the errors (for ``dev``;
looking at those of ``heldout`` ends its use as a held-out set).
"""

import argparse
import json
import math
from collections import Counter
from pathlib import Path

from fgmcaps.captioning import check_caption
from fgmcaps.schemas import Facts, from_dict

HERE = Path(__file__).parent
CLASSES = ("changed", "dropped", "added", "subjective", "malformed")


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927); (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = hits / n, z * z
    centre, half = p + z2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, (centre - half) / (1 + z2 / n)), min(1.0, (centre + half) / (1 + z2 / n))


def _line(name: str, hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{name:<28}{hits:>5} of {n:<5} {hits / n if n else 0:8.2%}   [{low:.2%}, {high:.2%}]"


def measure(half: str, show: bool) -> None:
    """Print one half's table."""
    refused: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for line in (HERE / f"{half}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        verdict = check_caption(row["caption"], from_dict(Facts, row["facts"]))
        key = (row["class"], row["phrasing"])
        total[key] += 1
        refused[key] += not verdict.ok
        if show and verdict.ok != (row["class"] == "good"):
            print(f"  {row['id']} {row['class']} {verdict.rule} {verdict.words}: {row['caption']}\n    {row['facts']}")
    print(f"\n{half}: {sum(total.values())} captions")
    for phrasing in ("hand", "template"):
        print(_line(f"false alarms, {phrasing}", refused["good", phrasing], total["good", phrasing]))
    print(_line("false alarms", *(sum(c["good", p] for p in ("hand", "template")) for c in (refused, total))))
    for kind in CLASSES:
        print(_line(f"recall, {kind}", *(sum(c[kind, p] for p in ("hand", "template")) for c in (refused, total))))
    bad = [sum(n for (kind, _), n in c.items() if kind != "good") for c in (refused, total)]
    print(_line("recall of bad captions", *bad))


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", nargs="?", default="all", choices=("dev", "heldout", "all"))
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    for half in ("dev", "heldout") if args.half == "all" else (args.half,):
        measure(half, args.show)


if __name__ == "__main__":
    main()
