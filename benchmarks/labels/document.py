"""Tables of several profiles in one: python -m benchmarks.labels.document STUDY rendered best fast permissive

Reads ``STUDY/<profile>/<set>/labels.json`` as ``benchmarks.labels.evaluate --out STUDY`` wrote them; a tool of several
profiles is shown once. Prints Markdown for ``docs/labels.md``.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from fgmcaps.annotators.evaluation import AttributeResult
from fgmcaps.pipeline.labels.report import markdown


def main() -> None:
    """Merge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("set")
    parser.add_argument("profiles", nargs="+")
    args = parser.parse_args()
    fused: dict[str, dict[str, AttributeResult]] = {}
    tools: dict[str, dict[str, AttributeResult]] = {}
    for profile in args.profiles:
        data = json.loads((args.study / profile / args.set / "labels.json").read_text("utf-8"))
        for name, found in data.items():
            into = fused if name == profile else tools
            into.setdefault(name, {a: result_of(a, figures) for a, figures in found.items()})
    print(markdown({**fused, **tools}, f"Set {args.set}"))


def result_of(attribute: str, figures: dict[str, Any]) -> AttributeResult:
    """A result without the clips behind it; null figures become NaN again."""

    def number(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(number(v) for v in value)
        return float("nan") if value is None else value

    by_class = {name: number(values) for name, values in figures["by_class"].items()}
    plain = {name: number(value) for name, value in figures.items() if name != "by_class"}
    return AttributeResult(attribute=attribute, by_class=by_class, **plain)


if __name__ == "__main__":
    main()
