"""MTG-Jamendo's metadata to a manifest for ``fgmcaps build`` (Bogdanov et al., 2019).

Layout: a TSV with ``TRACK_ID ARTIST_ID ALBUM_ID PATH DURATION TAGS``, where TAGS go on to the end of the line, each
``category---tag``: ``genre``, ``mood/theme``, ``instrument`` (which rows have no column for). Beside it, all optional:
``raw.meta.tsv`` (names of tracks, artists, albums), ``audio_licenses.txt`` (here or one folder up; blocks that begin
with the track's path), ``splits/split-N/{name}-{train,validation,test}.tsv``.

Without names the ids stand for artist and album, so that an artist stays in one split.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.formats.base import ImportOptions, ManifestLine, MetadataImporter
from fgmcaps.pipeline.formats.shared.manifest_lines import audio_path, lines_of
from fgmcaps.pipeline.licences.names import licence_name
from fgmcaps.schemas.splits import SPLITS

_HEADER = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS")


def jamendo_lines(path: Path, options: ImportOptions, manifest: Path) -> Iterator[ManifestLine]:
    """Manifest lines of a TSV, or of ``autotagging.tsv`` in a folder. Raises FgmcapsError naming file and line."""
    table = _table(path)
    names = _names(table.parent / "raw.meta.tsv")
    licences = _licences(table.parent)
    splits = _splits(table, options.splits)
    for number, cells in _cells(table):
        if len(cells) < len(_HEADER) - 1 or not cells[3]:
            raise FgmcapsError(f"{table}: line {number}: expected {' '.join(_HEADER)}, found {len(cells)} columns")
        track, artist, album, location = cells[:4]
        small = re.sub(r"\.mp3$", ".low.mp3", location)
        audio = audio_path(location, options.audio_root, manifest, alternatives=(small,))
        if audio is None:
            continue
        title, artist_name, album_name = names.get(track, ("", "", ""))
        tags = [tag.partition("---") for tag in cells[5:] if tag]
        yield ManifestLine(
            path=audio,
            title=title,
            artist=artist_name or artist,
            album=album_name or album,
            genre=";".join(tag for category, _, tag in tags if category == "genre"),
            mood=";".join(tag for category, _, tag in tags if category == "mood/theme"),
            licence=licences.get(location, ""),
            split=splits.get(track, ""),
        )


def _table(path: Path) -> Path:
    if path.is_dir():
        found = next((p for p in (path / "autotagging.tsv", path / "data" / "autotagging.tsv") if p.is_file()), None)
        if found is None:
            raise FgmcapsError(f"{path} holds no autotagging.tsv; name the .tsv file itself")
        return found
    return path


def _cells(table: Path) -> Iterator[tuple[int, list[str]]]:
    """``(line number, cells)`` after the header. Raises FgmcapsError for another header."""
    for number, line in lines_of(table):
        cells = line.rstrip("\r\n").split("\t")
        if number == 1:
            if tuple(cells) != _HEADER:
                raise FgmcapsError(f"{table}: the header is not {' '.join(_HEADER)}; is this a TSV of MTG-Jamendo?")
        elif line.strip():
            yield number, cells


def _names(file: Path) -> dict[str, tuple[str, str, str]]:
    """``{track id: (title, artist, album)}``; empty without the file."""
    wanted, names = ("TRACK_ID", "TRACK_NAME", "ARTIST_NAME", "ALBUM_NAME"), {}
    columns: list[int] = []
    for number, line in lines_of(file) if file.is_file() else ():
        cells = line.rstrip("\r\n").split("\t")
        if number == 1:
            if not set(wanted) <= set(cells):
                raise FgmcapsError(f"{file}: the header lacks {', '.join(w for w in wanted if w not in cells)}")
            columns = [cells.index(name) for name in wanted]
        elif len(cells) > max(columns):
            track, title, artist, album = (cells[i].strip() for i in columns)
            names[track] = (title, artist, album)
    return names


def _licences(folder: Path) -> dict[str, str]:
    """``{path: licence}`` from the blocks of ``audio_licenses.txt``."""
    file = next((p for p in (folder / "audio_licenses.txt", folder.parent / "audio_licenses.txt") if p.is_file()), None)
    out, location = {}, ""
    for _, line in lines_of(file) if file is not None else ():
        if re.fullmatch(r"\d+/\d+\.mp3", line.strip()):
            location = line.strip()
        elif (match := re.search(r"licen[cs]e:\s*(\S+)", line)) and location:
            out[location] = licence_name(match[1])
            location = ""
    return out


def _splits(table: Path, name: str | None) -> dict[str, str]:
    """``{track id: split}`` of the split files ``name``; empty without a name."""
    if name is None:
        return {}
    out: dict[str, str] = {}
    for split in SPLITS:
        file = table.parent / "splits" / name / f"{table.stem}-{split}.tsv"
        if not file.is_file():
            raise FgmcapsError(f"--splits {name}: no file {file}")
        out.update((cells[0], split) for _, cells in _cells(file))
    return out


MTG_JAMENDO = MetadataImporter(
    "mtg-jamendo",
    frozenset(("audio_root", "splits")),
    jamendo_lines,
)
