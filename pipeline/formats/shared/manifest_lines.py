"""For importers of metadata: text files read line by line, and the path of a track's audio as the manifest names it."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError

MAX_LINE = 1 << 20


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """``(line number, text)``. Raises FgmcapsError for a file that cannot be read as UTF-8 or has a huge line."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            number = 0
            while line := handle.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE:
                    raise FgmcapsError(f"{file}: line {number} has more than {MAX_LINE} characters; is it a text file?")
                yield number, line
    except (OSError, UnicodeDecodeError) as error:
        raise FgmcapsError(f"cannot read {file}: {error}") from None


def audio_path(location: str, root: Path | None, manifest: Path, alternatives: Sequence[str] = ()) -> str | None:
    """Path of an audio file relative to the folder of ``manifest``, as ``build`` reads it.

    Without ``root`` this is ``location`` itself: the manifest is to be put where the audio is. With it, it is the first
    of ``location`` and ``alternatives`` that is a file below ``root``; None where none is.
    """
    if root is None:
        return location
    for name in (location, *alternatives):
        if not Path(name).is_absolute() and ".." not in Path(name).parts and (root / name).is_file():
            return Path(os.path.relpath(root / name, manifest.parent)).as_posix()
    return None
