"""The published FGMCaps benchmark, and any Parquet with ``id``, ``caption`` and ``audio``.

Layout: ``data/test-*.parquet`` with ``id`` (text), ``caption`` (text), ``audio`` ({bytes, path}). It has no labels, so
the rows have none either: every attribute is flagged ``not_given``. Files are of the split that their name begins with;
the published benchmark has only test. The id there is kept as ``source_path``.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.config import SPLITS
from fgmcaps.pipeline.interop.audio_store import MAX_MEMBER_BYTES
from fgmcaps.pipeline.interop.base import Collection, Found, ImportFormat, ImportOptions, OutsideClip, letter, readable
from fgmcaps.pipeline.interop.given_labels import no_labels
from fgmcaps.pipeline.sources.folder import walk
from fgmcaps.schemas import StyledCaption, ToolInfo, TrackMetadata

TOOL = ToolInfo(
    "FGMCaps-benchmark",
    "2026",
    "CC-BY-NC-SA-4.0",
    "https://huggingface.co/datasets/nishitanand/FGMCaps-benchmark",
)
_COLUMNS = ("id", "caption", "audio")
_BATCH = 16  # rows in memory: 10 s of 24 kHz WAV are 0.5 MB


def open_benchmark(path: Path, options: ImportOptions) -> Collection:
    """Check the Parquet files of ``path`` (a file or a folder). Raises FgmcapsError naming the file."""
    files = [path] if path.is_file() else sorted(p for p, _ in walk(path) if p.suffix == ".parquet")
    if not files:
        raise FgmcapsError(
            f"{path} holds no .parquet files; download the dataset with `hf download` and name its folder"
        )
    total = sum(_checked(file) for file in files)

    def clips() -> Iterator[Found]:
        for file in files:
            yield from _clips_of(file, options.licence)

    return Collection("fgmcaps-benchmark", TOOL, clips, total, {"format": "fgmcaps-benchmark"})


def _checked(file: Path) -> int:
    """Rows of a file that has the columns."""
    try:
        schema, rows = pq.read_schema(file), pq.read_metadata(file).num_rows
    except (OSError, pa.ArrowException) as error:
        raise FgmcapsError(f"{file}: cannot be read as Parquet: {error}") from None
    missing = [name for name in _COLUMNS if name not in schema.names]
    if missing:
        raise FgmcapsError(f"{file}: no column {', '.join(missing)}; it has {', '.join(schema.names)}")
    kind = schema.field("audio").type
    if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        raise FgmcapsError(f"{file}: the column audio is {kind}, not a struct with bytes")
    return int(rows)


def _clips_of(file: Path, licence: str | None) -> Iterator[Found]:
    split = file.name.partition("-")[0]
    split = split if split in SPLITS else "test"
    number = 0
    try:
        with pq.ParquetFile(file, pre_buffer=False) as table:  # else the whole file is read before its first batch
            for batch in table.iter_batches(_BATCH, columns=list(_COLUMNS), use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    name = readable(str(row["id"])) if row["id"] is not None else None
                    place = name or f"{file.name}:{number}"
                    caption, data = readable(row["caption"]), (row["audio"] or {}).get("bytes")
                    if caption is None:
                        yield letter(place, "failed", "no_caption", f"{file.name}: row {number}: no caption")
                    elif not data or len(data) > MAX_MEMBER_BYTES:
                        yield letter(place, "failed", "missing_audio", f"{file.name}: row {number}: no usable audio")
                    else:
                        captions = (StyledCaption("main", caption),)
                        yield OutsideClip(place, split, data, captions, no_labels, TrackMetadata(licence=licence))
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise FgmcapsError(f"{file}: damaged after row {number} ({error}); download it again") from None


BENCHMARK = ImportFormat(
    "fgmcaps-benchmark",
    "the published benchmark: Parquet of id, caption, audio",
    "dataset",
    frozenset(("licence",)),
    open=open_benchmark,
)
