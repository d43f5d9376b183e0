"""A folder of audio files, searched to the bottom."""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.sources.base import (
    DEFAULTS,
    FoundFile,
    Source,
    SourceOptions,
    location_of,
    name_for_rows,
    printable,
    stamp_of,
)
from fgmcaps.pipeline.sources.columns import Columns, check_kept
from fgmcaps.pipeline.sources.manifest_file import find_file, is_text
from fgmcaps.pipeline.sources.splits_of_others import SplitNames
from fgmcaps.pipeline.sources.table_file import read_table
from fgmcaps.schemas import TrackMetadata
from fgmcaps.schemas.splits import canonical_split

_SUFFIXES = """
    .3g2 .3gp .aac .ac3 .adts .aif .aifc .aiff .alac .amr .ape .asf .au .avi .caf .dff .dsf .dts .eac3 .flac .flv .m2a
    .m4a .m4b .m4p .m4r .m4v .mka .mkv .mov .mp1 .mp2 .mp3 .mp4 .mpa .mpc .mpeg .mpg .mpga .oga .ogg .ogv .ogx .opus .ra
    .rf64 .rm .shn .snd .spx .tak .thd .tta .voc .w64 .wav .wave .weba .webm .wma .wmv .wv .xwma
"""
AUDIO_SUFFIXES = frozenset(_SUFFIXES.split())
METADATA_TABLES = ("metadata.csv", "metadata.tsv", "metadata.jsonl", "metadata.parquet")
_BESIDE_MUSIC = """
    .accurip .asc .bmp .csv .cue .db .gif .htm .html .ini .jams .jpeg .jpg .json .jsonl .lab .log .lrc .m3u .m3u8 .md
    .md5 .nfo .pdf .pls .png .rtf .sfv .tif .tiff .tsv .txt .url .webp .xml .yaml .yml .zip
"""
NOT_MUSIC = frozenset((*_BESIDE_MUSIC.split(), "no suffix"))
"""Suffixes of what lies beside music; files with other ones are named as left out."""


def walk(
    root: Path, exclude: Path | None = None, notes: list[str] | None = None
) -> Iterator[tuple[Path, os.stat_result]]:
    """Regular files below ``root`` in a fixed order. Hidden entries are left out; links to folders are not followed
    (no loops); links to files are; pipes and devices are left out.

    Raises FgmcapsError when ``root`` itself cannot be read; a folder below it that cannot (or whose path is too long)
    is left out, with a line in ``notes``.
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
            if notes is not None:
                notes.append(
                    f"left out the folder {printable(str(folder))[-200:]}, which cannot be read: {error.strerror}"
                )
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
            except OSError as error:  # a broken or circular link, or a path that is too long
                if notes is not None and path.suffix.lower() in AUDIO_SUFFIXES:
                    notes.append(f"left out {printable(str(path))[-200:]}: {error.strerror}")
                continue
            if stat.S_ISREG(info.st_mode):
                yield path, info


def has_audio(root: Path, exclude: Path | None = None) -> bool:
    """True if some file below ``root`` has an audio suffix."""
    return any(path.suffix.lower() in AUDIO_SUFFIXES for path, _ in walk(root, exclude))


class FolderSource(Source):
    """Every file with an audio suffix below a folder.

    Tables that the AudioFolder layout of ``datasets`` puts beside the files (``metadata.csv`` and the like, with a
    column ``file_name``) say what they say there, and so do folders named by splits.
    """

    def __init__(self, root: Path, exclude: Path | None = None, options: SourceOptions = DEFAULTS) -> None:
        super().__init__()
        self.root, self.exclude, self.options = root, exclude, options
        self.name = printable(root.resolve().name) or "music"
        self.identity = printable(str(root.resolve()))

    def files(self) -> Iterator[FoundFile]:
        """Audio files sorted by their path relative to the folder."""
        found: dict[Path, FoundFile] = {}
        others, tables = Counter[str](), []
        for path, info in walk(self.root, self.exclude, self.notes):
            if path.suffix.lower() in AUDIO_SUFFIXES:
                source_path = name_for_rows(path.relative_to(self.root).as_posix())
                found[path] = FoundFile(location_of(path.absolute()), source_path, info.st_size, stamp_of(info))
            elif path.name in METADATA_TABLES:
                tables.append(path)
            else:
                others[path.suffix.lower() or "no suffix"] += 1
        if not found:
            seen = ", ".join(f"{n} x {suffix}" for suffix, n in others.most_common(5))
            raise NothingToDoError(
                f"no audio in the folder {printable(str(self.root))}: "
                + (f"it holds {seen}" if seen else "it is empty")
                + "; audio files end in .wav, .flac, .mp3, .ogg, .opus, .m4a, ..."
            )
        if tables_of_data := sum(others.pop(suffix, 0) for suffix in (".parquet", ".arrow")):
            self.notes.append(
                f"{tables_of_data} Parquet or Arrow files were passed over; to build from a dataset, name its folder"
            )
        if odd := [f"{n} x {suffix}" for suffix, n in others.most_common() if suffix not in NOT_MUSIC]:
            self.notes.append(f"left out for their suffix: {', '.join(odd[:8])}{', ...' if len(odd) > 8 else ''}")
        splits = SplitNames(self.options.split_map)
        described = self._described(found, tables, splits)
        folders = split_folders(self.root, found, self.options.split_map)
        out = []
        for path, file in found.items():
            metadata = described.get(path, file.metadata)
            top = path.relative_to(self.root).parts[0]
            if metadata.split is None and top in folders:
                metadata = replace(metadata, split=splits.ours(top, f"{self.root}/{top}"))
            out.append(replace(file, metadata=metadata))
        self.notes += splits.notes()
        yield from sorted(out, key=lambda f: f.source_path)

    def _described(
        self, found: Mapping[Path, FoundFile], tables: Iterable[Path], splits: SplitNames
    ) -> dict[Path, TrackMetadata]:
        """What the tables beside the files say of them."""
        described: dict[Path, TrackMetadata] = {}
        keep, names = self.options.keep_columns, list[str]()
        for table in sorted(tables):
            columns, before, gone = Columns(splits, keep), len(described), 0
            for row in read_table(table):
                where = f"{table}: {row.place}"
                column, value = columns.path_of(row.cells, where)
                path = find_file(table.parent, value) if is_text(value) else None
                if path is None or path not in found:
                    gone += 1
                    continue
                described[path] = columns.metadata_of(row.cells, where, path_column=column)
            name = printable(table.relative_to(self.root).as_posix())
            lost = f", {gone} of its files are not there" if gone else ""
            self.notes += [f"{name} describes {len(described) - before} files{lost}", *columns.notes()]
            names += columns.names
        check_kept(keep, names, f"the tables of {self.root}")
        return described


def split_folders(root: Path, found: Iterable[Path], split_map: Mapping[str, str]) -> frozenset[str]:
    """Names of the folders right below ``root`` that stand for splits: where two or more name different splits.

    A folder beside them is a split of an unknown name, or an album among albums that happen to be called Train and
    Test: the user says which (``--split-map``).
    """
    parts = [path.relative_to(root).parts for path in found]
    tops = {each[0] for each in parts if len(each) > 1}
    named = {split for top in tops if (split := canonical_split(top)) is not None}
    return frozenset(tops) if len(named) > 1 else frozenset(top for top in tops if top.casefold() in split_map)
