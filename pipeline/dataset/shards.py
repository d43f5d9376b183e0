"""Deterministic Parquet shards: equal rows give equal bytes, and a shard is there whole or not at all.

Conventions
-----------
- ``data/{split}-{index:05d}-of-{total:05d}.parquet``, rows in ascending order of ``id``; in a folder below ``data``
  where a dataset replaced another (:mod:`fgmcaps.pipeline.dataset.swap`).
- Row groups of ``ROWS_PER_GROUP`` rows (about 25 MB with audio) and a page index, so that the Hub's viewer reads a few
  rows without the rest, and so that writing holds one group in memory.
- Nothing in the file depends on a clock, a path or the machine; the writer's settings are fixed below. Another
  version of pyarrow may write other bytes for the same rows (its name is in the footer).
"""

import hashlib
import io
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from fgmcaps.common.files import atomic_file
from fgmcaps.schemas import ShardFile
from fgmcaps.schemas.arrow import arrow_schema

ROWS_PER_GROUP = 64
DATA_FOLDER = "data"
SHARDS_FOLDER = re.compile(rf"{DATA_FOLDER}(/[0-9a-f]{{12}})?")
"""Where shards may lie: in ``data``, or in the folder below it of a dataset that replaced another."""
MAX_SHARDS = 99_999

_SPLIT = re.compile(r"[a-z][a-z0-9_]*")
_SHARD = re.compile(r"(?P<split>[a-z][a-z0-9_]*)-(?P<index>[0-9]{5})-of-(?P<total>[0-9]{5})\.parquet")
# Dictionaries pay for columns with few values; statistics of FLAC bytes would put whole clips into the footer.
_DICTIONARY = [
    *("caption_style", "caption_source", "caption_model", "prompt_version", "tempo_marking", "time_signature", "key"),
    *("chords.list.element.label", "chord_summary.list.element", "genre.list.element", "mood.list.element"),
    *("title", "artist", "album", "source", "source_path", "track_id", "split", "licence", "beat_count"),
    *("annotators.list.element.name", "annotators.list.element.version", "annotators.list.element.licence"),
    *("qc_flags.list.element", "raw.list.element.annotator", "raw.list.element.attribute"),
]
_MISFIT = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError)
_STATISTICS = ["id", "track_id", "start_s", "tempo_bpm", "time_signature", "key", "split", "artist", "source_path"]

log = logging.getLogger(__name__)


def shard_name(split: str, index: int, total: int) -> str:
    """File name of a shard, e.g. ``train-00003-of-00016.parquet``; ValueError for a name no reader would find."""
    if not _SPLIT.fullmatch(split):
        raise ValueError(f"split name {split!r}: use lower-case letters, digits and _, a letter first")
    if not 1 <= total <= MAX_SHARDS or not 0 <= index < total:
        raise ValueError(f"shard {index} of {total}: need 0 <= index < total <= {MAX_SHARDS}")
    return f"{split}-{index:05d}-of-{total:05d}.parquet"


def parse_shard_name(name: str) -> tuple[str, int, int]:
    """``(split, index, total)`` of a shard's file name; ValueError for any other name."""
    match = _SHARD.fullmatch(name)
    if match is None or not int(match["index"]) < int(match["total"]):
        raise ValueError(f"not a shard name such as train-00000-of-00004.parquet: {name!r}")
    return match["split"], int(match["index"]), int(match["total"])


def shards_folder(shards: Sequence[ShardFile]) -> str:
    """The folder of a dataset's shards: ``data``, or one in it where the dataset replaced another."""
    return shards[0].path.rpartition("/")[0] if shards else DATA_FOLDER


def write_shard(
    out_dir: Path, split: str, index: int, total: int, rows: Iterable[dict[str, Any]], schema: pa.Schema | None = None
) -> ShardFile:
    """Write one shard under ``out_dir/data`` and return its manifest entry.

    ``rows`` may be a generator: at most ``ROWS_PER_GROUP`` rows are held. An existing file of that name is replaced
    at the end, in one step; on any error it is left as it was. ``schema``: the default is that of
    :func:`fgmcaps.schemas.arrow.arrow_schema`.

    Raises ValueError (rows not in ascending order of id, a row of another split, a missing, unknown or wrongly typed
    column; the message names the row) and ``fgmcaps.common.files.DiskFullError``.
    """
    relative = f"{DATA_FOLDER}/{shard_name(split, index, total)}"
    schema = schema or arrow_schema()
    written = 0
    with atomic_file(Path(out_dir) / relative) as handle:
        sink = _HashingSink(handle)
        with pq.ParquetWriter(
            sink,
            schema,
            version="2.6",
            compression="zstd",
            compression_level=3,
            use_dictionary=_DICTIONARY,
            write_statistics=_STATISTICS,
            write_page_index=True,
            sorting_columns=[pq.SortingColumn(schema.get_field_index("id"))],
        ) as writer:
            for batch in _batches(rows, frozenset(schema.names), split, relative):
                writer.write_table(_table(batch, schema, relative), row_group_size=ROWS_PER_GROUP)
                written += len(batch)
    log.info("wrote %s: %d rows, %d bytes", relative, written, sink.size)
    return ShardFile(relative, split, written, sink.size, sink.hexdigest())


def _batches(
    rows: Iterable[dict[str, Any]], keys: frozenset[str], split: str, name: str
) -> Iterator[list[dict[str, Any]]]:
    """Checked rows in groups of ``ROWS_PER_GROUP``; the last group may be shorter."""
    group: list[dict[str, Any]] = []
    last = ""
    for row in rows:
        if row.keys() != keys:
            missing, unknown = sorted(keys - row.keys()), sorted(row.keys() - keys)
            raise ValueError(f"{name}: row {row.get('id')!r}: missing columns {missing}, unknown columns {unknown}")
        if not isinstance(row["id"], str) or row["id"] <= last:
            raise ValueError(f"{name}: row {row['id']!r} after {last!r}: rows must ascend by id, each id once")
        if row["split"] != split:
            raise ValueError(f"{name}: row {row['id']!r} belongs to split {row['split']!r}, not {split!r}")
        last = row["id"]
        group.append(row)
        if len(group) == ROWS_PER_GROUP:
            yield group
            group = []
    if group:
        yield group


def _table(batch: list[dict[str, Any]], schema: pa.Schema, name: str) -> pa.Table:
    try:
        return pa.Table.from_pylist(batch, schema)
    except _MISFIT as group_error:
        for row in batch:  # find the row, so that the error can name it
            try:
                pa.Table.from_pylist([row], schema)
            except _MISFIT as error:
                raise ValueError(f"{name}: row {row['id']}: does not fit the schema: {error}") from error
        raise ValueError(f"{name}: rows {batch[0]['id']} .. {batch[-1]['id']}: {group_error}") from group_error


class _HashingSink(io.RawIOBase):
    """A write-only file that counts and hashes what passes, so that a shard is not read again for its checksum."""

    def __init__(self, target: IO[bytes]) -> None:
        super().__init__()
        self._target = target
        self._digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._target.write(view)
        self._digest.update(view)
        self.size += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self.size

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
