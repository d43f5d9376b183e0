"""What a ``doctor`` command prints: one finding a line, each with the command that mends it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from rich.console import Console
from rich.table import Table

State = Literal["ok", "missing", "off"]
MARKS: dict[State, str] = {"ok": "ok", "missing": "MISSING", "off": "-"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    ``state``: ``ok``; ``missing``, where something that was asked for cannot work; ``off``, where an optional part is
    not there. ``remedy`` is the command or the step that brings it.
    """

    section: str
    name: str
    state: State
    detail: str = ""
    remedy: str = ""


def package(section: str, name: str, optional_remedy: str = "") -> Finding:
    """Whether the distribution ``name`` is installed, by its record; imports nothing."""
    try:
        return Finding(section, name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(section, name, "off", "not installed", optional_remedy)


def as_json(findings: Iterable[Finding]) -> str:
    """The findings as one JSON document."""
    return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False)


def show(findings: Iterable[Finding], console: Console) -> None:
    """Print the findings as one table a section."""
    table = Table(show_header=False, box=None, pad_edge=False)
    section = ""
    for finding in findings:
        if finding.section != section:
            section = finding.section
            table.add_row()
            table.add_row(section)
        mend = f"{finding.detail}: {finding.remedy}" if finding.detail and finding.remedy else ""
        table.add_row(f"  {finding.name}", MARKS[finding.state], mend or finding.detail or finding.remedy)
    console.print(table)
