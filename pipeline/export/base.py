"""The contract of every export format, and what they share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.schemas import Manifest, ShardFile
from fgmcaps.schemas.arrow import COLUMNS

Row = dict[str, Any]
Shards = Iterable[tuple[ShardFile, Iterator[Row]]]

EXPORT_NAME = "export.json"
"""In every export: what it was made from. It also marks a folder that ``--replace`` may replace."""

FLAT_COLUMNS: tuple[str, ...] = tuple(column.name for column in COLUMNS if column.name not in ("audio", "raw"))


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One layout.

    ``write(folder, shards, manifest)`` fills an empty folder from shards in the manifest's order, each with its rows
    in ascending order of id, and must consume every row. ``audio``: ``required`` = a row without embedded audio is an
    error, ``optional`` = such a row is written without, ``unused`` = audio is never read. ``splits``: those written by
    default; None = all.
    """

    name: str
    summary: str
    audio: Literal["required", "optional", "unused"]
    write: Callable[[Path, Shards, Manifest], None]
    splits: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote; ``without_audio`` counts rows that had no embedded audio."""

    rows: int
    without_audio: int
    rows_per_split: dict[str, int]


def embedded(row: Row) -> bytes | None:
    """The encoded clip (FLAC, 24 kHz, mono), or None where the audio policy left it out."""
    audio = row["audio"]
    data: bytes | None = None if audio is None else audio["bytes"]
    return data


def required_audio(row: Row, format_name: str) -> bytes:
    """The encoded clip; FgmcapsError naming the row and the remedy where it is not embedded."""
    data = embedded(row)
    if data is None:
        raise FgmcapsError(
            f"row {row['id']} has no embedded audio, and {format_name} is nothing without it; "
            "build the dataset with --audio embed, or export csv, jams or musicbench"
        )
    return data
