"""Export a dataset: check it, stream its rows through the layout's writer, and let the folder appear in one step."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.common.new_folder import new_folder
from fgmcaps.common.safe_paths import safe_file_name
from fgmcaps.pipeline.dataset.manifest import ManifestError, read_manifest, size_problem
from fgmcaps.pipeline.dataset.read import ShardError, iter_shard
from fgmcaps.pipeline.formats.base import FLAT_COLUMNS, Exporter, Row, embedded
from fgmcaps.schemas import Manifest, ShardFile
from fgmcaps.schemas.ids import parse_clip_id

EXPORT_NAME = "export.json"
"""In every export: what it was made from. It also marks a folder that ``--replace`` may replace."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote; ``without_audio`` counts rows that had no embedded audio."""

    rows: int
    without_audio: int
    rows_per_split: dict[str, int]


@dataclass(slots=True)
class _Tally:
    splits: Counter[str] = field(default_factory=Counter)
    without_audio: int = 0


def export_dataset(
    out: Path,
    dest: Path,
    exporter: Exporter,
    *,
    splits: Sequence[str] = (),
    replace: bool = False,
    on_start: Callable[[int], None] = lambda rows: None,
    on_row: Callable[[], None] = lambda: None,
) -> ExportReport:
    """Write the finished dataset ``out`` to the folder ``dest`` in another layout.

    Holds one batch of rows (``fgmcaps.pipeline.dataset.read.BATCH_ROWS``) at a time. ``dest`` appears at the end,
    whole. ``splits`` empty: the exporter's own choice. ``on_start`` is given the number of rows, ``on_row`` is called
    after each.

    Raises InvalidDataError (not finished, a damaged shard) and FgmcapsError (an unknown split, audio that the layout
    needs and the dataset lacks, ``dest`` occupied).
    """
    out, dest = Path(out), Path(dest)
    try:
        manifest = read_manifest(out)
    except ManifestError as error:
        raise InvalidDataError(str(error)) from None
    if dest.resolve() == out.resolve() or out.resolve().is_relative_to(dest.resolve()):
        raise FgmcapsError(f"{dest} is or holds the dataset {out}; choose another place")
    if (dest.resolve()).is_relative_to(out.resolve()):
        raise FgmcapsError(f"{dest} is inside the dataset {out}, whose readers would find it; choose another place")
    shards = _chosen(manifest, exporter, splits, out)
    for shard in shards:
        problem = size_problem(out, shard)
        if problem:
            raise InvalidDataError(f"{out / shard.path}: {problem}; `fgmcaps validate {out}` gives details")
    on_start(sum(shard.rows for shard in shards))
    tally = _Tally()

    def rows_of(shard: ShardFile) -> Iterator[Row]:
        flat = (*FLAT_COLUMNS, *manifest.kept_columns)
        columns = flat if exporter.audio == "unused" else (*flat, "audio")
        for row in iter_shard(out, shard, columns):
            check_names(shard, row)
            if exporter.audio != "unused" and embedded(row) is None:
                tally.without_audio += 1
            yield row
            tally.splits[shard.split] += 1
            on_row()

    try:
        with new_folder(dest, replace=replace, ours=lambda place: (place / EXPORT_NAME).is_file()) as folder:
            exporter.write(folder, ((shard, rows_of(shard)) for shard in shards), manifest)
            rows = sum(tally.splits.values())
            marker = {
                "format": exporter.name,
                "rows": rows,
                "rows_per_split": dict(sorted(tally.splits.items())),
                "schema_version": manifest.schema_version,
                "fingerprint": manifest.fingerprint,
            }
            (folder / EXPORT_NAME).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
    except ShardError as error:
        raise InvalidDataError(f"{error}; `fgmcaps validate {out}` gives details") from None
    return ExportReport(rows, tally.without_audio, dict(sorted(tally.splits.items())))


def check_names(shard: ShardFile, row: Row) -> None:
    """Ids and splits become file names: InvalidDataError for what is none of ours."""
    try:
        parse_clip_id(row["id"] or "")
        safe_file_name(shard.split)
    except ValueError as error:
        raise InvalidDataError(f"{shard.path}: {error}; the dataset was changed or is not ours") from None


def _chosen(manifest: Manifest, exporter: Exporter, splits: Sequence[str], out: Path) -> list[ShardFile]:
    """Shards of the wanted splits; FgmcapsError for a split that the dataset lacks or that is empty."""
    present = sorted({shard.split for shard in manifest.shards if shard.rows})
    wanted = tuple(splits) or exporter.splits or tuple(present)
    for split in wanted:
        if split not in present:
            raise FgmcapsError(
                f"{out} has no rows in split {split!r}{did_you_mean(split, present)}; "
                f"it has {', '.join(present) or 'no rows'}"
                + ("; name one with --split" if not splits and present else "")
            )
    return [shard for shard in manifest.shards if shard.split in wanted]
