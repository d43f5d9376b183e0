"""A study of labels for people (Markdown), for programs (JSON) and as pictures (PNG)."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fgmcaps.annotators.evaluation import AttributeResult
from fgmcaps.annotators.evaluation.calibration import BINS
from fgmcaps.common.files import write_atomically
from fgmcaps.pipeline.labels.plots import coverage_plot, reliability_plot

Results = Mapping[str, Mapping[str, AttributeResult]]
"""Name of a profile or tool -> attribute -> result."""

MEANING = {
    "tempo": ("Accuracy1 (4 %)", "Accuracy2"),
    "meter": ("time signature right", ""),
    "downbeats": ("F-measure (70 ms)", "beat F"),
    "key": ("exact", "weighted (mir_eval)"),
    "chords": ("WCSR majmin", "WCSR sevenths"),
}


def write_study(out: Path, results: Results, title: str, notes: tuple[str, ...] = ()) -> list[Path]:
    """Write ``labels.md``, ``labels.json`` and a coverage and a reliability plot into ``out``; the paths written."""
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "labels.md": markdown(results, title, notes).encode(),
        "labels.json": (json.dumps(as_json(results), indent=1) + "\n").encode(),
    }
    fused = next(iter(results))
    if any(r.confidence for r in results[fused].values()):
        files["coverage.png"] = coverage_plot(results)
        files["reliability.png"] = reliability_plot(results[fused], fused)
    for name, data in files.items():
        write_atomically(out / name, data)
    return [out / name for name in files]


def markdown(results: Results, title: str, notes: tuple[str, ...] = ()) -> str:
    """One table an attribute; 95 % bootstrap intervals in brackets."""
    lines = [f"# {title}", "", *notes, *([""] if notes else [])]
    for attribute, (score, second) in MEANING.items():
        rows = {name: found[attribute] for name, found in results.items() if attribute in found}
        if rows:
            lines += _table(attribute, score, second, rows)
    return "\n".join(lines).rstrip() + "\n"


def _table(attribute: str, score: str, second: str, rows: Mapping[str, AttributeResult]) -> list[str]:
    head = ["", "clips", score, *([second] if second else []), "coverage at 95 %", f"ECE ({BINS} equal-mass bins)"]
    head += ["kept by the filter", f"{score} of kept"]
    lines = [f"## {attribute.capitalize()}", "", _row(head), _row(["---"] + ["---:"] * (len(head) - 1))]
    for name, r in rows.items():
        cells = [f"`{name}`", str(r.clips), number(r.accuracy, r.accuracy_interval)]
        cells += [number(r.second)] if second else []
        cells += [number(r.coverage_95, r.coverage_95_interval), number(r.error, r.error_interval)]
        cells += [number(r.kept_coverage, r.kept_coverage_interval), number(r.kept_accuracy, r.kept_accuracy_interval)]
        lines.append(_row(cells))
    lines.append("")
    classes = sorted({c for r in rows.values() for c in r.by_class})
    if classes:
        lines += [_row(["by class, accuracy (kept)", *classes]), _row(["---"] + ["---:"] * len(classes))]
        for name, r in rows.items():
            cells = [
                f"{number(r.by_class[c][1])} ({number(r.by_class[c][2])})" if c in r.by_class else "" for c in classes
            ]
            lines.append(_row([f"`{name}`", *cells]))
        first = next(iter(rows.values()))
        lines += [_row(["clips", *(str(first.by_class[c][0]) if c in first.by_class else "" for c in classes)]), ""]
    return lines


def number(value: float, interval: tuple[float, float] | None = None) -> str:
    """``.95 [.93, .97]``; a dash where there is no figure."""
    if math.isnan(value):
        return "-"
    text = _short(value)
    if interval is None or math.isnan(interval[0]):
        return text
    return f"{text} [{_short(interval[0])}, {_short(interval[1])}]"


def as_json(results: Results) -> dict[str, Any]:
    """Plain figures, without the clips behind them; figures that do not exist are null."""

    def clean(value: Any) -> Any:
        if isinstance(value, float):
            return None if math.isnan(value) else round(value, 4)
        if isinstance(value, Mapping):
            return {k: clean(v) for k, v in value.items()}
        return [clean(v) for v in value] if isinstance(value, list | tuple) else value

    return {
        name: {
            attribute: clean({k: v for k, v in asdict(r).items() if k not in ("confidence", "score", "attribute")})
            for attribute, r in found.items()
        }
        for name, found in results.items()
    }


def _short(value: float) -> str:
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
