"""A manifest: one track a line, with what the user knows about it. CSV, TSV, JSON lines or Parquet."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.sources.base import (
    DEFAULTS,
    FoundFile,
    Source,
    SourceOptions,
    location_of,
    name_for_rows,
    printable,
    stamp_of,
)
from fgmcaps.pipeline.sources.columns import Columns, check_kept
from fgmcaps.pipeline.sources.splits_of_others import SplitNames
from fgmcaps.pipeline.sources.table_file import TABLE_SUFFIXES, read_table

MANIFEST_SUFFIXES = TABLE_SUFFIXES
_NAMED_AT_MOST = 5


class ManifestSource(Source):
    """Rows of a table; paths are relative to it."""

    def __init__(self, path: Path, options: SourceOptions = DEFAULTS) -> None:
        super().__init__()
        self.path, self.options = path, options
        self.name = printable(path.stem)
        self.identity = printable(str(path.resolve()))

    def files(self) -> Iterator[FoundFile]:
        """Tracks sorted by path. A file that is missing is listed (and fails later by itself); a bad table raises
        FgmcapsError naming file and row."""
        splits = SplitNames(self.options.split_map)
        columns = Columns(splits, self.options.keep_columns)
        found: dict[str, FoundFile] = {}
        missing, respelled = [], []
        for row in read_table(self.path):
            where = f"{self.path}: {row.place}"
            column, value = columns.path_of(row.cells, where)
            if not is_text(value):
                raise FgmcapsError(f"{where}: the audio path in {column!r} is not text")
            metadata = columns.metadata_of(row.cells, where, path_column=column)
            path = find_file(self.path.parent, value)
            if path is not None and path != self.path.parent / value:
                respelled.append(value)
            source_path = name_for_rows(value)
            location = location_of((path or self.path.parent / value).absolute())
            size, stamp = 0, "missing"
            if path is None:
                missing.append(value)
            else:
                info = path.stat()
                size, stamp = info.st_size, stamp_of(info)
            if location in found and found[location].metadata != metadata:
                raise FgmcapsError(f"{where}: {source_path!r} is listed twice with different metadata")
            found[location] = FoundFile(location, source_path, size, stamp, metadata)
        if not found:
            raise NothingToDoError(f"the manifest {self.path} has no rows")
        check_kept(self.options.keep_columns, columns.names, str(self.path))
        self.notes += [*columns.notes(), *splits.notes()]
        if respelled:
            self.notes.append(
                f"{_counted(respelled, 'paths')} found under another spelling (Unicode form, slashes, blanks)"
            )
        if missing:
            near = _near(self.path.parent, missing[0])
            self.notes.append(f"{_counted(missing, 'files')} of the manifest missing{near}")
        yield from sorted(found.values(), key=lambda f: (f.source_path, f.location))


def find_file(folder: Path, name: str) -> Path | None:
    """The file that a table means: by its name, else by the one spelling of it that is there; None if there is none.

    Names from another system may be in another Unicode form, with backslashes, or with blanks around them.
    """
    plain = folder / name
    if _exists(plain):
        return plain
    spellings = {
        unicodedata.normalize(form, text)
        for form in ("NFC", "NFD")
        for text in (name, name.strip(), name.replace("\\", "/"), name.strip().replace("\\", "/"))
    }
    there = [folder / text for text in sorted(spellings) if text and _exists(folder / text)]
    return there[0] if len(there) == 1 else None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_text(value: object) -> bool:
    """True for a string that can be written as UTF-8, or as a file name (JSON can spell others)."""
    try:
        return isinstance(value, str) and bool(os.fsencode(value))
    except UnicodeEncodeError:
        return False


def _counted(names: list[str], what: str) -> str:
    shown = ", ".join(printable(repr(name)) for name in names[:_NAMED_AT_MOST])
    more = ", ..." if len(names) > _NAMED_AT_MOST else ""
    return f"{len(names)} {what} ({shown}{more})"


def _near(folder: Path, name: str) -> str:
    """The nearest name beside a missing file."""
    try:
        beside = [entry.name for entry in os.scandir((folder / name).parent)]
    except (OSError, ValueError):
        return ""
    return printable(did_you_mean(Path(name).name, beside))
