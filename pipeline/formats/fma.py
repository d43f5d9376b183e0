"""FMA's metadata to a manifest for ``fgmcaps build`` (Defferrard et al., ISMIR 2017).

Layout of ``tracks.csv``: three header lines. The first names groups (``album artist set track``), the second fields
(``title``, ``name``, ``split``, ``genre_top``, ``genres``, ``license``, ...), the third only the index ``track_id``.
``genres`` is a list of ids such as ``[21, 4]``; ``genres.csv`` beside it (``genre_id, ..., title, ...``) gives their
names. Audio is ``{first three digits}/{six digits}.mp3``.
"""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.formats.base import ImportOptions, ManifestLine, MetadataImporter
from fgmcaps.pipeline.formats.shared.manifest_lines import MAX_LINE, audio_path
from fgmcaps.pipeline.licences.names import licence_name

_NEEDED = (("track", "title"), ("artist", "name"), ("album", "title"), ("track", "license"), ("set", "split"))
_SPLITS = {"training": "train", "validation": "validation", "test": "test"}
_GIVEN = "set"


def fma_lines(path: Path, options: ImportOptions, manifest: Path) -> Iterator[ManifestLine]:
    """Manifest lines of ``tracks.csv``, or of the folder that holds it. Raises FgmcapsError naming file and line."""
    table = path / "tracks.csv" if path.is_dir() else path
    if options.splits not in (None, _GIVEN):
        raise FgmcapsError(f"--splits {options.splits}: FMA has one set of splits; write --splits {_GIVEN}")
    names = _genre_names(table.parent / "genres.csv")
    with _csv_rows(table) as rows:
        groups, fields = next(rows, (0, []))[1], next(rows, (0, []))[1]
        column = {key: i for i, key in enumerate(zip(groups, fields, strict=False))}
        missing = [" ".join(key) for key in (*_NEEDED, ("track", "genre_top")) if key not in column]
        if missing:
            raise FgmcapsError(f"{table}: no column {', '.join(missing)}; is this tracks.csv of fma_metadata?")
        for number, cells in rows:
            if not cells or cells[0] == "track_id":
                continue
            if len(cells) != len(fields) or not re.fullmatch(r"\d{1,6}", cells[0]):
                raise FgmcapsError(
                    f"{table}: line {number}: {len(cells)} columns, expected {len(fields)} and a track id"
                )
            location = f"{int(cells[0]):06d}.mp3"
            audio = audio_path(f"{location[:3]}/{location}", options.audio_root, manifest)
            if audio is None:
                continue
            title, artist, album, licence, split = (cells[column[key]].strip() for key in _NEEDED)
            listed = cells[column["track", "genres"]] if ("track", "genres") in column else ""
            genres = [cells[column["track", "genre_top"]].strip(), *(names.get(i, "") for i in _ids(listed))]
            yield ManifestLine(
                path=audio,
                title=title,
                artist=artist,
                album=album,
                genre=";".join(dict.fromkeys(re.sub(r"[,;|]", " ", g) for g in genres if g)),
                licence=licence_name(licence) if licence else "",
                split=_SPLITS.get(split, "") if options.splits else "",
            )


def _ids(text: str) -> list[int]:
    """Genre ids of a cell such as ``[21, 4]``; none where it is not such a list."""
    try:
        values = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return []
    return [v for v in values if type(v) is int] if isinstance(values, list) else []


def _genre_names(file: Path) -> dict[int, str]:
    """``{genre id: title}``; empty without the file."""
    if not file.is_file():
        return {}
    with _csv_rows(file) as rows:
        header = next(rows, (0, []))[1]
        if "genre_id" not in header or "title" not in header:
            raise FgmcapsError(f"{file}: the header lacks genre_id or title")
        at, title = header.index("genre_id"), header.index("title")
        return {int(c[at]): c[title].strip() for _, c in rows if len(c) == len(header) and c[at].isdecimal()}


@contextmanager
def _csv_rows(file: Path) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """``(line number, cells)``; biographies are longer than csv's default bound of a cell."""
    before = csv.field_size_limit(MAX_LINE)
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle)
            yield ((reader.line_num, cells) for cells in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FgmcapsError(f"cannot read {file}: {error}") from None
    finally:
        csv.field_size_limit(before)


FMA = MetadataImporter(
    "fma",
    frozenset(("audio_root", "splits")),
    fma_lines,
)
