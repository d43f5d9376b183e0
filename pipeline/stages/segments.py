"""Segments: small immutable files of records, so that a killed build loses only what was in memory.

A segment is written under a unique temporary name, fsynced and renamed: a reader finds it whole or not at all. Its name
starts with a number, one more than the highest in the folder when it was written (a Lamport clock), so that whatever
was written with knowledge of another segment sorts behind it, whatever the machines' clocks say. Segments that several
processes write at once may share a number: the random part of the name orders them, for every reader alike. Earlier
versions put the time in nanoseconds there, which later numbers go on from. The first line is the index, a JSON list of
``[kind, key, offset, length, note]``, so that a scan of 380,000 clips reads only first lines; one line of JSON for each
record follows.
"""

import contextlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from fgmcaps.common.errors import MachineError

SUFFIX = ".jsonl"
_NUMBER = re.compile(r"([0-9]{1,40})-")


@dataclass(frozen=True, slots=True)
class Line:
    """A record to write: its JSON, and what the index says about it (``note`` is any small JSON value)."""

    kind: str
    key: str
    note: Any
    json: str


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the index says about a record, and where its JSON lies in ``path`` (bytes)."""

    kind: str
    key: str
    note: Any
    path: Path
    offset: int
    length: int

    def read(self) -> bytes:
        """The record's JSON."""
        with self.path.open("rb") as handle:
            handle.seek(self.offset)
            return handle.read(self.length)


def write_segment(folder: Path, lines: Iterable[Line]) -> Path:
    """Write ``lines`` as one segment and return its path.

    Raises MachineError (disk full, read-only folder); nothing half-written stays behind.
    """
    index, body, offset = [], [], 0
    for line in lines:
        data = line.json.encode() + b"\n"
        index.append([line.kind, line.key, offset, len(data), line.note])
        body.append(data)
        offset += len(data)
    unique = uuid4().hex[:12]
    temporary = folder / f".{unique}{SUFFIX}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as handle:
            handle.write(json.dumps(index).encode() + b"\n")
            handle.writelines(body)
            handle.flush()
            os.fsync(handle.fileno())
        path = folder / f"{_next_number(folder):020d}-{unique}{SUFFIX}"
        temporary.rename(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise MachineError(
            f"cannot write the journal {folder}: {error.strerror}; free space and run again, nothing is lost"
        ) from None
    return path


def segments(folder: Path) -> list[Path]:
    """Finished segments, oldest first."""
    if not folder.is_dir():
        return []
    found = (p for p in folder.iterdir() if p.suffix == SUFFIX and not p.name.startswith("."))
    return sorted(found, key=lambda path: (_number(path.name), path.name))


def _next_number(folder: Path) -> int:
    """One more than the highest number of a segment; names alone are read: 0.1 s for 25,000 segments."""
    with os.scandir(folder) as entries:
        return 1 + max((_number(entry.name) for entry in entries if entry.name.endswith(SUFFIX)), default=0)


def _number(name: str) -> int:
    found = _NUMBER.match(name)
    return int(found[1]) if found else 0


def read_index(path: Path) -> list[IndexRow]:
    """The index of one segment. Raises MachineError for a damaged segment, naming it: it is never half-used."""
    with path.open("rb") as handle:
        head = handle.readline()
        base = handle.tell()
        size = handle.seek(0, os.SEEK_END)
    try:
        rows = [
            IndexRow(kind, key, note, path, base + offset, length)
            for kind, key, offset, length, note in json.loads(head)
        ]
        if rows and rows[-1].offset + rows[-1].length != size:
            raise ValueError(f"{size} bytes, {rows[-1].offset + rows[-1].length} expected")
    except (ValueError, TypeError) as error:
        raise MachineError(f"damaged journal segment {path} ({error}); delete it and run again") from None
    return rows
