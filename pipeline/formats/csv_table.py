"""CSV: one flat table of all clips, and a second one with the meaning of its columns.

``clips.csv``: UTF-8, comma, quotes doubled, one header line; the columns of the dataset without ``audio``, ``fused``,
``raw``. A null is an empty cell, a list is JSON in a cell, a number is as Python prints it (it reads back to the same
float). A text that a spreadsheet would run as a formula (it begins with ``= + - @`` or a tab, also after apostrophes)
has one apostrophe in front; a program takes it away where a cell matches ``'+[=+\\-@\\t\\r]``.
``columns.csv``: name, type, meaning.
"""

import csv
import json
import re
from pathlib import Path
from typing import Any

from fgmcaps.pipeline.dataset.columns_page import type_name
from fgmcaps.pipeline.formats.base import Exporter, Shards
from fgmcaps.schemas import Manifest
from fgmcaps.schemas.arrow import columns_of

_FORMULA = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""How a formula begins, full-width signs included, which some spreadsheets take too."""


def write_csv(folder: Path, shards: Shards, manifest: Manifest) -> None:
    """See the module."""
    with (folder / "columns.csv").open("w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle, lineterminator="\n")
        table.writerow(("column", "type", "meaning"))
        columns = [c for c in columns_of(manifest) if c.name not in ("audio", "fused", "raw")]
        table.writerows((c.name, type_name(c.type), c.meaning) for c in columns)
    with (folder / "clips.csv").open("w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle, lineterminator="\n")
        names = [c.name for c in columns]
        table.writerow(cell(name) for name in names)
        for _, rows in shards:
            table.writerows([cell(row[name]) for name in names] for row in rows)


def cell(value: Any) -> str:
    """One value as text."""
    if value is None:
        return ""
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else str(value)


CSV = Exporter("csv", "unused", write_csv)
