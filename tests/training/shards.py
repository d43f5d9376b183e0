"""Parquet shards for the tests of training, row by row."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from fgmcaps.schemas.arrow import arrow_schema


def flac(samples, rate: int = 24_000) -> bytes:
    """FLAC bytes of samples [n] or [n, channels]."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(samples), rate, format="FLAC")
    return buffer.getvalue()


def tone(number: int, seconds: float = 1.0) -> np.ndarray:
    """A tone of its own for each number, float64[n] at 24 kHz."""
    time = np.arange(round(seconds * 24_000)) / 24_000
    return 0.3 * np.sin(2 * np.pi * (110 + 7 * number) * time) * (1 - 0.5 * (time * (1 + number % 5) % 1))


def make_shard_row(number: int, *, split: str = "train", seconds: float = 1.0, **given) -> dict:
    """One row: the columns that a reader needs, the others null."""
    row = dict.fromkeys(arrow_schema().names)
    row |= {
        "id": f"{number:016x}-00000000",
        "track_id": f"{number:016x}",
        "split": split,
        "caption": f"A piece in C major at {60 + number} BPM.",
        "caption_style": "objective",
        "captions": [{"style": "short", "text": f"C major, {60 + number}"}] if number % 2 else [],
        "start_s": 0.0,
        "duration_s": seconds,
        "audio": {"bytes": flac(tone(number, seconds)), "path": f"{number}.flac"},
        "tempo_bpm": 60.0 + number,
        "chord_summary": ["C:maj", "G:7"],
    }
    return row | given


def write_rows(path: Path, rows: list[dict], version: str | None = None) -> Path:
    """One Parquet file of our schema (of another version where given)."""
    schema = arrow_schema()
    if version is not None:
        schema = schema.with_metadata({**schema.metadata, b"fgmcaps_schema_version": version.encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema), path, row_group_size=4)
    return path


def write_data(folder: Path, rows: list[dict]) -> Path:
    """A folder with one shard a split."""
    for split in ("train", "validation", "test"):
        mine = [row for row in rows if row["split"] == split]
        if mine:
            write_rows(folder / "data" / f"{split}-00000-of-00001.parquet", mine)
    return folder
