"""Import metadata: write a manifest that ``fgmcaps build`` reads."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.common.files import atomic_file
from fgmcaps.pipeline.formats.base import ManifestLine


def import_metadata(
    lines: Iterator[ManifestLine], out: Path, *, replace: bool = False, on_line: Callable[[], None] = lambda: None
) -> int:
    """Write ``lines`` to the CSV file ``out``, which appears at the end, and return their number.

    Raises FgmcapsError (not a ``.csv`` name, a file in the way) and NothingToDoError (no lines).
    """
    if out.suffix.lower() != ".csv":
        raise FgmcapsError(f"{out}: metadata becomes a manifest for `fgmcaps build`; give it a name that ends in .csv")
    if out.exists() and not replace:
        raise FgmcapsError(f"{out} exists; choose another name, or give --replace")
    count = 0
    with atomic_file(out) as handle:
        text = io.TextIOWrapper(handle, encoding="utf-8", newline="")
        table = csv.DictWriter(text, [column.name for column in fields(ManifestLine)], lineterminator="\n")
        table.writeheader()
        for line in lines:
            table.writerow(asdict(line))
            count += 1
            on_line()
        text.flush()
        text.detach()
        if not count:
            raise NothingToDoError(f"{out}: not written: no track is listed that has an audio file")
    return count
