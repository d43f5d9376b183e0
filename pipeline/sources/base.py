"""The contract of every source: list what may be a track, then open it anywhere.

A *location* is a string that any worker can open: a file system path (``file-bytes:`` and hex where it is not UTF-8),
or ``row:`` for a row of a Hugging Face dataset.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fgmcaps.common.safe_paths import portable_path
from fgmcaps.schemas import TrackMetadata

_HEX = "file-bytes:"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """Something that may be a track. ``stamp`` changes when its bytes may have changed (size and mtime, or a row's
    address in a dataset of fixed revision): an unchanged stamp is not hashed again."""

    location: str
    source_path: str
    size: int
    stamp: str
    metadata: TrackMetadata = field(default_factory=TrackMetadata)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What the user says of a corpus: names of its splits, the Audio column and the configuration of a dataset, and the
    columns to keep."""

    split_map: Mapping[str, str] = field(default_factory=dict)
    audio_column: str | None = None
    dataset_config: str | None = None
    keep_columns: tuple[str, ...] = ()


DEFAULTS = SourceOptions()


class Source(ABC):
    """A corpus. ``name`` goes into the rows' ``source`` column; ``identity`` is what a build folder is bound to.

    ``notes``: a line for people each, known when all files are: what was passed over, not used, or read another way.
    """

    name: str
    identity: str

    def __init__(self) -> None:
        self.notes: list[str] = []

    @abstractmethod
    def files(self) -> Iterator[FoundFile]:
        """Everything that may be a track, sorted by ``source_path``. Raises FgmcapsError if there is nothing."""


def location_of(path: Path) -> str:
    """Location of a file; a name that is not UTF-8 survives."""
    text = str(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _HEX + os.fsencode(text).hex()
    return text


def path_of(location: str) -> Path:
    """The file of a location made by :func:`location_of`."""
    if location.startswith(_HEX):
        return Path(os.fsdecode(bytes.fromhex(location.removeprefix(_HEX))))
    return Path(location)


def printable(text: str) -> str:
    """A name for rows and messages: bytes that are not UTF-8 become escapes, so that JSON and Arrow take it."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def name_for_rows(text: str) -> str:
    """What a row calls a file: printable, relative, leading nowhere."""
    return portable_path(printable(text))


def stamp_of(stat: os.stat_result) -> str:
    """Changes when a file is written to or replaced, even where its times are put back: nobody sets the change time."""
    return f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
