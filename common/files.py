"""Files that are there whole or not at all: unique temporary name, fsync, rename, fsync of the folder."""

import contextlib
import errno
import fcntl
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from fgmcaps.common.errors import DiskFullError, FgmcapsError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def atomic_file(path: Path, *, replace: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that appears under ``path`` when the block ends well, and leaves nothing behind when it does not.

    The temporary file lies beside ``path`` under a hidden name that is unique to this call, so that two writers of
    the same file never write into each other's bytes.

    Raises FileExistsError when ``path`` exists and ``replace`` is False, DiskFullError when there is no room.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        _publish(temporary, path, replace)
        sync_folder(path.parent)
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFullError(
                error.errno,
                f"{error.strerror} while writing (free some space and run the same command again; "
                "finished files are kept)",
                str(path),
            ) from error
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write ``data`` to ``path`` by :func:`atomic_file`."""
    with atomic_file(path, replace=replace) as handle:
        handle.write(data)


@contextlib.contextmanager
def folder_lock(folder: Path, stage: str) -> Iterator[None]:
    """Hold a folder alone, until the process ends at the latest. Raises FgmcapsError when another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FgmcapsError(f"{folder}: another process is {stage} there; wait for it or stop it") from None
        yield


def temporary_files(folder: Path) -> list[Path]:
    """Temporary files in ``folder`` that a killed writer left behind; safe to delete when no writer runs."""
    return sorted(folder.glob(".*.tmp"))


def _publish(temporary: Path, path: Path, replace: bool) -> None:
    if replace:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)  # the one call that is both atomic and fails where the name is taken
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.replace(path)


def sync_folder(folder: Path) -> None:
    """Bring the names in ``folder`` to the disk, so that a rename survives a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # some network file systems cannot sync a folder; the rename itself is done
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
