"""The ``metadata`` configuration: the same rows without audio, one small Parquet file per split."""

import json
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from fgmcaps.pipeline.hub.publication import METADATA_FOLDER
from fgmcaps.schemas import Manifest
from fgmcaps.schemas.arrow import features_of, schema_of

if TYPE_CHECKING:
    import datasets

ROWS_PER_GROUP = 1024


def metadata_features(manifest: Manifest) -> "datasets.Features":
    """The features of a row of a dataset without its audio."""
    found = features_of(manifest)
    return type(found)({name: kind for name, kind in found.items() if name != "audio"})


def metadata_schema(manifest: Manifest) -> pa.Schema:
    """The Arrow schema of a row of a dataset without its audio, with the ``datasets`` features in its metadata."""
    schema = schema_of(manifest)
    head = json.loads(schema.metadata[b"huggingface"])
    del head["info"]["features"]["audio"]
    fields = [field for field in schema if field.name != "audio"]
    return pa.schema(fields, metadata={**schema.metadata, b"huggingface": json.dumps(head, sort_keys=True).encode()})


class MetadataWriter:
    """Writes ``metadata/{split}.parquet`` in bounded memory. The bytes depend on the rows alone, not on the
    batches they come in: row groups are cut at ``ROWS_PER_GROUP`` rows."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder / METADATA_FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self._schema = metadata_schema(manifest)
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.RecordBatch]] = {}

    def __enter__(self) -> "MetadataWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for split in self._writers:
            if kind is None:
                self._flush(split, last=True)
            self._writers[split].close()

    def add(self, split: str, batch: pa.RecordBatch) -> None:
        """Append rows (any columns; those of the metadata are taken) to a split."""
        if not batch.num_rows:
            return
        if split not in self._writers:
            self._writers[split] = pq.ParquetWriter(
                self._folder / f"{split}.parquet",
                self._schema,
                version="2.6",
                compression="zstd",
                compression_level=3,
                write_page_index=True,
                write_statistics=["id", "track_id", "tempo_bpm", "key", "time_signature", "split", "artist"],
            )
        self._waiting.setdefault(split, []).append(batch.select(self._schema.names))
        if sum(waiting.num_rows for waiting in self._waiting[split]) >= ROWS_PER_GROUP:
            self._flush(split)

    def _flush(self, split: str, last: bool = False) -> None:
        rows = pa.Table.from_batches(self._waiting.pop(split, []), pa.schema(list(self._schema)))
        whole = rows.num_rows if last else rows.num_rows // ROWS_PER_GROUP * ROWS_PER_GROUP
        for start in range(0, whole, ROWS_PER_GROUP):
            group = rows.slice(start, min(ROWS_PER_GROUP, whole - start)).combine_chunks()
            self._writers[split].write_table(group, row_group_size=ROWS_PER_GROUP)
        if whole < rows.num_rows:
            self._waiting[split] = rows.slice(whole).to_batches()
