"""Read published FGMCaps shards: rows with their labels in memory, audio only when asked for.

DATA is a dataset folder (``manifest.json`` and ``data/``), a folder of Parquet shards, one Parquet file, or a name on
the Hugging Face Hub (``user/name`` or ``user/name@revision``).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError, InvalidDataError, NothingToDoError
from fgmcaps.common.json_file import MIB, read_json
from fgmcaps.common.safe_paths import path_inside
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION
from fgmcaps.schemas.arrow import SCHEMA_VERSION_KEY
from fgmcaps.schemas.splits import SPLITS, canonical_split
from fgmcaps.schemas.version import is_readable
from fgmcaps.training.data.hub import fetch_shards, is_hub_name

COLUMNS = (
    *("id", "track_id", "split", "caption", "caption_style", "captions", "start_s", "duration_s", "tempo_bpm"),
    *("tempo_marking", "time_signature", "beat_count", "key", "chord_summary", "licence", "caption_source", "qc_flags"),
)
FACT_COLUMNS = ("tempo_bpm", "time_signature", "key", "chord_summary", "caption_source", "qc_flags")
"""Columns that :meth:`Row.states` looks at."""
NO_FACTS = "caption:no_facts"
"""Flag in ``qc_flags`` of a row whose caption states nothing."""
_BLOCK = 64


NO_SPLIT = "test"
"""The split of rows whose shard names none, neither in a column nor in its name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One clip: identity, captions as ``(style, text)`` (the main one first, empty ones left out) and its labels."""

    id: str
    track_id: str
    split: str
    captions: tuple[tuple[str, str], ...]
    start_s: float
    duration_s: float
    tempo_bpm: float | None = None
    tempo_marking: str | None = None
    time_signature: str | None = None
    beat_count: int | None = None
    key: str | None = None
    chord_summary: tuple[str, ...] = ()
    licence: str | None = None
    caption_source: str | None = None
    qc_flags: tuple[str, ...] = ()

    def states(self, least: int) -> bool:
        """Whether the caption is worth training on: it states at least ``least`` of tempo, meter, key and chords.

        Genre and mood count for the first. Captions of other datasets are in words of their own: they all count.
        """
        if self.caption_source not in ("template", "llm") or least < 1:
            return True
        told = sum(map(bool, (self.tempo_bpm, self.time_signature, self.key, self.chord_summary)))
        return NO_FACTS not in self.qc_flags if least == 1 else told >= least


@dataclass(frozen=True, slots=True)
class AudioRef:
    """Where a clip's samples are: encoded bytes, or seconds ``start_s`` .. ``+ duration_s`` of a file."""

    data: bytes | None
    path: Path | None
    start_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Shard:
    """A Parquet file of the dataset; ``stamp`` changes when its bytes do (SHA-256 where the manifest has it)."""

    path: Path
    stamp: str


class Rows(Sequence[Row]):
    """The rows of a dataset in the order of its shards: the light columns in memory, audio on disk."""

    def __init__(self, shards: Sequence[Shard], split: str | None = None, audio_root: Path | None = None) -> None:
        self.shards, self.split, self.audio_root = tuple(shards), split, audio_root
        tables, where = [], []
        for number, shard in enumerate(self.shards):
            table = _read_light(shard.path)
            keep = np.arange(table.num_rows)
            if split is not None:
                keep = np.flatnonzero(np.asarray(table["split"].to_pylist(), dtype=object) == split)
                table = table.take(pa.array(keep))
            tables.append(table)
            where.append(np.stack([np.full(len(keep), number), keep], axis=1))
        self.table = pa.concat_tables(tables).combine_chunks()
        self._where: npt.NDArray[np.int64] = np.concatenate(where).astype(np.int64)

    def __reduce__(self) -> tuple[Any, ...]:
        return Rows, (self.shards, self.split, self.audio_root)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        return row_of(self.table.slice(i, 1).to_pylist()[0])

    def __iter__(self) -> Iterator[Row]:
        for batch in self.table.to_batches(max_chunksize=1024):
            yield from map(row_of, batch.to_pylist())

    @cached_property
    def ids(self) -> list[str]:
        """Clip ids in order."""
        return cast(list[str], self.table["id"].to_pylist())

    def label_licences(self) -> dict[str, str]:
        """Licence of each tool that made the labels, by name; empty where the shards name none.

        Raises InvalidDataError naming a shard that cannot be read.
        """
        found: dict[str, str] = {}
        for shard in self.shards:
            try:
                with pq.ParquetFile(shard.path) as file:
                    if "annotators" not in file.schema_arrow.names:
                        continue
                    for batch in file.iter_batches(columns=["annotators"]):
                        tools = batch.column(0).flatten()
                        pairs = pa.table({"name": tools.field("name"), "licence": tools.field("licence")})
                        for pair in pairs.group_by(["name", "licence"]).aggregate([]).to_pylist():
                            found[pair["name"]] = pair["licence"] or ""
            except (OSError, pa.ArrowException) as error:
                raise InvalidDataError(f"{shard.path}: cannot be read: {error}") from None
        return dict(sorted(found.items()))

    def audio(self, indices: Sequence[int]) -> Iterator[AudioRef]:
        """Audio of rows, in the given order; quickest where the order is that of the dataset.

        Holds one row group of one shard. Raises InvalidDataError naming a shard that cannot be read.
        """
        group: tuple[int, int, int, list[Any]] | None = None  # shard, first row, end, audio column
        starts, lengths = self.table["start_s"], self.table["duration_s"]
        opened: tuple[int, pq.ParquetFile] | None = None
        for index in indices:
            number, inside = (int(v) for v in self._where[index])
            path = self.shards[number].path
            if group is None or group[0] != number or not group[1] <= inside < group[2]:
                try:
                    if opened is None or opened[0] != number:
                        opened = (number, pq.ParquetFile(path, pre_buffer=False))
                    group = (number, *_audio_group(opened[1], inside))
                except (OSError, pa.ArrowException) as error:
                    raise InvalidDataError(f"{path}: audio of row {inside} cannot be read: {error}") from None
            cell = group[3][inside - group[1]] or {}
            yield AudioRef(
                data=cell.get("bytes"),
                path=self._audio_path(cell.get("path"), path) if cell.get("bytes") is None else None,
                start_s=starts[index].as_py() or 0.0,
                duration_s=lengths[index].as_py() or 0.0,
            )

    def _audio_path(self, name: str | None, shard: Path) -> Path | None:
        """A path of the *path* audio policy lies under the given root, else beside the dataset; never outside."""
        if not name:
            return None
        dataset = next((folder.parent for folder in shard.parents if folder.name == "data"), shard.parent.parent)
        try:
            return path_inside(self.audio_root or dataset, name)
        except (ValueError, OSError):
            return None


def row_of(cells: dict[str, Any]) -> Row:
    """A row from its light columns (missing ones are None)."""
    texts = [(cells.get("caption_style") or "objective", cells.get("caption") or "")]
    texts += [(c["style"], c["text"] or "") for c in cells.get("captions") or ()]
    known = {name: cells.get(name) for name in ("tempo_bpm", "tempo_marking", "time_signature", "beat_count", "key")}
    return Row(
        id=cells["id"],
        track_id=cells.get("track_id") or cells["id"],
        split=cells.get("split") or NO_SPLIT,
        captions=tuple((style, text) for style, text in texts if text.strip()),
        start_s=cells.get("start_s") or 0.0,
        duration_s=cells.get("duration_s") or 0.0,
        chord_summary=tuple(cells.get("chord_summary") or ()),
        licence=cells.get("licence"),
        caption_source=cells.get("caption_source"),
        qc_flags=tuple(cells.get("qc_flags") or ()),
        **known,
    )


def load_rows(data: str | Path, split: str | None = None, *, audio_root: str | Path | None = None) -> Rows:
    """The rows of DATA, of one split or of all (None), in the order of shards and rows.

    ``audio_root``: folder under which the paths of datasets without embedded audio lie.

    Raises FgmcapsError (no such data, unknown split), NothingToDoError (no rows), InvalidDataError (a shard of another
    schema version, one that cannot be read, an unfinished dataset), MachineError (the Hub does not answer).
    """
    if split is not None and split not in SPLITS:
        raise FgmcapsError(f"no such split: {split}{did_you_mean(split, SPLITS)}; splits are {', '.join(SPLITS)}")
    rows = Rows(find_shards(data), split, None if audio_root is None else Path(audio_root))
    if not len(rows):
        there = Counter(Rows(rows.shards, None).table["split"].to_pylist()) if split is not None else {}
        has = "; it has " + ", ".join(f"{name} ({n})" for name, n in sorted(there.items())) if there else ""
        raise NothingToDoError(f"{data}: no rows" + ("" if split is None else f" in the split {split}") + has)
    return rows


def find_shards(data: str | Path) -> list[Shard]:
    """The Parquet files of DATA, train before validation before test, each by number."""
    path = Path(data)
    if path.is_file():
        return [_stamped(path)]
    if not path.exists() and is_hub_name(str(data)):
        path = fetch_shards(str(data))
    if not path.is_dir():
        raise FgmcapsError(
            f"{data}: no such folder or file; give a dataset folder, Parquet shards, or a Hub name user/name"
        )
    if (path / "manifest.json").is_file():
        return _listed(path)
    if (path / ".fgmcaps").is_dir():
        raise InvalidDataError(f"{path}: the build has not finished; run `fgmcaps build` again")
    found = sorted((path / "data").glob("*.parquet")) or sorted(path.glob("*.parquet"))
    if not found:
        raise FgmcapsError(f"{path}: no Parquet shards there, nor in its folder `data`")
    return sorted(map(_stamped, found), key=lambda shard: _order(shard.path))


def _order(path: Path) -> tuple[int, str]:
    split = canonical_split(path.name.split("-")[0])
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS), path.name)


def _stamped(path: Path) -> Shard:
    stat = path.stat()
    return Shard(path, f"{stat.st_size}:{stat.st_mtime_ns}")


def _listed(folder: Path) -> list[Shard]:
    """The shards that a dataset's manifest lists, each there with its size."""
    name = folder / "manifest.json"
    try:
        manifest = read_json(name, 64 * MIB)
        version, files = str(manifest["schema_version"]), manifest["shards"]
        listed = [(folder / f["path"], int(f["bytes"]), str(f["sha256"])) for f in files]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidDataError(f"{name}: not a manifest of ours ({type(error).__name__}); build anew") from None
    _check_version(version, name)
    for path, size, _ in listed:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise InvalidDataError(f"{name}: {path}: leaves the dataset's folder")
        if not path.is_file() or path.stat().st_size != size:
            raise InvalidDataError(f"{path}: missing or not {size} bytes as the manifest says; build or pull it again")
    return sorted((Shard(path, digest) for path, _, digest in listed), key=lambda shard: _order(shard.path))


def _check_version(version: str, path: Path) -> None:
    if not is_readable(version):
        raise InvalidDataError(
            f"{path}: schema version {version}, this program reads {FGMCAPS_SCHEMA_VERSION}: "
            "use the program version that wrote it, or build anew"
        )


def _read_light(path: Path) -> pa.Table:
    """The light columns of a shard; columns that a plain ``id, audio, caption`` table lacks are null."""
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            version = (schema.metadata or {}).get(SCHEMA_VERSION_KEY)
            if version is not None:
                _check_version(version.decode("utf-8", "replace"), path)
            missing = [name for name in ("id", "caption", "audio") if name not in schema.names]
            if missing:
                raise InvalidDataError(
                    f"{path}: no FGMCaps shard: no column {', '.join(missing)}; bring other layouts in with "
                    "`fgmcaps import`"
                )
            table = file.read(columns=[name for name in COLUMNS if name in schema.names])
    except (OSError, pa.ArrowException) as error:
        raise InvalidDataError(f"{path}: cannot be read as Parquet: {error}") from None
    rows = table.num_rows
    if table["id"].null_count:
        raise InvalidDataError(f"{path}: {table['id'].null_count} rows have no id")
    columns = {}
    for name, kind in COLUMN_TYPES.items():
        if name in table.column_names:
            try:
                columns[name] = table[name].cast(kind)
            except pa.ArrowException as error:
                raise InvalidDataError(f"{path}: column {name}: {error}") from None
        else:
            columns[name] = pa.chunked_array([pa.array([None] * rows, kind)])
    named = canonical_split(path.name.split("-")[0]) or NO_SPLIT
    splits = [named if split is None else canonical_split(split) or split for split in columns["split"].to_pylist()]
    columns["split"] = pa.chunked_array([pa.array(splits, COLUMN_TYPES["split"])])
    return pa.table(columns)


def _audio_group(file: pq.ParquetFile, row: int) -> tuple[int, int, list[Any]]:
    """First row, end and audio cells of the row group that holds a row."""
    first = 0
    for number in range(file.num_row_groups):
        rows = file.metadata.row_group(number).num_rows
        if row < first + rows:
            return first, first + rows, file.read_row_group(number, columns=["audio"])["audio"].to_pylist()
        first += rows
    raise pa.ArrowInvalid(f"no row {row} among {first}")


def _column_types() -> dict[str, pa.DataType]:
    from fgmcaps.schemas.arrow import arrow_schema

    schema = arrow_schema()
    return {name: schema.field(name).type for name in COLUMNS}


COLUMN_TYPES = _column_types()
"""Arrow type of each light column."""
