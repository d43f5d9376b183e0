"""FMACaps-Eval, which comes with MusicBench: 1,000 clips of 5 to 10 s at 16 kHz, test only.

Layout: ``FMACaps_eval_set/`` (packed: ``FMACaps_eval_set.tar.gz``) with the audio in ``audiodata/`` and
``FMACaps_A.json`` (captions without control sentences), ``FMACaps_B.json`` (with all four), ``FMACaps_C.json`` (with
some); columns as in MusicBench, captions in ``main_caption`` alone. The variants share audio and labels.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.formats.base import DatasetImporter, ForeignClip, ForeignDataset, ImportOptions
from fgmcaps.pipeline.formats.musicbench import (
    LABEL_COLUMNS,
    Entry,
    caption_texts,
    clip_of,
    listed_once,
    located,
    located_rows,
)
from fgmcaps.pipeline.formats.shared.audio_store import archive_members, is_archive
from fgmcaps.pipeline.formats.shared.dead_letters import import_letter
from fgmcaps.schemas import DeadLetter, ToolInfo

TOOL = ToolInfo("FMACaps-Eval", "2023", "CC-BY-SA-3.0", "https://huggingface.co/datasets/amaai-lab/MusicBench")
VARIANTS = ("A", "B", "C")
PACKED = "FMACaps_eval_set.tar.gz"


def open_fmacaps(path: Path, options: ImportOptions) -> ForeignDataset:
    """Read the rows of ``path``: the archive, the unpacked set, or a folder that holds either. Raises FgmcapsError."""
    variant = options.variant or "B"
    if variant not in VARIANTS:
        raise FgmcapsError(f"--variant {variant}: FMACaps-Eval has the variants {', '.join(VARIANTS)}")
    place = _place(path)
    texts = _texts(place)
    if variant not in texts:
        raise FgmcapsError(f"{place} holds no FMACaps_{variant}.json; it has {', '.join(sorted(texts)) or 'none'}")
    letters: list[DeadLetter] = []
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for name, text in sorted(texts.items(), key=lambda item: item[0] != variant):
        # A bad line of a variant that only adds a second caption costs that caption, not a clip.
        ignored: list[DeadLetter] = []
        found = located_rows(io.BytesIO(text), f"FMACaps_{name}.json", letters if name == variant else ignored)
        rows[name] = listed_once(found, letters if name == variant else ignored)
    entries: dict[str, Entry] = {}
    for location, row in rows[variant].items():
        more = {name: rows[name].get(location, {}).get("main_caption") for name in sorted(rows) if name != variant}
        captions = caption_texts(row, more)
        if captions:
            entries[location] = Entry(location, "test", captions, {name: row.get(name) for name in LABEL_COLUMNS})
        else:
            letters.append(import_letter(location, "failed", "no_caption", f"{location}: no main_caption"))

    def clips() -> Iterator[ForeignClip | DeadLetter]:
        yield from letters
        for location, audio in located(place, entries, lambda name: name == PACKED):
            if audio is None:
                yield import_letter(location, "failed", "missing_audio", f"{location}: not in {place}")
            else:
                yield clip_of(entries[location], audio, TOOL, options.licence)

    settings = {"format": "fmacaps", "variant": variant}
    return ForeignDataset("fmacaps-eval", TOOL, clips, len(entries) + len(letters), settings)


def _place(path: Path) -> Path:
    """The folder or the archive that holds the JSON files."""
    if path.is_file() and is_archive(path):
        return path
    for place in (path, path / "FMACaps_eval_set"):
        if any((place / f"FMACaps_{v}.json").is_file() for v in VARIANTS):
            return place
    if (path / PACKED).is_file():
        return path / PACKED
    raise FgmcapsError(f"{path} holds neither FMACaps_A/B/C.json nor {PACKED}; give the folder or the archive")


def _texts(place: Path) -> dict[str, bytes]:
    """The JSON files by variant. Each has about 1 MB, far below the 64 MiB that one member of an archive may have."""
    names = {f"FMACaps_{v}.json": v for v in VARIANTS}
    if place.is_dir():
        return {v: (place / name).read_bytes() for name, v in names.items() if (place / name).is_file()}
    members = archive_members(place, lambda path: names.get(path.rpartition("/")[2]))
    return {variant: data for variant, data in members if data is not None}


FMACAPS = DatasetImporter(
    "fmacaps",
    frozenset(("variant", "licence")),
    open_fmacaps,
)
