"""Write the lines of a metadata source as a manifest that ``fgmcaps build`` reads."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.common.files import atomic_file

COLUMNS = ("path", "title", "artist", "album", "genre", "mood", "licence", "split")


def write_import_manifest(
    rows: Iterator[dict[str, str]], out: Path, *, replace: bool = False, on_row: Callable[[], None] = lambda: None
) -> int:
    """Write ``rows`` to the CSV file ``out``, which appears at the end, and return their number.

    Raises FgmcapsError (not a ``.csv`` name, a file in the way) and NothingToDoError (no rows).
    """
    if out.suffix.lower() != ".csv":
        raise FgmcapsError(f"{out}: metadata becomes a manifest for `fgmcaps build`; give it a name that ends in .csv")
    if out.exists() and not replace:
        raise FgmcapsError(f"{out} exists; choose another name, or give --replace")
    count = 0
    with atomic_file(out) as handle:
        text = io.TextIOWrapper(handle, encoding="utf-8", newline="")
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow(row)
            count += 1
            on_row()
        text.flush()
        text.detach()
        if not count:
            raise NothingToDoError(f"{out}: not written: no track of the metadata has an audio file there")
    return count
