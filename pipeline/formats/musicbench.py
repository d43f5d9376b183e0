"""MusicBench (Melechovsky et al., NAACL 2024): JSON lines, and audio in a tar or unpacked.

Layout: ``MusicBench_train.json``, ``MusicBench_test_A.json``, ``MusicBench_test_B.json`` (older releases:
``..._modified.json``), one object a line; ``MusicBench.tar.gz`` with ``data/{YouTube id}.wav`` and
``data_aug2/{YouTube id}_{n}.wav``. TestA and TestB share their audio: TestB's ``main_caption`` has all control
sentences, TestA's none. The columns with labels are explained in ``shared.given_labels``.

Read: about ten of eleven training rows are augmented copies ``_n`` of a recording, and some are copies of test
recordings:
- whatever comes from a test recording leaves the training split (``copy_of_test_clip``);
- the other copies are left out (``augmented_copy``) unless ``--keep-copies``.

Written: the test split is ``test_B`` (captions that state the labels; ours do), and there may be a validation file,
which is read again. ``location`` is ``data/{id}.wav`` (16-bit PCM, 24 kHz, mono); without embedded audio it is the
row's source path, and no audio is written. A withheld value is empty (``bpm``: null), and so is its control sentence. A
beat whose number is unknown has number 0; ``N`` and ``X`` are not chords and are left out.
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import soundfile

from fgmcaps.captioning.checker.chord_names import chord_symbol
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.formats.base import (
    DatasetImporter,
    Exporter,
    ForeignClip,
    ForeignDataset,
    ImportOptions,
    Row,
    Shards,
    embedded,
)
from fgmcaps.pipeline.formats.shared.annotation_of_row import annotation_of_row
from fgmcaps.pipeline.formats.shared.audio_store import Wanted, archive_members, folder_audio, is_archive, plain_path
from fgmcaps.pipeline.formats.shared.bars import meter_of, written_beats
from fgmcaps.pipeline.formats.shared.dead_letters import import_letter
from fgmcaps.pipeline.formats.shared.given_labels import given_labels
from fgmcaps.pipeline.formats.shared.json_lines import json_rows
from fgmcaps.pipeline.formats.shared.text import storable
from fgmcaps.schemas import DeadLetter, Manifest, StyledCaption, ToolInfo, TrackMetadata

TOOL = ToolInfo("MusicBench", "2023", "CC-BY-SA-3.0", "https://huggingface.co/datasets/amaai-lab/MusicBench")
VARIANTS = ("A", "B")
LABEL_COLUMNS = ("beats", "bpm", "chords", "chords_time", "key", "keyprob")
_FILES = {"train": "MusicBench_train.json", "test": "MusicBench_test_B.json"}
_YOUTUBE_ID = 11  # its alphabet holds "_" and digits, so an id may itself end in _1


def write_musicbench(folder: Path, shards: Shards, manifest: Manifest) -> None:
    """See the module."""
    for shard, rows in shards:
        with (folder / file_of_split(shard.split)).open("a", encoding="utf-8") as table:
            for row in rows:
                audio = embedded(row)
                location = row["source_path"] if audio is None else f"data/{row['id']}.wav"
                if audio is not None:
                    path = folder / location
                    path.parent.mkdir(exist_ok=True)
                    path.write_bytes(wav_of(audio))
                table.write(json.dumps(musicbench_row(row, location), ensure_ascii=False) + "\n")


def file_of_split(split: str) -> str:
    """Name of the JSON-lines file of a split."""
    return _FILES.get(split, f"MusicBench_{split}.json")


def musicbench_row(row: Row, location: str) -> dict[str, Any]:
    """The row with MusicBench's columns, in its order. ``bpm`` counts the beats that ``beats`` lists."""
    labels = annotation_of_row(row).labels
    meter, beats = meter_of(labels), written_beats(labels, row["duration_s"])
    chords = [(symbol, span.start) for span in labels.chords if (symbol := chord_symbol(span.label)) is not None]
    symbols = [symbol for symbol, _ in chords]
    key = labels.key.split(" ") if labels.key else []
    alternatives = {extra["style"]: extra["text"] for extra in row["captions"]}
    bpm, unit = labels.tempo_bpm, ""
    if bpm is not None and meter is not None and meter.division > 1:
        bpm, unit = bpm * meter.division, " in eighth notes"
    return {
        "dataset": row["source"],
        "location": location,
        "main_caption": row["caption"],
        "alt_caption": alternatives.get("casual") or next(iter(alternatives.values()), ""),
        "prompt_aug": "",
        "prompt_ch": f"The chords are {', '.join(symbols)}." if symbols else "",
        "prompt_bt": f"There are {meter.written} beats in a bar." if meter else "",
        "prompt_bpm": f"The tempo is {bpm:.1f} BPM{unit}." if bpm is not None else "",
        "prompt_key": f"The key is {labels.key}." if labels.key else "",
        "beats": [[beat.time for beat in beats], [beat.position or 0 for beat in beats]],
        "bpm": bpm,
        "chords": symbols,
        "chords_time": [start for _, start in chords],
        "key": key,
        "keyprob": [labels.key_confidence] if key else [],
        "is_audioset_eval_mcaps": False,
    }


def wav_of(flac: bytes) -> bytes:
    """The same 16-bit samples as WAV."""
    samples, rate = soundfile.read(io.BytesIO(flac), dtype="int16")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Entry:
    """One wanted row: the path that names its audio, its split, captions and label columns."""

    location: str
    split: str
    captions: tuple[StyledCaption, ...]
    columns: dict[str, Any]


def open_musicbench(path: Path, options: ImportOptions) -> ForeignDataset:
    """Read the rows of the folder ``path``; its audio is read by ``clips``. Raises FgmcapsError."""
    variant = options.variant or "B"
    if variant not in VARIANTS:
        raise FgmcapsError(f"--variant {variant}: MusicBench has the test variants {' and '.join(VARIANTS)}")
    if not path.is_dir():
        raise FgmcapsError(
            f"{path} is not a folder; give the one that holds MusicBench_train.json and MusicBench.tar.gz"
        )
    entries, letters = _entries(path, variant, options.keep_copies)

    def clips() -> Iterator[ForeignClip | DeadLetter]:
        yield from letters
        for location, audio in located(path, entries, lambda name: "FMACaps" not in name):
            if audio is None:
                message = f"{location}: not in {path} or its archives, or too large"
                yield import_letter(location, "failed", "missing_audio", message)
            else:
                yield clip_of(entries[location], audio, TOOL, options.licence)

    settings: dict[str, str | bool | None] = {
        "format": "musicbench",
        "variant": variant,
        "keep_copies": options.keep_copies,
    }
    return ForeignDataset("musicbench", TOOL, clips, len(entries) + len(letters), settings)


def clip_of(entry: Entry, audio: bytes | Path, tool: ToolInfo, licence: str | None) -> ForeignClip:
    """The clip of an entry; its labels are read when its length is known."""
    return ForeignClip(
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
    wanted = Wanted(entries)
    if path.is_dir():
        yield from folder_audio(path, wanted.take)
    archives = sorted(p for p in path.iterdir() if is_archive(p) and use(p.name)) if path.is_dir() else [path]
    for archive in archives:
        if wanted.left():
            yield from archive_members(archive, wanted.take)
    for location in wanted.left():
        yield location, None


def located_rows(handle: IO[bytes], name: str, letters: list[DeadLetter]) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(location, row)`` of every readable line; a line without a location goes to ``letters``."""
    for number, row in json_rows(handle):
        location = storable(row.get("location")) if row is not None else None
        if row is None or location is None:
            place = f"{name}:{number}"
            letters.append(import_letter(place, "failed", "bad_row", f"{place}: not a JSON object with a location"))
        else:
            yield plain_path(location), row


def caption_texts(row: dict[str, Any], others: dict[str, Any]) -> tuple[StyledCaption, ...]:
    """``main_caption`` first (``alt_caption`` where that is blank), then those with another text, each text once."""
    found = {"main": row.get("main_caption"), "alt": row.get("alt_caption"), **others}
    texts: dict[str, str] = {}
    for style, value in found.items():
        text = storable(value)
        if text is not None and text not in texts.values():
            texts[style] = text
    return tuple(StyledCaption(style, text) for style, text in texts.items())


def base_name(location: str) -> tuple[str, bool]:
    """``(recording, is a copy)`` of a location: ``data_aug2/-0SdAVK79lg_1.wav`` -> ``("-0SdAVK79lg", True)``."""
    path = PurePosixPath(location)
    match = re.fullmatch(r"(.+)_\d+", path.stem)
    if match is None or (len(path.stem) == _YOUTUBE_ID and not path.parent.name.startswith("data_aug")):
        return path.stem, False
    return match[1], True


def _entries(folder: Path, variant: str, keep_copies: bool) -> tuple[dict[str, Entry], list[DeadLetter]]:
    """Rows to import by location, and the letters of those that are not imported."""
    files = {name: _json_file(folder, name) for name in ("test_A", "test_B", "validation", "train")}
    if not any(files.values()):
        raise FgmcapsError(f"{folder} holds no MusicBench_train.json, MusicBench_test_A.json or MusicBench_test_B.json")
    letters: list[DeadLetter] = []
    tests = {v: listed_once(_rows(files[f"test_{v}"], letters), letters) for v in VARIANTS}
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
                letters.append(import_letter(location, "filtered", f"copy_of_{held[base]}_clip", text))
            elif is_copy and not keep_copies:
                text = f"{location}: an augmented copy of {base}; --keep-copies keeps it"
                letters.append(import_letter(location, "filtered", "augmented_copy", text))
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
        text = f"{location}: main_caption and alt_caption are empty"
        letters.append(import_letter(location, "failed", "no_caption", text))
    elif location in entries:
        letters.append(_repeated(location))
    else:
        columns = {name: row.get(name) for name in LABEL_COLUMNS}
        entries[location] = Entry(location, split, captions, columns)


def listed_once(rows: Iterable[tuple[str, dict[str, Any]]], letters: list[DeadLetter]) -> dict[str, dict[str, Any]]:
    """The first row of each location; the others go to ``letters``."""
    found: dict[str, dict[str, Any]] = {}
    for location, row in rows:
        if location in found:
            letters.append(_repeated(location))
        else:
            found[location] = row
    return found


def _repeated(location: str) -> DeadLetter:
    return import_letter(location, "filtered", "repeated_row", f"{location}: listed more than once")


def _json_file(folder: Path, name: str) -> Path | None:
    return next((p for s in ("", "_modified") if (p := folder / f"MusicBench_{name}{s}.json").is_file()), None)


def _rows(file: Path | None, letters: list[DeadLetter]) -> Iterator[tuple[str, dict[str, Any]]]:
    """:func:`located_rows` of a file; nothing where there is no file."""
    if file is not None:
        with file.open("rb") as handle:
            yield from located_rows(handle, file.name, letters)


MUSICBENCH_EXPORT = Exporter("musicbench", "optional", write_musicbench)
MUSICBENCH_IMPORT = DatasetImporter(
    "musicbench",
    frozenset(("variant", "keep_copies", "licence")),
    open_musicbench,
)
