"""What each input file is: its SHA-256, remembered by location and stamp so that a rerun reads nothing."""

import hashlib
import json
import logging
import re
import stat
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fgmcaps.common.files import write_atomically
from fgmcaps.common.fingerprints import sha256_of
from fgmcaps.pipeline.sources import FoundFile
from fgmcaps.pipeline.sources.base import path_of
from fgmcaps.pipeline.sources.hf_dataset import ROW, read_row

log = logging.getLogger(__name__)
# Hashing waits for the disk and releases the GIL, so threads are enough, and the result must be whole before dedup.
THREADS = 8
CHUNK = 512
SAVE_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Hashed:
    """A found file with the SHA-256 of its bytes, or the error that kept it from being read."""

    file: FoundFile
    sha256: str | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the inventory remembers about a file: its stamp (:class:`FoundFile`) and the SHA-256 that it had then."""

    stamp: str
    sha256: str


def open_location(location: str) -> Path | bytes:
    """What a decoder reads: a path, or the bytes of a dataset row."""
    return read_row(location) if location.startswith(ROW) else path_of(location)


def hash_location(location: str) -> str:
    """SHA-256 (hex) of the encoded audio. Raises OSError or ValueError."""
    source = open_location(location)
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    if not stat.S_ISREG(source.stat().st_mode):  # a manifest may name a pipe or a device, which never ends
        raise ValueError("not a regular file")
    return sha256_of(source)


def take_inventory(
    files: Iterable[FoundFile], cache_file: Path, on_hashed: Callable[[], None], limit: int | None = None
) -> list[Hashed]:
    """Hash what is new or changed, in the order of ``files``; ``on_hashed`` is called once a file that had to be read.

    A file that cannot be read has its error and is tried again next time. With ``limit`` the result ends with the file
    that gives the last of so many different tracks: a trial on a large corpus reads little of it. What is known is
    saved from time to time, so that a killed command need not read everything again.
    """
    known = _read_cache(cache_file)
    files = list(files)

    def one(file: FoundFile) -> Hashed:
        cached = known.get(file.location)
        if cached is not None and cached.stamp == file.stamp:
            return Hashed(file, cached.sha256)
        try:
            result = Hashed(file, hash_location(file.location))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            result = Hashed(file, None, f"{type(error).__name__}: {reason}")
        on_hashed()
        return result

    hashed: list[Hashed] = []
    different: set[str] = set()
    saved = time.monotonic()
    step = CHUNK if limit is None else max(THREADS, min(CHUNK, limit))
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(files), step):
            for item in pool.map(one, files[start : start + step]):
                if limit is None or len(different) < limit:
                    hashed.append(item)
                    different.update(() if item.sha256 is None else (item.sha256,))
            if limit is not None and len(different) >= limit:
                break
            if time.monotonic() - saved > SAVE_EVERY_S:
                _write_cache(cache_file, known | _entries(hashed))
                saved = time.monotonic()
    # What the input holds no more is forgotten, unless only a part of the input was looked at.
    entries = _entries(hashed) if len(hashed) == len(files) else known | _entries(hashed)
    if entries != _read_cache(cache_file):
        _write_cache(cache_file, entries)
    return hashed


def _entries(hashed: Iterable[Hashed]) -> dict[str, KnownFile]:
    """By location."""
    return {h.file.location: KnownFile(h.file.stamp, h.sha256) for h in hashed if h.sha256 is not None}


def _write_cache(path: Path, entries: dict[str, KnownFile]) -> None:
    lines = (json.dumps([location, known.stamp, known.sha256]) + "\n" for location, known in entries.items())
    write_atomically(path, "".join(lines).encode())


def _read_cache(path: Path) -> dict[str, KnownFile]:
    if not path.is_file():
        return {}
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        known = {str(location): KnownFile(str(stamp), str(sha256)) for location, stamp, sha256 in rows}
        if not all(re.fullmatch(r"[0-9a-f]{64}", entry.sha256) for entry in known.values()):
            raise ValueError("not a SHA-256")
        return known
    except (ValueError, TypeError):
        log.warning("the inventory %s is damaged; hashing every file again", path)
        return {}
