"""A manifest: one track a line, with what the user knows about it. CSV, JSON lines or Parquet."""

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.config import SPLITS
from fgmcaps.pipeline.sources.base import FoundFile, Source, location_of, name_for_rows, printable, stamp_of
from fgmcaps.schemas import ContractError, TrackMetadata, from_dict

MANIFEST_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
PATH_COLUMNS = ("path", "file", "file_name", "filename", "audio")
ALIASES = {"license": "licence", "genres": "genre", "moods": "mood"}
FIELDS = ("title", "artist", "album", "genre", "mood", "licence", "split")


class ManifestSource(Source):
    """Rows of a table. The audio path is in the first of ``PATH_COLUMNS`` that exists, relative to the manifest."""

    def __init__(self, path: Path):
        self.path = path
        self.name = printable(path.stem)
        self.identity = printable(str(path.resolve()))

    def files(self) -> Iterator[FoundFile]:
        """Tracks sorted by path. A file that is missing is listed (and fails later by itself); a bad table raises
        FgmcapsError naming file and row."""
        found: dict[str, FoundFile] = {}
        for place, row in _rows(self.path):
            where = f"{self.path}: {place}"
            column = next((c for c in PATH_COLUMNS if row.get(c)), None)
            if column is None:
                has = ", ".join(map(str, row)) or "none"
                raise FgmcapsError(f"{where}: no audio path; name it in a column {PATH_COLUMNS[0]!r} (columns: {has})")
            if not is_text(row[column]):
                raise FgmcapsError(f"{where}: the audio path in {column!r} is not text")
            metadata = metadata_of(row, where)
            path = self.path.parent / row[column]
            source_path = name_for_rows(str(row[column]))
            try:
                info = path.stat()
                size, stamp = info.st_size, stamp_of(info)
            except (OSError, ValueError):
                size, stamp = 0, "missing"
            location = location_of(path.absolute())
            if location in found and found[location].metadata != metadata:
                raise FgmcapsError(f"{where}: {source_path!r} is listed twice with different metadata")
            found[location] = FoundFile(location, source_path, size, stamp, metadata)
        if not found:
            raise NothingToDoError(f"the manifest {self.path} has no rows")
        yield from sorted(found.values(), key=lambda f: (f.source_path, f.location))


def metadata_of(row: dict[str, Any], where: str) -> TrackMetadata:
    """The known fields of a row; texts of ``genre`` and ``mood`` are cut at ``,``, ``;`` and ``|``.

    Raises FgmcapsError that names the row and the field.
    """
    data: dict[str, Any] = {}
    for name, value in row.items():
        field = ALIASES.get(name, name)
        if field not in FIELDS or value is None or value == "" or value != value:  # NaN stands for no value in tables
            continue
        if field in ("genre", "mood"):
            parts = re.split(r"[,;|]", value) if isinstance(value, str) else value
            if not isinstance(parts, list | tuple) or not all(isinstance(p, str) for p in parts):
                raise FgmcapsError(f"{where}: {name!r} must be text or a list of texts")
            data[field] = tuple(dict.fromkeys(p.strip() for p in parts if p.strip()))
        elif isinstance(value, str | int | float):
            data[field] = str(value).strip() or None
        else:
            raise FgmcapsError(f"{where}: {name!r} must be text")
        if not _is_utf8(data[field]):
            raise FgmcapsError(f"{where}: {name!r} holds half a character (an unpaired surrogate)")
    split = data.get("split")
    if split is not None and split not in SPLITS:
        raise FgmcapsError(f"{where}: split {split!r} is not one of {', '.join(SPLITS)}{did_you_mean(split, SPLITS)}")
    try:
        return from_dict(TrackMetadata, data)
    except ContractError as error:
        raise FgmcapsError(f"{where}: {error}") from None


def _is_utf8(value: object) -> bool:
    try:
        "".join(value if isinstance(value, tuple) else str(value)).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_text(value: object) -> bool:
    """True for a string that can be written as UTF-8, or as a file name (JSON can spell others)."""
    try:
        return isinstance(value, str) and bool(os.fsencode(value))
    except UnicodeEncodeError:
        return False


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        match path.suffix.lower():
            case ".parquet":
                import pyarrow.parquet as pq

                with pq.ParquetFile(path) as table:
                    number = 0
                    for batch in table.iter_batches(1024):
                        for row in batch.to_pylist():
                            number += 1
                            yield f"row {number}", row
            case ".jsonl":
                with path.open(encoding="utf-8-sig") as lines:
                    for number, line in enumerate(lines, start=1):
                        if line.strip():
                            yield f"line {number}", _json_object(line, f"{path}: line {number}")
            case suffix:
                with path.open(encoding="utf-8-sig", newline="") as lines:
                    table = csv.DictReader(lines, delimiter="\t" if suffix == ".tsv" else ",", strict=True)
                    for row in table:
                        if None in row:
                            raise FgmcapsError(
                                f"{path}: line {table.line_num}: more values than the header has columns: "
                                f"{', '.join(row[None])!r}; quote values that hold the separator"
                            )
                        yield f"line {table.line_num}", row
    except FgmcapsError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise FgmcapsError(f"cannot read the manifest {path}: {' '.join(str(error).split())}") from None


def _json_object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FgmcapsError(f"{where}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise FgmcapsError(f"{where}: not a JSON object")
    return row
