"""Audio of a dataset that names its files by relative paths: unpacked in a folder, or still in tar archives.

Archives unpack below different prefixes (``datashare/data/x.wav`` for ``data/x.wav``), so files are found by their last
two path components, and by the whole name where several end alike. Nothing is ever extracted to disk under a name from
an archive.
"""

import tarfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TypeVar

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.sources.folder import AUDIO_SUFFIXES, walk

MAX_MEMBER_BYTES = 64 << 20
"""Larger than any 10 s clip: 192 kHz float stereo is 15 MB."""
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")

T = TypeVar("T")


class Wanted:
    """Locations whose audio is looked for. Each file answers one location, each location is answered once."""

    def __init__(self, locations: Iterable[str]) -> None:
        self._by_tail: dict[str, list[str]] = defaultdict(list)
        for location in locations:
            self._by_tail[tail(location)].append(location)
        self._shared = {name for name, found in self._by_tail.items() if len(found) > 1}

    def take(self, path: str) -> str | None:
        """The location that the file ``path`` answers, from now on no longer wanted.

        Of several locations with the same last two components, the longest that the path ends with; None where it ends
        with none of them: a guess would put one clip's labels on another's sound.
        """
        name = tail(path)
        waiting = self._by_tail.get(name)
        if not waiting:
            return None
        fits = [at for at in waiting if name not in self._shared or f"/{path}".endswith(f"/{at}")]
        found = max(fits, key=len, default=None)
        if found is not None:
            waiting.remove(found)
        return found

    def left(self) -> list[str]:
        """The locations that no file has answered."""
        return [location for waiting in self._by_tail.values() for location in waiting]


def tail(path: str) -> str:
    """The last two components of a path, by which files are found."""
    return "/".join(PurePosixPath(plain_path(path)).parts[-2:])


def plain_path(path: str) -> str:
    """The same path with slashes, and without ``./``."""
    return str(PurePosixPath(path.replace("\\", "/")))


def is_archive(path: Path) -> bool:
    """True for the name of a tar archive."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


def folder_audio(root: Path, take: Callable[[str], T | None]) -> Iterator[tuple[T, Path]]:
    """``(what, file)`` of every audio file below ``root`` that ``take`` says something of; it is given the path."""
    for path, _ in walk(root):
        if path.suffix.lower() not in AUDIO_SUFFIXES:
            continue
        below = path.relative_to(root).as_posix()
        for name in (below, f"{root.resolve().name}/{below}"):  # the prefix may name the folder itself
            what = take(name)
            if what is not None:
                yield what, path
                break


def archive_members(archive: Path, take: Callable[[str], T | None]) -> Iterator[tuple[T, bytes | None]]:
    """``(what, bytes)`` of every member that ``take`` says something of, in one pass; it is given the member's name.

    None instead of the bytes of a member over ``MAX_MEMBER_BYTES``. Raises FgmcapsError for an archive that cannot be
    read to its end.
    """
    count = 0
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                tar.members = []  # type: ignore[attr-defined]  # tarfile remembers every header of a stream
                what = take(plain_path(member.name)) if member.isreg() else None
                if what is None:
                    continue
                count += 1
                handle = tar.extractfile(member) if member.size <= MAX_MEMBER_BYTES else None
                yield what, None if handle is None else handle.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise FgmcapsError(
            f"{archive}: the archive is damaged after {count} files of interest ({error}); download it again"
        ) from None
