"""A folder that is there whole or not at all: filled under a temporary name beside its place, then renamed."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError


@contextlib.contextmanager
def new_folder(dest: Path, *, replace: bool, ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield a fresh folder that becomes ``dest`` when the block ends well; on an error ``dest`` is as it was.

    ``dest`` may be missing or empty. With ``replace`` it may also hold an earlier result, which ``ours`` recognises, so
    that no command deletes a folder that it did not make. What a killed process leaves
    behind is a hidden ``.NAME.*.tmp`` beside ``dest``; it is safe to delete.

    Raises FgmcapsError when ``dest`` is in the way, before anything is written.
    """
    dest = Path(os.path.abspath(dest))  # noqa: PTH100 - a link stays a link
    if occupied(dest):
        if not replace:
            raise FgmcapsError(f"{dest} is not empty; choose another place, or give --replace")
        if not ours(dest):
            raise FgmcapsError(
                f"{dest} was not made by this command, which therefore does not replace it; "
                "choose another place, or delete it yourself"
            )
    dest.parent.mkdir(parents=True, exist_ok=True)
    tag = uuid.uuid4().hex
    fresh, old = dest.with_name(f".{dest.name}.{tag}.tmp"), dest.with_name(f".{dest.name}.{tag}.old.tmp")
    fresh.mkdir()
    try:
        yield fresh
        if replace and occupied(dest):
            dest.rename(old)
            try:
                fresh.rename(dest)
            except OSError:
                old.rename(dest)
                raise
        else:
            fresh.rename(dest)  # onto a missing or an empty folder; fails if somebody filled it meanwhile
    finally:
        for left in (fresh, old):
            shutil.rmtree(left, ignore_errors=True)


def occupied(dest: Path) -> bool:
    """True if ``dest`` is a folder with something in it. Raises FgmcapsError if it is not a folder."""
    if dest.is_dir():
        return any(dest.iterdir())
    if dest.exists() or dest.is_symlink():
        raise FgmcapsError(f"{dest} is not a folder; choose another place")
    return False
