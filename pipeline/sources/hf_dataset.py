"""A Hugging Face dataset with an Audio column: a name on the Hub, a folder of Parquet files or of ``save_to_disk``, or
one Parquet file.

Rows are addressed as ``row:[...]`` and opened by any worker through the memory-mapped copy that ``datasets`` keeps, so
no audio travels through the DAG.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.common.safe_paths import path_inside
from fgmcaps.pipeline.config import SPLITS
from fgmcaps.pipeline.sources.base import FoundFile, Source, printable
from fgmcaps.pipeline.sources.manifest_file import ALIASES, FIELDS, metadata_of

ROW = "row:"
UNNAMED = "rows"
"""Stands for the split of a table that has none."""


@dataclass(frozen=True, slots=True)
class RowAddress:
    """Where a row's audio is: a dataset as :class:`HubDatasetSource` names it, split, Audio column and row number."""

    dataset: str
    split: str
    column: str
    index: int

    @property
    def location(self) -> str:
        """The address as a location (:mod:`fgmcaps.pipeline.sources.base`)."""
        return ROW + json.dumps([self.dataset, self.split, self.column, self.index])

    @classmethod
    def of(cls, location: str) -> "RowAddress":
        """The address of a location that begins with ``row:``. Raises ValueError, TypeError."""
        return cls(*json.loads(location.removeprefix(ROW)))


class HubDatasetSource(Source):
    """All splits of a dataset. A row's own split is kept where it is train, validation or test."""

    def __init__(self, name: str):
        self.dataset = str(Path(name).resolve()) if Path(name).exists() else name
        self.name = printable(Path(name).stem if Path(name).exists() else name.split("/")[-1])
        self.identity = self.dataset

    def files(self) -> Iterator[FoundFile]:
        """Rows in the order of splits and row numbers. Raises FgmcapsError if it cannot be loaded or has no Audio."""
        splits = _load(self.dataset)
        empty = True
        for split in sorted(splits):
            rows = splits[split]
            column = _audio_column(rows, self.dataset)
            known = [c for c in rows.column_names if ALIASES.get(c, c) in FIELDS]
            names = {c: _label_names(rows.features[c]) for c in known}
            described = rows.select_columns(known) if known else None
            for index in range(len(rows)):
                empty = False
                row = {c: names[c](v) for c, v in described[index].items()} if described is not None else {}
                if split in SPLITS and not row.get("split"):
                    row["split"] = split
                location = RowAddress(self.dataset, split, column, index).location
                where = f"{self.dataset}: split {split}: row {index}"
                stamp = f"{rows._fingerprint}:{index}"
                yield FoundFile(location, f"{split}/{index:08d}", 0, stamp, metadata_of(row, where))
        if empty:
            raise NothingToDoError(f"the dataset {self.dataset} has no rows")


def read_row(location: str) -> bytes | Path:
    """The encoded audio of a row, or the file that it names. Raises ValueError if the row has neither."""
    address = RowAddress.of(location)
    audio = _load(address.dataset)[address.split][address.index][address.column]
    if audio and audio.get("bytes"):
        data: bytes = audio["bytes"]
        return data
    if audio and audio.get("path"):
        return _own_file(address, str(audio["path"]))
    raise ValueError(f"{address.dataset}: split {address.split}: row {address.index} has no audio")


def _own_file(address: RowAddress, path: str) -> Path:
    """A file that a row names: below the dataset's folder, or where ``datasets`` keeps what it downloaded.

    Raises ValueError for any other: a dataset of somebody else must not bring files of this machine into rows.
    """
    import datasets
    from huggingface_hub import constants

    place = Path(address.dataset)
    own = place.parent if place.is_file() else place
    roots = [own] if place.exists() else []
    if Path(path).is_absolute():
        caches = (datasets.config.HF_DATASETS_CACHE, constants.HF_HUB_CACHE, datasets.config.EXTRACTED_DATASETS_PATH)
        roots += map(Path, caches)
    for root in roots:
        with contextlib.suppress(ValueError):
            return path_inside(root, path)
    where = f"{address.dataset}: split {address.split}: row {address.index}"
    raise ValueError(f"{where} names the file {path!r}, which is not the dataset's")


def parquet_has_audio(path: Path) -> bool:
    """True if a Parquet file has a struct column with ``bytes``: a dataset; otherwise it is a manifest of paths."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise FgmcapsError(f"cannot read the Parquet file {path}: {error}") from None
    return any(pa.types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0 for f in schema)


@cache
def _load(name: str) -> Any:
    import datasets
    import pyarrow.parquet as pq

    datasets.disable_progress_bars()
    try:
        if name.endswith(".parquet"):
            if not pq.read_metadata(name).num_rows:  # the library has no reader for it
                raise NothingToDoError(f"the dataset {name} has no rows")
            loaded = {UNNAMED: datasets.load_dataset("parquet", data_files=name, split="train")}
        elif any((Path(name) / index).is_file() for index in ("state.json", "dataset_dict.json")):
            saved = datasets.load_from_disk(name)
            loaded = {str(saved.split or UNNAMED): saved} if isinstance(saved, datasets.Dataset) else saved
        else:
            loaded = datasets.load_dataset(name)
    except FgmcapsError:
        raise
    except Exception as error:  # the library raises a dozen kinds, each with a text for people
        first = " ".join(str(error).split())[:300]
        raise FgmcapsError(f"cannot load the dataset {name}: {type(error).__name__}: {first}") from None
    out = {}
    for split, rows in loaded.items():
        column = _audio_column(rows, name)
        out[split] = rows.cast_column(column, datasets.Audio(decode=False))
    return out


def _label_names(feature: Any) -> Callable[[Any], Any]:
    """What turns a stored value into text: class labels (genres of GTZAN) are stored as numbers."""
    import datasets

    inner = getattr(feature, "feature", feature[0] if isinstance(feature, list) else feature)
    if not isinstance(inner, datasets.ClassLabel):
        return lambda value: value

    def name(value: Any) -> Any:
        if isinstance(value, list):
            return [name(v) for v in value if v is not None and v >= 0]
        return None if value is None or value < 0 else inner.int2str(value)  # -1 is "no label"

    return name


def _audio_column(rows: Any, name: str) -> str:
    import datasets

    for column, feature in rows.features.items():
        if isinstance(feature, datasets.Audio) or (isinstance(feature, dict) and "bytes" in feature):
            return str(column)
    raise FgmcapsError(f"the dataset {name} has no Audio column; its columns are {', '.join(rows.column_names)}")
