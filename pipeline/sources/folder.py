"""A folder of audio files, searched to the bottom."""

import logging
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.sources.base import FoundFile, Source, location_of, name_for_rows, printable, stamp_of

log = logging.getLogger(__name__)
_SUFFIXES = """
    .aac .ac3 .aif .aifc .aiff .alac .ape .au .caf .flac .m4a .m4b .mka .mp2 .mp3 .mp4 .mpc .oga .ogg .opus .snd .spx
    .tta .w64 .wav .wave .webm .wma .wv
"""
AUDIO_SUFFIXES = frozenset(_SUFFIXES.split())


def walk(root: Path, exclude: Path | None = None) -> Iterator[tuple[Path, os.stat_result]]:
    """Regular files below ``root`` in a fixed order. Hidden entries are left out; links to folders are not followed
    (no loops); links to files are; pipes and devices are left out.

    Raises FgmcapsError when ``root`` itself cannot be read; a folder below it that cannot is logged and left out.
    """
    skip = exclude.resolve() if exclude is not None and exclude.exists() else None
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            if folder == root:
                raise FgmcapsError(f"cannot read the folder {printable(str(root))}: {error.strerror}") from None
            log.warning("left out the folder %s, which cannot be read: %s", printable(str(folder)), error.strerror)
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                if skip is None or path.resolve() != skip:
                    pending.append(path)
                continue
            try:
                info = entry.stat()
            except OSError:  # a broken or circular link
                continue
            if stat.S_ISREG(info.st_mode):
                yield path, info


def has_audio(root: Path, exclude: Path | None = None) -> bool:
    """True if some file below ``root`` has an audio suffix."""
    return any(path.suffix.lower() in AUDIO_SUFFIXES for path, _ in walk(root, exclude))


class FolderSource(Source):
    """Every file with an audio suffix below a folder."""

    def __init__(self, root: Path, exclude: Path | None = None):
        self.root, self.exclude = root, exclude
        self.name = printable(root.resolve().name) or "music"
        self.identity = printable(str(root.resolve()))

    def files(self) -> Iterator[FoundFile]:
        """Audio files sorted by their path relative to the folder."""
        found, others = [], Counter[str]()
        for path, info in walk(self.root, self.exclude):
            if path.suffix.lower() not in AUDIO_SUFFIXES:
                others[path.suffix.lower() or "no suffix"] += 1
                continue
            source_path = name_for_rows(path.relative_to(self.root).as_posix())
            found.append(FoundFile(location_of(path.absolute()), source_path, info.st_size, stamp_of(info)))
        if not found:
            seen = ", ".join(f"{n} x {suffix}" for suffix, n in others.most_common(5))
            raise NothingToDoError(
                f"no audio in the folder {printable(str(self.root))}: "
                + (f"it holds {seen}" if seen else "it is empty")
                + "; audio files end in .wav, .flac, .mp3, .ogg, .opus, .m4a, ..."
            )
        yield from sorted(found, key=lambda f: f.source_path)
