"""A manifest: one track a line, with what the user knows of it. CSV, JSON lines or Parquet."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.config import nearest
from pipeline.errors import CommandError, NothingToBuildError
from pipeline.sources.base import FoundFile, Source, location_of, printable, stamp_of
from schemas import ContractError, TrackMetadata, from_dict

MANIFEST_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
PATH_COLUMNS = ("path", "file", "file_name", "filename", "audio")
ALIASES = {"license": "licence", "genres": "genre", "moods": "mood"}
SPLITS = ("train", "validation", "test")
FIELDS = ("title", "artist", "album", "genre", "mood", "licence", "split")


class ManifestSource(Source):
    """Rows of a table. The audio path is in the first of ``PATH_COLUMNS`` that exists, relative to the manifest."""

    def __init__(self, path: Path):
        self.path = path
        self.name = printable(path.stem)
        self.identity = printable(str(path.resolve()))

    def files(self) -> Iterator[FoundFile]:
        """Tracks sorted by path. A file that is missing is listed (and fails later by itself); a bad table raises
        CommandError naming file and row."""
        found: dict[str, FoundFile] = {}
        for number, row in enumerate(_rows(self.path), start=1):
            where = f"{self.path}: row {number}"
            column = next((c for c in PATH_COLUMNS if row.get(c)), None)
            if column is None:
                raise CommandError(f"{where}: no audio path; name it in a column {PATH_COLUMNS[0]!r}")
            if not isinstance(row[column], str):
                raise CommandError(f"{where}: the audio path in {column!r} is no text")
            metadata = metadata_of(row, where)
            path = self.path.parent / row[column]
            source_path = printable(str(row[column]))
            try:
                info = path.stat()
                size, stamp = info.st_size, stamp_of(info)
            except (OSError, ValueError):
                size, stamp = 0, "missing"
            if source_path in found and found[source_path].metadata != metadata:
                raise CommandError(f"{where}: {source_path!r} is listed twice with different metadata")
            found[source_path] = FoundFile(location_of(path.absolute()), source_path, size, stamp, metadata)
        if not found:
            raise NothingToBuildError(f"the manifest {self.path} has no rows")
        yield from sorted(found.values(), key=lambda f: f.source_path)


def metadata_of(row: dict[str, Any], where: str) -> TrackMetadata:
    """The known fields of a row; texts of ``genre`` and ``mood`` are cut at ``,``, ``;`` and ``|``.

    Raises CommandError that names the row and the field.
    """
    data: dict[str, Any] = {}
    for name, value in row.items():
        field = ALIASES.get(name, name)
        if field not in FIELDS or value is None or value == "":
            continue
        if field in ("genre", "mood"):
            parts = re.split(r"[,;|]", value) if isinstance(value, str) else value
            if not isinstance(parts, list | tuple):
                raise CommandError(f"{where}: {name!r} must be text or a list of texts")
            data[field] = tuple(str(p).strip() for p in parts if str(p).strip())
        else:
            data[field] = str(value).strip()
    split = data.get("split")
    if split is not None and split not in SPLITS:
        raise CommandError(f"{where}: split {split!r} is none of {', '.join(SPLITS)}{nearest(split, SPLITS)}")
    try:
        return from_dict(TrackMetadata, data)
    except ContractError as error:
        raise CommandError(f"{where}: {error}") from None


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        match path.suffix.lower():
            case ".parquet":
                import pyarrow.parquet as pq

                with pq.ParquetFile(path) as table:
                    for batch in table.iter_batches(1024):
                        yield from batch.to_pylist()
            case ".jsonl":
                with path.open(encoding="utf-8") as lines:
                    for number, line in enumerate(lines, start=1):
                        if line.strip():
                            row = json.loads(line)
                            if not isinstance(row, dict):
                                raise CommandError(f"{path}: line {number}: not a JSON object")
                            yield row
            case suffix:
                with path.open(encoding="utf-8-sig", newline="") as lines:
                    for row in csv.DictReader(lines, delimiter="\t" if suffix == ".tsv" else ","):
                        if None in row:
                            raise CommandError(
                                f"{path}: a row has more values than the header has columns: {row[None]}"
                            )
                        yield row
    except CommandError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise CommandError(f"cannot read the manifest {path}: {' '.join(str(error).split())}") from None
