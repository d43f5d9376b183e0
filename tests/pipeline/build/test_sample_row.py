"""The row that a build prints: one that shows what a row can hold."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fgmcaps.pipeline.build.summary import SAMPLE_COLUMNS, sample_row
from fgmcaps.schemas.manifest import Counts, Manifest, ShardFile


def shard(folder: Path, name: str, flags: list[list[str]]) -> ShardFile:
    columns = {column: [f"{name}-{i}" for i in range(len(flags))] for column in SAMPLE_COLUMNS}
    columns["qc_flags"] = pa.array(flags, pa.list_(pa.string()))
    pq.write_table(pa.table(columns), folder / name)
    return ShardFile(name, "train", len(flags), 0, "")


def manifest(*shards: ShardFile) -> Manifest:
    return Manifest("1.0", "0", {}, Counts(1, 0, 1, 1, 1, 0, 0), shards, ())


def test_the_fullest_row_is_shown_whichever_split_it_is_in(tmp_path: Path) -> None:
    shards = (
        shard(tmp_path, "a", []),
        shard(tmp_path, "b", [["key:low_confidence", "chords:low_confidence"], ["key:low_confidence"]]),
        shard(tmp_path, "c", [["key:low_confidence"], []]),
    )
    row = sample_row(tmp_path, manifest(*shards))
    assert row is not None and row["id"] == "c-1" and row["qc_flags"] == ""


def test_a_dataset_without_rows_shows_none(tmp_path: Path) -> None:
    assert sample_row(tmp_path, manifest(shard(tmp_path, "a", []))) is None
