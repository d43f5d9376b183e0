"""Answers of the LLM on disk, so that a rerun asks nothing twice.

One folder, one segment file per writing process, only ever appended to: there is nothing to lock, so it is safe under
any number of processes and on network file systems, where SQLite's WAL and LMDB are not; a kill can tear the last line
of a segment only, and such a line fails its checksum and is skipped. A process sees what was there when it opened the
cache and what it wrote itself. It keeps 16 bytes in memory per answer found.

A line is ``<CRC-32, 8 hex> <key, 64 hex> <JSON string>``. The key is the SHA-256 of everything that shapes the answer.
"""

import hashlib
import json
import logging
import os
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)

SUFFIX = ".answers"
MAX_ANSWER_BYTES = 1 << 20
_HEAD = 8 + 1 + 64 + 1


class CacheWriteError(OSError):
    """An answer could not be stored (disk full, read-only); the message names the file and the remedy."""


def request_key(**parts: Any) -> str:
    """SHA-256 (hex) of the parts as canonical JSON."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class RequestCache:
    """Get and put answers by key. Thread-safe; open one per process (it does not survive a fork)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CacheWriteError(
                f"request cache {folder}: {error.strerror}; give a folder that can be written"
            ) from error
        self._segments = sorted(p for p in folder.iterdir() if p.name.endswith(SUFFIX))
        self._keys, self._places = self._index()
        self._own: dict[bytes, tuple[int, int]] = {}
        self._readers: dict[int, BinaryIO] = {}
        self._writer: BinaryIO | None = None
        self._end = 0
        self._pid = os.getpid()

    def __len__(self) -> int:
        return len(self._keys) + len(self._own)

    def get(self, key: str) -> str | None:
        """The stored answer, or None; a damaged record is a miss."""
        with self._lock:
            for segment, offset in self._find(key):
                answer = self._read(key, segment, offset)
                if answer is not None:
                    return answer
        return None

    def put(self, key: str, answer: str) -> None:
        """Store an answer; it is in the file (not only in this process) when the call returns.

        Raises CacheWriteError if the disk refuses it; the file is then cut back to its last whole line.
        """
        body = f"{key} {json.dumps(answer, ensure_ascii=True)}".encode("ascii")
        if len(body) > MAX_ANSWER_BYTES:
            return  # such an answer cannot be a caption: asking again costs less than keeping it
        line = b"%08x %s\n" % (zlib.crc32(body), body)
        with self._lock:
            writer = self._open_writer()
            try:
                written = writer.write(line)
                if written != len(line):
                    raise OSError(28, "No space left on device")
            except OSError as error:
                self._cut_back(writer)
                raise CacheWriteError(
                    f"request cache {self._folder}: {error.strerror}; free space or give another folder"
                ) from error
            self._own[bytes.fromhex(key)] = (len(self._segments) - 1, self._end)
            self._end += len(line)

    def close(self) -> None:
        """Flush to the device and close the files."""
        with self._lock:
            if self._writer is not None:
                try:
                    os.fsync(self._writer.fileno())
                except OSError as error:
                    log.warning("request cache %s: not synced: %s", self._folder, error)
                self._writer.close()
                self._writer = None
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()

    def __enter__(self) -> "RequestCache":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _index(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Sorted 64-bit key prefixes, and for each its place: segment number << 40 | offset."""
        keys: list[npt.NDArray[np.uint64]] = []
        places: list[npt.NDArray[np.uint64]] = []
        for number, path in enumerate(self._segments):
            rows = list(_scan(path))
            keys.append(np.array([k for k, _ in rows], dtype=np.uint64))
            places.append(np.array([(number << 40) | o for _, o in rows], dtype=np.uint64))
        all_keys = np.concatenate([np.empty(0, np.uint64), *keys])
        all_places = np.concatenate([np.empty(0, np.uint64), *places])
        order = np.argsort(all_keys, kind="stable")
        return all_keys[order], all_places[order]

    def _find(self, key: str) -> Iterator[tuple[int, int]]:
        """Places that may hold the key: the first that was stored comes first, so that every reader agrees."""
        prefix = np.uint64(int(key[:16], 16))
        left, right = np.searchsorted(self._keys, prefix, "left"), np.searchsorted(self._keys, prefix, "right")
        for place in self._places[left:right].tolist():
            yield place >> 40, place & ((1 << 40) - 1)
        own = self._own.get(bytes.fromhex(key))
        if own is not None:
            yield own

    def _read(self, key: str, segment: int, offset: int) -> str | None:
        reader = self._readers.get(segment)
        try:
            if reader is None:
                reader = self._readers[segment] = self._segments[segment].open("rb")
            reader.seek(offset)
            line = reader.readline(MAX_ANSWER_BYTES + _HEAD)
        except OSError as error:
            log.warning("request cache %s: cannot read: %s", self._segments[segment], error)
            return None
        crc, _, body = line.rstrip(b"\n").partition(b" ")
        if not line.endswith(b"\n") or crc != b"%08x" % zlib.crc32(body) or not body.startswith(key.encode("ascii")):
            return None
        answer = json.loads(body[65:])
        return answer if isinstance(answer, str) else None

    def _open_writer(self) -> BinaryIO:
        if self._pid != os.getpid():
            raise RuntimeError("a RequestCache does not survive a fork: open one per process")
        if self._writer is None:
            name = f"{os.getpid():08d}-{os.urandom(8).hex()}{SUFFIX}"
            path = self._folder / name
            try:
                # Unbuffered: a line that put() returned for is with the operating system, whatever happens to us.
                self._writer = path.open("xb", buffering=0)
            except OSError as error:
                raise CacheWriteError(
                    f"request cache {path}: {error.strerror}; free space or give another folder"
                ) from error
            self._segments.append(path)
            self._end = 0
        return self._writer

    def _cut_back(self, writer: BinaryIO) -> None:
        try:
            writer.truncate(self._end)
            writer.seek(self._end)
        except OSError as error:
            log.warning("request cache %s: cannot cut back a torn line: %s", self._folder, error)


def _scan(path: Path) -> Iterator[tuple[int, int]]:
    """``(64-bit key prefix, offset)`` of the whole lines of a segment; torn and foreign lines are passed over."""
    offset = 0
    with path.open("rb") as file:
        while line := file.readline(MAX_ANSWER_BYTES + _HEAD + 2):
            if line.endswith(b"\n") and len(line) > _HEAD and line[8:9] == b" " and line[73:74] == b" ":
                try:
                    yield int(line[9:25], 16), offset
                except ValueError:
                    log.debug("request cache %s: foreign line at %d", path, offset)
            offset += len(line)
