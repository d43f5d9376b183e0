"""What each input file is: its bytes, its sound and its tags, remembered so that a rerun reads nothing.

Files are opened in isolated decoders alone: what hangs, crashes or never ends costs only itself.
"""

import base64
import json
import logging
import os
import queue
import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fgmcaps.common.files import write_atomically
from fgmcaps.pipeline.audio.decode import DecodeError, Decoder, SoundIdentity
from fgmcaps.pipeline.audio.tags import Tags
from fgmcaps.pipeline.sources import FoundFile
from fgmcaps.pipeline.sources.base import path_of
from fgmcaps.pipeline.sources.hf_dataset import ROW, read_row
from fgmcaps.schemas import from_json, to_json

log = logging.getLogger(__name__)
VERSION = 1
"""Raised when what is remembered would be another for the same file: everything is read again then."""
CHUNK = 512
MAX_DECODERS = 8
SAVE_EVERY_S = 30.0
DECODE_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file is. ``sha256``: of all its bytes. ``sound``: None where nothing in it can be decoded.

    ``seen``: how many runs into this folder knew the corpus before the file came: of copies, the one that came first
    gives its name to the rows, whatever is added later.
    """

    sha256: str
    sound: SoundIdentity | None = None
    seen: int = 0

    @property
    def payload(self) -> str:
        """Equal where the encoded audio is equal, tags aside."""
        return self.sha256 if self.sound is None or self.sound.payload is None else self.sound.payload


@dataclass(frozen=True, slots=True)
class KnownSound:
    """A found file and what it is."""

    file: FoundFile
    identity: Identity


@dataclass(frozen=True, slots=True)
class Unread:
    """A found file that cannot be read: the error, and the slug of its reason for the dead letter."""

    file: FoundFile
    error: str
    reason: str = "unreadable"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the inventory remembers about a file: its stamp (:class:`FoundFile`), and what it was then."""

    stamp: str
    identity: Identity


def open_location(location: str) -> Path | bytes:
    """What a decoder reads: a path, or the bytes of a dataset row."""
    return read_row(location) if location.startswith(ROW) else path_of(location)


def take_inventory(
    files: Iterable[FoundFile], cache_file: Path, on_file: Callable[[int, int, bool], None], limit: int | None = None
) -> list[KnownSound | Unread]:
    """Read what is new or changed, in the order of ``files``; ``on_file(done, total, read)`` is called for each file.

    A file that cannot be read has its error and is tried again next time. With ``limit`` the result ends with the file
    that gives the last of so many different tracks: a trial on a large corpus reads little of it. What is known is
    saved from time to time, so that a killed command need not read everything again.
    """
    known = _read_cache(cache_file)
    seen = 1 + max((k.identity.seen for k in known.values()), default=-1)
    files = list(files)
    found: list[KnownSound | Unread] = []
    different: set[str] = set()
    saved = time.monotonic()
    with _Reader() as reader:
        step = CHUNK if limit is None else max(reader.size, min(CHUNK, limit))
        for start in range(0, len(files), step):
            for item in reader.read(files[start : start + step], known, seen):
                if limit is None or len(different) < limit:
                    found.append(item)
                    different.update((item.identity.payload,) if isinstance(item, KnownSound) else ())
                on_file(len(found), len(files), not _is_known(item.file, known))
            if limit is not None and len(different) >= limit:
                break
            if time.monotonic() - saved > SAVE_EVERY_S:
                _write_cache(cache_file, known | _entries(found))
                saved = time.monotonic()
    # What the input holds no more is forgotten, unless only a part of the input was looked at.
    entries = _entries(found) if len(found) == len(files) else known | _entries(found)
    if _lines(entries) != _lines(known):
        _write_cache(cache_file, entries)
    return found


def forget_stamps(cache_file: Path, locations: Iterable[str]) -> None:
    """Read these files again next time, whatever their stamps say."""
    gone = set(locations)
    _write_cache(
        cache_file,
        {
            location: replace(known, stamp="") if location in gone else known
            for location, known in _read_cache(cache_file).items()
        },
    )


class _Reader:
    """A few decoders that read files side by side; none is started before there is something to read."""

    def __init__(self) -> None:
        self.size = min(MAX_DECODERS, os.cpu_count() or 1)
        self._free: queue.SimpleQueue[Decoder] = queue.SimpleQueue()
        self._stack = ExitStack()

    def __enter__(self) -> "_Reader":
        for _ in range(self.size):
            self._free.put(self._stack.enter_context(Decoder(timeout_s=DECODE_TIMEOUT_S)))
        self._pool = self._stack.enter_context(ThreadPoolExecutor(self.size))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @contextmanager
    def _decoder(self) -> Iterator[Decoder]:
        decoder = self._free.get()
        try:
            yield decoder
        finally:
            self._free.put(decoder)

    def read(self, files: list[FoundFile], known: dict[str, KnownFile], seen: int) -> Iterator[KnownSound | Unread]:
        """One result for each file, in order."""

        def one(file: FoundFile) -> KnownSound | Unread:
            before = known.get(file.location)
            if before is not None and _is_known(file, known):
                return KnownSound(file, before.identity)
            with self._decoder() as decoder:
                return _read(file, decoder, seen if before is None else before.identity.seen)

        return self._pool.map(one, files)


def _is_known(file: FoundFile, known: dict[str, KnownFile]) -> bool:
    return file.location in known and known[file.location].stamp == file.stamp


def _read(file: FoundFile, decoder: Decoder, seen: int) -> KnownSound | Unread:
    try:
        source = open_location(file.location)
        sha256 = decoder.hash(source, file.source_path)
    except DecodeError as error:
        return Unread(file, f"{type(error).__name__}: {error}", error.reason)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Unread(file, f"{type(error).__name__}: {reason}")
    try:
        sound = decoder.identify(source, file.source_path)
    except DecodeError as error:  # its clips will say so too; its bytes are known, so it can be planned
        log.log(logging.WARNING if error.reason == "internal" else logging.DEBUG, "%s", error)
        sound = None
    return KnownSound(file, Identity(sha256, sound, seen))


def _entries(found: Iterable[KnownSound | Unread]) -> dict[str, KnownFile]:
    """By location."""
    return {x.file.location: KnownFile(x.file.stamp, x.identity) for x in found if isinstance(x, KnownSound)}


@dataclass(frozen=True, slots=True)
class _Line:
    """A known file as the inventory holds it; ``fingerprint``: base64 of little-endian uint16."""

    location: str
    stamp: str
    sha256: str
    seen: int
    payload: str | None = None
    tags: Tags | None = None
    duration_s: float | None = None
    fingerprint: str = ""


def _lines(entries: dict[str, KnownFile]) -> list[str]:
    return [json.dumps([VERSION]), *(to_json(_line(*entry)) for entry in entries.items())]


def _line(location: str, known: KnownFile) -> _Line:
    identity, sound = known.identity, known.identity.sound
    line = _Line(location, known.stamp, identity.sha256, identity.seen)
    if sound is None:
        return line
    frames = base64.b64encode(sound.fingerprint).decode()
    return replace(line, payload=sound.payload, tags=sound.tags, duration_s=sound.duration_s, fingerprint=frames)


def _parse(text: str) -> tuple[str, KnownFile]:
    line = from_json(_Line, text)
    if not all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in (line.sha256, line.payload or line.sha256)):
        raise ValueError("not a SHA-256")
    sound = None
    if line.tags is not None:
        frames = base64.b64decode(line.fingerprint, validate=True)
        sound = SoundIdentity(line.payload, line.tags, line.duration_s, frames)
    return line.location, KnownFile(line.stamp, Identity(line.sha256, sound, line.seen))


def _write_cache(path: Path, entries: dict[str, KnownFile]) -> None:
    write_atomically(path, "".join(f"{line}\n" for line in _lines(entries)).encode())


def _read_cache(path: Path) -> dict[str, KnownFile]:
    if not path.is_file():
        return {}
    try:
        head, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        if json.loads(head) != [VERSION]:
            return {}
        return dict(_parse(line) for line in lines)
    except ValueError:  # ContractError is one
        log.warning("the inventory %s is damaged; reading every file again", path)
        return {}
