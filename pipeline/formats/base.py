"""The contracts of an exporter and of an importer: one foreign layout written, one foreign layout read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.schemas import DeadLetter, Estimate, Labels, Manifest, ShardFile, StyledCaption, ToolInfo, TrackMetadata
from fgmcaps.schemas.arrow import COLUMNS

Row = dict[str, Any]
"""A row of a shard, with the columns of ``fgmcaps.schemas.arrow`` that were asked for."""

Shards = Iterable[tuple[ShardFile, Iterator[Row]]]

FLAT_COLUMNS: tuple[str, ...] = tuple(column.name for column in COLUMNS if column.name not in ("audio", "fused", "raw"))


@dataclass(frozen=True, slots=True)
class Exporter:
    """Writes one layout.

    ``write(folder, shards, manifest)`` fills an empty folder from shards in the manifest's order, each with its rows
    in ascending order of id, and must consume every row. ``audio``: ``required`` = a row without embedded audio is an
    error, ``optional`` = such a row is written without audio, ``unused`` = audio is never read. ``splits``: those
    written by default; None = all.
    """

    name: str
    audio: Literal["required", "optional", "unused"]
    write: Callable[[Path, Shards, Manifest], None]
    splits: tuple[str, ...] | None = None


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
            f"row {row['id']} has no embedded audio, which {format_name} needs; build the dataset with --audio embed, "
            "or export csv, jams or musicbench"
        )
    return data


LabelMaker = Callable[[float], tuple[Labels, tuple[Estimate, ...]]]
"""Labels of a clip of so many seconds, and the raw estimates they were made from."""


@dataclass(frozen=True, slots=True)
class ForeignClip:
    """A clip of another dataset: encoded audio (its bytes or its file), captions and labels.

    The first of ``captions`` becomes the row's caption, the others its further captions; each style occurs once.
    """

    source_path: str
    split: str
    audio: bytes | Path
    captions: tuple[StyledCaption, ...]
    labels: LabelMaker
    metadata: TrackMetadata = field(default_factory=TrackMetadata)


@dataclass(frozen=True, slots=True)
class ForeignDataset:
    """A dataset that an importer has opened.

    ``clips`` reads as it goes, in any order; a clip that cannot be imported is a DeadLetter in it. ``total`` is the
    number of both, None where it is known only at the end. ``tool`` names the dataset that the labels come from.
    """

    source: str
    tool: ToolInfo
    clips: Callable[[], Iterator[ForeignClip | DeadLetter]]
    total: int | None
    settings: Mapping[str, str | bool | None]


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """One track in a manifest for ``fgmcaps build``; the fields are its columns, empty where nothing is known.

    ``path`` is relative to the manifest's folder; ``genre`` and ``mood`` are lists joined with ``;``.
    """

    path: str
    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    mood: str = ""
    licence: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of ``fgmcaps import``; an option that a layout does not know must keep its default."""

    variant: str | None = None
    keep_copies: bool = False
    licence: str | None = None
    audio_root: Path | None = None
    splits: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetImporter:
    """Reads a layout with audio and captions into a finished dataset. ``options``: names of ImportOptions it knows."""

    name: str
    options: frozenset[str]
    open: Callable[[Path, ImportOptions], ForeignDataset]


@dataclass(frozen=True, slots=True)
class MetadataImporter:
    """Reads a layout of metadata alone: ``lines(path, options, manifest)`` yields the lines of a manifest for
    ``fgmcaps build``. ``options``: names of ImportOptions it knows."""

    name: str
    options: frozenset[str]
    lines: Callable[[Path, ImportOptions, Path], Iterator[ManifestLine]]


Importer = DatasetImporter | MetadataImporter


def check_options(importer: Importer, options: ImportOptions) -> None:
    """Raise FgmcapsError for an option that this layout does not know."""
    default = ImportOptions()
    for name in ("variant", "keep_copies", "licence", "audio_root", "splits"):
        if name not in importer.options and getattr(options, name) != getattr(default, name):
            flag = name.replace("_", "-")
            known = ", ".join(f"--{o.replace('_', '-')}" for o in sorted(importer.options)) or "none"
            raise FgmcapsError(f"--{flag} means nothing to the format {importer.name}; its options: {known}")
