"""Audio of a dataset that names its files by relative paths: unpacked in a folder, or still in tar archives.

Archives unpack below different prefixes (``datashare/data/x.wav`` for ``data/x.wav``), so files are found by their last
two path components. Nothing is ever extracted to disk under a name from an archive.
"""

import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.sources.folder import AUDIO_SUFFIXES, walk

MAX_MEMBER_BYTES = 64 << 20
"""Larger than any 10 s clip: 192 kHz float stereo is 15 MB."""
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")


def tail(path: str) -> str:
    """The last two components of a path, by which files are found."""
    return "/".join(PurePosixPath(path.replace("\\", "/")).parts[-2:])


def is_archive(path: Path) -> bool:
    """True for the name of a tar archive."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


def folder_audio(root: Path, wanted: Collection[str]) -> Iterator[tuple[str, Path]]:
    """``(tail, file)`` of every wanted audio file below ``root``; of files with one tail, the first."""
    seen: set[str] = set()
    for path, _ in walk(root):
        if path.suffix.lower() not in AUDIO_SUFFIXES:
            continue
        below = path.relative_to(root).as_posix()
        for name in (tail(below), tail(f"{root.resolve().name}/{below}")):  # the prefix may name the folder itself
            if name in wanted and name not in seen:
                seen.add(name)
                yield name, path
                break


def archive_members(archive: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | None]]:
    """``(tail, bytes)`` of every member whose tail is wanted, in one pass; None for a member over ``MAX_MEMBER_BYTES``.

    Raises FgmcapsError for an archive that cannot be read to its end.
    """
    seen: set[str] = set()
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                tar.members = []  # type: ignore[attr-defined]  # tarfile remembers every header of a stream
                name = tail(member.name)
                if not member.isreg() or not wanted(name) or name in seen:
                    continue
                seen.add(name)
                handle = tar.extractfile(member) if member.size <= MAX_MEMBER_BYTES else None
                yield name, None if handle is None else handle.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise FgmcapsError(
            f"{archive}: the archive is damaged after {len(seen)} files of interest ({error}); download it again"
        ) from None
