"""A Hugging Face dataset with an Audio column: a name on the Hub, a folder of Parquet files, or one Parquet file.

Rows are addressed as ``row:{...}`` and opened by any worker through the memory-mapped copy that ``datasets`` keeps, so
no audio travels through the DAG.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import CommandError, NothingToBuildError
from pipeline.sources.base import FoundFile, Source, printable
from pipeline.sources.manifest_file import ALIASES, FIELDS, SPLITS, metadata_of

ROW = "row:"


class HubDatasetSource(Source):
    """All splits of a dataset. A row's own split is kept where it is train, validation or test."""

    def __init__(self, name: str):
        self.dataset = str(Path(name).resolve()) if Path(name).exists() else name
        self.name = printable(Path(name).stem if Path(name).exists() else name.split("/")[-1])
        self.identity = self.dataset

    def files(self) -> Iterator[FoundFile]:
        """Rows in the order of splits and row numbers. Raises CommandError if it cannot be loaded or has no Audio."""
        splits = _load(self.dataset)
        empty = True
        for split in sorted(splits):
            rows = splits[split]
            column = _audio_column(rows, self.dataset)
            known = [c for c in rows.column_names if ALIASES.get(c, c) in FIELDS]
            described = rows.select_columns(known) if known else None
            for index in range(len(rows)):
                empty = False
                row = dict(described[index]) if described is not None else {}
                if split in SPLITS:
                    row.setdefault("split", split)
                location = ROW + json.dumps([self.dataset, split, column, index])
                where = f"{self.dataset}: split {split}: row {index}"
                stamp = f"{rows._fingerprint}:{index}"
                yield FoundFile(location, f"{split}/{index:08d}", 0, stamp, metadata_of(row, where))
        if empty:
            raise NothingToBuildError(f"the dataset {self.dataset} has no rows")


def read_row(location: str) -> bytes | Path:
    """The encoded audio of a row, or the file that it names. Raises ValueError if the row has neither."""
    dataset, split, column, index = json.loads(location.removeprefix(ROW))
    audio = _load(dataset)[split][index][column]
    if audio and audio.get("bytes"):
        data: bytes = audio["bytes"]
        return data
    if audio and audio.get("path"):
        return Path(audio["path"])
    raise ValueError(f"{dataset}: split {split}: row {index} has no audio")


def parquet_has_audio(path: Path) -> bool:
    """True if a Parquet file has a struct column with ``bytes``: a dataset; otherwise it is a manifest of paths."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise CommandError(f"cannot read the Parquet file {path}: {error}") from None
    return any(pa.types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0 for f in schema)


@cache
def _load(name: str) -> Any:
    import datasets

    datasets.disable_progress_bars()
    try:
        if name.endswith(".parquet"):
            loaded = datasets.load_dataset("parquet", data_files=name)
        else:
            loaded = datasets.load_dataset(name)
    except Exception as error:  # the library raises a dozen kinds, each with a text for people
        first = " ".join(str(error).split())[:300]
        raise CommandError(f"cannot load the dataset {name}: {type(error).__name__}: {first}") from None
    out = {}
    for split, rows in loaded.items():
        column = _audio_column(rows, name)
        out[split] = rows.cast_column(column, datasets.Audio(decode=False))
    return out


def _audio_column(rows: Any, name: str) -> str:
    import datasets

    for column, feature in rows.features.items():
        if isinstance(feature, datasets.Audio) or (isinstance(feature, dict) and "bytes" in feature):
            return str(column)
    raise CommandError(f"the dataset {name} has no Audio column; its columns are {', '.join(rows.column_names)}")
