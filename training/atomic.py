"""Files that are there whole or not at all: unique temporary name, fsync, rename, fsync of the folder."""

import contextlib
import errno
import fcntl
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from training.errors import FigmaError, MachineError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that appears under ``path`` when the block ends well, and leaves nothing behind when it does not.

    Raises MachineError when there is no room; what was there before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise MachineError(
                f"{path}: {error.strerror} (free some space and run the same command again; finished files are kept)"
            ) from None
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` by :func:`atomic_file`."""
    with atomic_file(path) as handle:
        handle.write(data)


@contextlib.contextmanager
def folder_lock(folder: Path, stage: str) -> Iterator[None]:
    """Hold a folder alone, until the process ends at the latest. Raises FigmaError when another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FigmaError(f"{folder}: another process is {stage} there; wait for it or stop it") from None
        yield


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # some network file systems cannot sync a folder; the rename itself is done
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
