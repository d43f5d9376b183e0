"""MusicBench (Melechovsky et al., NAACL 2024): JSON lines and audio in a tar, or unpacked.

Layout: ``MusicBench_train.json``, ``MusicBench_test_A.json``, ``MusicBench_test_B.json`` (older releases:
``..._modified.json``); ``MusicBench.tar.gz`` with ``data/{YouTube id}.wav`` and ``data_aug2/{YouTube id}_{n}.wav``.
TestA and TestB share their audio: TestB's ``main_caption`` has all control sentences, TestA's none. An export of ours
in this layout is read too, its validation file included.

About ten of eleven training rows are augmented copies ``_n`` of a recording, and some are copies of test recordings:
- whatever comes from a test recording leaves the training split (``copy_of_test_clip``);
- the other copies are left out (``augmented_copy``) unless ``--keep-copies``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.interop.audio_store import archive_members, folder_audio, is_archive, tail
from fgmcaps.pipeline.interop.base import Collection, Found, ImportFormat, ImportOptions, OutsideClip, letter, readable
from fgmcaps.pipeline.interop.given_labels import given_labels
from fgmcaps.pipeline.interop.json_lines import json_rows
from fgmcaps.schemas import DeadLetter, StyledCaption, ToolInfo, TrackMetadata

TOOL = ToolInfo("MusicBench", "2023", "CC-BY-SA-3.0", "https://huggingface.co/datasets/amaai-lab/MusicBench")
VARIANTS = ("A", "B")
_YOUTUBE_ID = 11  # its alphabet holds "_" and digits, so an id may itself end in _1
LABEL_COLUMNS = ("beats", "bpm", "chords", "chords_time", "key", "keyprob")


@dataclass(frozen=True, slots=True)
class Entry:
    """One wanted row: where its audio is named, its split, captions and label columns."""

    location: str
    split: str
    captions: tuple[StyledCaption, ...]
    columns: dict[str, Any]


def base_name(location: str) -> tuple[str, bool]:
    """``(recording, is a copy)`` of a location: ``data_aug2/-0SdAVK79lg_1.wav`` -> ``("-0SdAVK79lg", True)``."""
    path = PurePosixPath(location)
    match = re.fullmatch(r"(.+)_\d+", path.stem)
    if match is None or (len(path.stem) == _YOUTUBE_ID and not path.parent.name.startswith("data_aug")):
        return path.stem, False
    return match[1], True


def caption_texts(row: dict[str, Any], others: dict[str, Any]) -> tuple[StyledCaption, ...]:
    """``main_caption`` first (``alt_caption`` where that is blank), then what says something else, each text once."""
    found = {"main": row.get("main_caption"), "alt": row.get("alt_caption"), **others}
    texts: dict[str, str] = {}
    for style, value in found.items():
        text = readable(value)
        if text is not None and text not in texts.values():
            texts[style] = text
    return tuple(StyledCaption(style, text) for style, text in texts.items())


def open_musicbench(path: Path, options: ImportOptions) -> Collection:
    """Read the rows of the folder ``path``; its audio is read by ``clips``. Raises FgmcapsError."""
    variant = options.variant or "B"
    if variant not in VARIANTS:
        raise FgmcapsError(f"--variant {variant}: MusicBench has the test variants {' and '.join(VARIANTS)}")
    if not path.is_dir():
        raise FgmcapsError(f"{path} is no folder; give the one that holds MusicBench_train.json and MusicBench.tar.gz")
    entries, letters = _entries(path, variant, options.keep_copies)

    def clips() -> Iterator[Found]:
        yield from letters
        for location, audio in located(path, entries, lambda name: "FMACaps" not in name):
            entry = entries[location]
            if audio is None:
                yield letter(location, "failed", "missing_audio", f"{location}: not in {path} or its archives, or huge")
            else:
                yield clip_of(entry, audio, TOOL, options.licence)

    settings: dict[str, str | bool | None] = {
        "format": "musicbench",
        "variant": variant,
        "keep_copies": options.keep_copies,
    }
    return Collection("musicbench", TOOL, clips, len(entries) + len(letters), settings)


def clip_of(entry: Entry, audio: bytes | Path, tool: ToolInfo, licence: str | None) -> OutsideClip:
    """The clip of an entry; its labels are read when its length is known."""
    return OutsideClip(
        entry.location,
        entry.split,
        audio,
        entry.captions,
        lambda duration_s: given_labels(entry.columns, duration_s, tool),
        TrackMetadata(licence=licence),
    )


def located(
    path: Path, entries: dict[str, Entry], use: Callable[[str], bool]
) -> Iterator[tuple[str, bytes | Path | None]]:
    """``(location, audio)`` of every entry: files below ``path`` first, then its archives; None where there is none."""
    by_tail = {tail(location): location for location in entries}
    for name, file in folder_audio(path, by_tail.keys()) if path.is_dir() else ():
        yield by_tail.pop(name), file
    archives = sorted(p for p in path.iterdir() if is_archive(p) and use(p.name)) if path.is_dir() else [path]
    for archive in archives:
        if by_tail:
            for name, data in archive_members(archive, lambda name: name in by_tail):
                yield by_tail.pop(name), data
    for location in by_tail.values():
        yield location, None


def _entries(folder: Path, variant: str, keep_copies: bool) -> tuple[dict[str, Entry], list[DeadLetter]]:
    """Rows to import by location, and those that are not."""
    files = {name: _json_file(folder, name) for name in ("test_A", "test_B", "validation", "train")}
    if not any(files.values()):
        raise FgmcapsError(f"{folder} holds no MusicBench_train.json, MusicBench_test_A.json or MusicBench_test_B.json")
    letters: list[DeadLetter] = []
    tests = {v: dict(_rows(files[f"test_{v}"], letters)) for v in VARIANTS}
    other = next(v for v in VARIANTS if v != variant)
    entries: dict[str, Entry] = {}
    for location in sorted(tests[variant].keys() | tests[other].keys()):
        row = tests[variant].get(location) or tests[other][location]
        more = {f"test_{v}": tests[v].get(location, {}).get("main_caption") for v in VARIANTS}
        _add(entries, letters, location, "test", row, more)
    # The later a file in this order, the more it gives way: nothing may be trained on that is evaluated on.
    for split in ("validation", "train"):
        held = {base_name(location)[0]: entry.split for location, entry in entries.items()}
        for location, row in _rows(files[split], letters):
            base, is_copy = base_name(location)
            if base in held:
                text = f"{location}: made from the {held[base]} recording {base}, so using it in {split} would leak"
                letters.append(letter(location, "filtered", f"copy_of_{held[base]}_clip", text))
            elif is_copy and not keep_copies:
                text = f"{location}: an augmented copy of {base}; --keep-copies keeps it"
                letters.append(letter(location, "filtered", "augmented_copy", text))
            else:
                _add(entries, letters, location, split, row, {})
    return entries, letters


def _add(
    entries: dict[str, Entry],
    letters: list[DeadLetter],
    location: str,
    split: str,
    row: dict[str, Any],
    more: dict[str, Any],
) -> None:
    captions = caption_texts(row, more)
    if not captions:
        letters.append(letter(location, "failed", "no_caption", f"{location}: main_caption and alt_caption are empty"))
    elif location in entries:
        letters.append(letter(location, "filtered", "repeated_row", f"{location}: listed more than once"))
    else:
        columns = {name: row.get(name) for name in LABEL_COLUMNS}
        entries[location] = Entry(location, split, captions, columns)


def _json_file(folder: Path, name: str) -> Path | None:
    return next((p for s in ("", "_modified") if (p := folder / f"MusicBench_{name}{s}.json").is_file()), None)


def _rows(file: Path | None, letters: list[DeadLetter]) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(location, row)`` of a JSON-lines file; a line that has none goes to ``letters``."""
    if file is None:
        return
    with file.open("rb") as handle:
        yield from located_rows(handle, file.name, letters)


def located_rows(handle: IO[bytes], name: str, letters: list[DeadLetter]) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(location, row)`` of every readable line."""
    for number, row in json_rows(handle):
        location = readable(row.get("location")) if row is not None else None
        if row is None or location is None:
            place = f"{name}:{number}"
            letters.append(letter(place, "failed", "bad_row", f"{place}: no JSON object with a location"))
        else:
            yield location, row


MUSICBENCH = ImportFormat(
    "musicbench",
    "MusicBench: folder with MusicBench_*.json and the tar or its files",
    "dataset",
    frozenset(("variant", "keep_copies", "licence")),
    open=open_musicbench,
)
