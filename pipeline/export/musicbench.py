"""MusicBench: JSON lines with its column names, WAV files beside.

Layout (Melechovsky et al., NAACL 2024): ``MusicBench_train.json``, ``MusicBench_test_B.json`` (captions that state the
labels; ours do) and, where there is one, ``MusicBench_validation.json``; one object a line. ``location`` is
``data/{id}.wav`` (16-bit PCM, 24 kHz, mono). Without embedded audio ``location`` is the row's source path and no audio
is written.

Columns as there: ``beats`` = [times, numbers in the bar], ``chords`` = lead-sheet names, ``chords_time`` = their
starts, ``key`` = [tonic, mode], ``keyprob`` = [confidence], ``bpm``. A withheld value is empty (``bpm``: null), and so
is its control sentence. A beat whose number is unknown has number 0; ``N`` and ``X`` are no chords and are left out.
"""

import io
import json
from pathlib import Path
from typing import Any

import soundfile

from fgmcaps.captioning.checker.chord_names import chord_symbol
from fgmcaps.pipeline.export.base import ExportFormat, Row, Shards, embedded
from fgmcaps.pipeline.export.from_row import annotation_of_row
from fgmcaps.pipeline.formats.jams import beat_positions
from fgmcaps.schemas import Manifest

FILES = {"train": "MusicBench_train.json", "test": "MusicBench_test_B.json"}


def file_of_split(split: str) -> str:
    """Name of the JSON-lines file of a split."""
    return FILES.get(split, f"MusicBench_{split}.json")


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


def musicbench_row(row: Row, location: str) -> dict[str, Any]:
    """The row with MusicBench's columns, in its order."""
    labels = annotation_of_row(row).labels
    positions = beat_positions(labels)
    chords = [(symbol, span.start) for span in labels.chords if (symbol := chord_symbol(span.label)) is not None]
    names = [symbol for symbol, _ in chords]
    key = row["key"].split(" ") if row["key"] else []
    alternatives = {extra["style"]: extra["text"] for extra in row["captions"]}
    return {
        "dataset": row["source"],
        "location": location,
        "main_caption": row["caption"],
        "alt_caption": alternatives.get("casual") or next(iter(alternatives.values()), ""),
        "prompt_aug": "",
        "prompt_ch": f"The chords are {', '.join(names)}." if names else "",
        "prompt_bt": f"There are {row['beat_count']} beats in a bar." if row["beat_count"] else "",
        "prompt_bpm": f"The tempo is {row['tempo_bpm']:.1f} BPM." if row["tempo_bpm"] is not None else "",
        "prompt_key": f"The key is {row['key']}." if row["key"] else "",
        "beats": [[time for time, _ in positions], [number or 0 for _, number in positions]],
        "bpm": row["tempo_bpm"],
        "chords": names,
        "chords_time": [start for _, start in chords],
        "key": key,
        "keyprob": [row["key_confidence"]] if key else [],
        "is_audioset_eval_mcaps": False,
    }


def wav_of(flac: bytes) -> bytes:
    """The same 16-bit samples as WAV."""
    samples, rate = soundfile.read(io.BytesIO(flac), dtype="int16")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


MUSICBENCH = ExportFormat("musicbench", "MusicBench's JSON lines and WAV files", "optional", write_musicbench)
