"""A Hugging Face dataset with an Audio column: a name on the Hub, a folder of Parquet files or of ``save_to_disk``, or
one Parquet file.

Rows are addressed as ``row:[...]`` and opened by any worker through the memory-mapped copy that ``datasets`` keeps, so
no audio travels through the DAG.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.common.safe_paths import path_inside
from fgmcaps.pipeline.sources.base import DEFAULTS, FoundFile, Source, SourceOptions, printable
from fgmcaps.pipeline.sources.columns import Columns, check_kept
from fgmcaps.pipeline.sources.splits_of_others import SplitNames

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
    config: str | None = None

    @property
    def location(self) -> str:
        """The address as a location (:mod:`fgmcaps.pipeline.sources.base`)."""
        config = () if self.config is None else (self.config,)
        return ROW + json.dumps([self.dataset, self.split, self.column, self.index, *config])

    @classmethod
    def of(cls, location: str) -> "RowAddress":
        """The address of a location that begins with ``row:``. Raises ValueError, TypeError."""
        return cls(*json.loads(location.removeprefix(ROW)))


class HubDatasetSource(Source):
    """All splits of a dataset. The split of a row is the one that its column says, else the one that it lies in."""

    def __init__(self, name: str, options: SourceOptions = DEFAULTS) -> None:
        super().__init__()
        self.dataset = str(Path(name).resolve()) if Path(name).exists() else name
        self.options = options
        self.name = printable(Path(name).stem if Path(name).exists() else name.split("/")[-1])
        self.identity = self.dataset

    def files(self) -> Iterator[FoundFile]:
        """Rows in the order of splits and row numbers. Raises FgmcapsError if it cannot be loaded or has no Audio."""
        config = self.options.dataset_config
        loaded = _load(self.dataset, config)
        names = SplitNames(self.options.split_map)
        columns = Columns(names, self.options.keep_columns)
        empty = True
        for split in sorted(loaded):
            rows = loaded[split]
            column = audio_column(rows, self.dataset, self.options.audio_column)
            given = None if split == UNNAMED else names.ours(split, self.dataset)
            told = [c for c in rows.column_names if c not in _audio_like(rows)]
            texts = {c: _label_names(rows.features[c]) for c in told}
            described = rows.select_columns(told) if told else None
            for index in range(len(rows)):
                empty = False
                where = f"{self.dataset}: split {split}: row {index}"
                cells = {c: texts[c](v) for c, v in described[index].items()} if described is not None else {}
                metadata = columns.metadata_of(cells, where)
                if metadata.split is None:
                    metadata = replace(metadata, split=given)
                location = RowAddress(self.dataset, split, column, index, config).location
                yield FoundFile(location, f"{split}/{index:08d}", 0, f"{rows._fingerprint}:{index}", metadata)
        if empty:
            raise NothingToDoError(f"the dataset {self.dataset} has no rows")
        check_kept(self.options.keep_columns, columns.names, self.dataset)
        self.notes += [*columns.notes(), *names.notes()]


def read_row(location: str) -> bytes | Path:
    """The encoded audio of a row, or the file that it names. Raises ValueError if the row has neither.

    No other column of the row is read.
    """
    address = RowAddress.of(location)
    audio = _one_column(address.dataset, address.config, address.split, address.column)[address.index][address.column]
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
def _load(name: str, config: str | None) -> Any:
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
            loaded = datasets.load_dataset(name, config)
    except FgmcapsError:
        raise
    except Exception as error:  # the library raises a dozen kinds, each with a text for people
        first = " ".join(str(error).split())[:300]
        more = "; choose one with --dataset-config" if "onfig name is missing" in first else ""
        raise FgmcapsError(f"cannot load the dataset {name}: {type(error).__name__}: {first}{more}") from None
    return {split: _undecoded(rows) for split, rows in loaded.items()}


def _undecoded(rows: Any) -> Any:
    """No audio, picture or video is decoded: the decoders may be missing, and a bad picture must not cost a track."""
    import datasets

    for column, feature in rows.features.items():
        if isinstance(feature, datasets.Audio | datasets.Image) or type(feature).__name__ in ("Video", "Pdf", "Nifti"):
            rows = rows.cast_column(column, type(feature)(decode=False))
    return rows


@cache
def _one_column(name: str, config: str | None, split: str, column: str) -> Any:
    return _load(name, config)[split].select_columns([column])


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


def _audio_like(rows: Any) -> list[str]:
    """Columns that hold files: structs with ``bytes``, whatever they are of."""
    import datasets

    media = datasets.Audio | datasets.Image
    return [
        str(column)
        for column, feature in rows.features.items()
        if isinstance(feature, media)
        or type(feature).__name__ in ("Video", "Pdf", "Nifti")
        or (isinstance(feature, dict) and "bytes" in feature)
    ]


def audio_column(rows: Any, name: str, wanted: str | None) -> str:
    """The column with the audio: the one that is wanted, else the only one of type Audio, else the only file column.

    Raises FgmcapsError that lists the candidates.
    """
    import datasets

    files = _audio_like(rows)
    if wanted is not None:
        if wanted in files:
            return wanted
        shown = ", ".join(files or rows.column_names)
        raise FgmcapsError(
            f"the dataset {name} has no audio column {wanted!r}{did_you_mean(wanted, files)}; it has {shown}"
        )
    typed = [column for column in files if isinstance(rows.features[column], datasets.Audio)]
    plain = [column for column in files if isinstance(rows.features[column], dict)]
    candidates = typed or plain
    if "audio" in candidates or len(candidates) == 1:
        return "audio" if "audio" in candidates else candidates[0]
    if not candidates:
        raise FgmcapsError(f"the dataset {name} has no Audio column; its columns are {', '.join(rows.column_names)}")
    raise FgmcapsError(
        f"the dataset {name} has several columns with audio: {', '.join(candidates)}; choose one with --audio-column"
    )
