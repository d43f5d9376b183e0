"""Journals: results of clips as small immutable segment files, so that a killed build loses only what was in memory.

A segment is written under a unique temporary name, fsynced and renamed: a reader finds it whole or not at all. Its name
starts with the time, so later segments sort later. Lines are ``{"kind": ..., "value": ...}``; the first line is the
index (keys and byte offsets), so that a scan of 380,000 clips reads only first lines.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import uuid4

from fgmcaps.common.errors import MachineError
from fgmcaps.schemas import from_json, to_json

T = TypeVar("T")
RecordKind = Literal["annotation", "dead", "track", "retry", "caption"]
SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a segment by reference: ``key`` (clip id, track id), and where its JSON lies."""

    kind: RecordKind
    key: str
    path: Path
    offset: int
    length: int
    note: Any = None

    def read(self, cls: type[T]) -> T:
        """Load the record; raises ContractError if the line does not fit ``cls``."""
        with self.path.open("rb") as handle:
            handle.seek(self.offset)
            return from_json(cls, handle.read(self.length))


@dataclass(frozen=True, slots=True)
class Record:
    """One result to journal. ``note`` is a small JSON-able value that scans can read without the line itself."""

    kind: RecordKind
    key: str
    value: Any
    note: Any = None


def write_segment(folder: Path, records: list[Record]) -> Path:
    """Write ``records`` as one segment and return its path.

    Raises MachineError (disk full, read-only folder); nothing half-written stays behind.
    """
    lines = [
        (to_json(r.value) if not isinstance(r.value, dict) else json.dumps(r.value)).encode() + b"\n" for r in records
    ]
    index, offset = [], 0
    for record, line in zip(records, lines, strict=True):
        index.append([record.kind, record.key, offset, len(line), record.note])
        offset += len(line)
    head = json.dumps(index).encode() + b"\n"
    name = f"{time.time_ns():020d}-{uuid4().hex[:12]}{SUFFIX}"
    temporary = folder / f".{name}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as handle:
            handle.write(head)
            handle.writelines(lines)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.rename(folder / name)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise MachineError(
            f"cannot write the journal {folder}: {error.strerror}; free space and run again, nothing is lost"
        ) from None
    return folder / name


def segments(folder: Path) -> list[Path]:
    """Finished segments, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix == SUFFIX and not p.name.startswith("."))


def read_index(path: Path) -> Iterator[Entry]:
    """Entries of one segment. A damaged segment is an error that says what to delete: it is never half-used."""
    with path.open("rb") as handle:
        head = handle.readline()
        base = handle.tell()
        size = handle.seek(0, os.SEEK_END)
    try:
        entries = [
            Entry(kind, key, path, base + offset, length, note) for kind, key, offset, length, note in json.loads(head)
        ]
        if entries and entries[-1].offset + entries[-1].length != size:
            raise ValueError(f"{size} bytes, {entries[-1].offset + entries[-1].length} expected")
    except (ValueError, TypeError) as error:
        raise MachineError(f"damaged journal segment {path} ({error}); delete it and run again") from None
    yield from entries


def scan(folder: Path) -> Iterator[Entry]:
    """Entries of every segment, oldest first."""
    for path in segments(folder):
        yield from read_index(path)


class JournalWriter:
    """Buffers records and writes a segment when there are enough of them or they are old enough."""

    def __init__(self, folder: Path, max_records: int = 16, max_seconds: float = 5.0):
        self.folder, self.max_records, self.max_seconds = folder, max_records, max_seconds
        self._buffer: list[Record] = []
        self._oldest = 0.0

    def add(self, record: Record) -> None:
        """Buffer one record; may write a segment."""
        if not self._buffer:
            self._oldest = time.monotonic()
        self._buffer.append(record)
        if len(self._buffer) >= self.max_records or time.monotonic() - self._oldest >= self.max_seconds:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered. On failure the records stay buffered."""
        if self._buffer:
            write_segment(self.folder, self._buffer)
            self._buffer = []
