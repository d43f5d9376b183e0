"""Parquet with ``id, audio, caption``: the published FGMCaps benchmark, and what MTEB's FGMCaps tasks load.

Layout: ``data/{split}-SSSSS-of-NNNNN.parquet`` with ``id`` (text), ``audio`` ({bytes, path}), ``caption`` (text), and a
card that names the files, so that ``load_dataset(FOLDER, split="test")`` works.

Written: the tasks read the test split, so it is the only one by default. Read: a file is of the split that its name
begins with (the published benchmark has only test); the id is kept as ``source_path``; there are no labels, so the rows
have none, and every attribute is flagged ``not_given``.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.shards import ROWS_PER_GROUP
from fgmcaps.pipeline.formats.base import (
    DatasetImporter,
    Exporter,
    ForeignClip,
    ForeignDataset,
    ImportOptions,
    Shards,
    required_audio,
)
from fgmcaps.pipeline.formats.shared.audio_store import MAX_MEMBER_BYTES
from fgmcaps.pipeline.formats.shared.dead_letters import import_letter
from fgmcaps.pipeline.formats.shared.given_labels import no_labels
from fgmcaps.pipeline.formats.shared.text import storable
from fgmcaps.pipeline.sources.folder import walk
from fgmcaps.schemas import CLIP_SAMPLE_RATE, DeadLetter, Manifest, StyledCaption, ToolInfo, TrackMetadata
from fgmcaps.schemas.splits import SPLITS

TOOL = ToolInfo(
    "FGMCaps-benchmark",
    "2026",
    "CC-BY-NC-SA-4.0",
    "https://huggingface.co/datasets/nishitanand/FGMCaps-benchmark",
)
_FEATURES = {
    "id": {"dtype": "string", "_type": "Value"},
    "audio": {"sampling_rate": CLIP_SAMPLE_RATE, "_type": "Audio"},
    "caption": {"dtype": "string", "_type": "Value"},
}
_AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
MTEB_SCHEMA = pa.schema(
    [("id", pa.string()), ("audio", _AUDIO), ("caption", pa.string())],
    metadata={b"huggingface": json.dumps({"info": {"features": _FEATURES}}).encode()},
)
_BATCH = 16  # rows in memory while reading: 10 s of 24 kHz WAV are 0.5 MB


def write_mteb(folder: Path, shards: Shards, manifest: Manifest) -> None:
    """See the module."""
    splits: dict[str, None] = {}
    (folder / "data").mkdir()
    for shard, rows in shards:
        splits[shard.split] = None
        path = folder / "data" / Path(shard.path).name
        with pq.ParquetWriter(path, MTEB_SCHEMA, compression="zstd", write_statistics=["id"]) as writer:
            group = []
            for row in rows:
                audio = {"bytes": required_audio(row, "mteb"), "path": f"{row['id']}.flac"}
                group.append({"id": row["id"], "audio": audio, "caption": row["caption"]})
                if len(group) == ROWS_PER_GROUP:
                    writer.write_table(pa.Table.from_pylist(group, MTEB_SCHEMA))
                    group = []
            if group:
                writer.write_table(pa.Table.from_pylist(group, MTEB_SCHEMA))
    (folder / "README.md").write_text(_card(list(splits)), encoding="utf-8")


def _card(splits: list[str]) -> str:
    """A card that lists the files of each split for ``load_dataset``."""
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    head = yaml.safe_dump({"configs": [{"config_name": "default", "data_files": files}]}, sort_keys=False)
    return f"---\n{head}---\n\nClips and captions for retrieval in both directions: `id`, `audio`, `caption`.\n"


def open_benchmark(path: Path, options: ImportOptions) -> ForeignDataset:
    """Check the Parquet files of ``path`` (a file or a folder). Raises FgmcapsError naming the file."""
    files = [path] if path.is_file() else sorted(p for p, _ in walk(path) if p.suffix == ".parquet")
    if not files:
        raise FgmcapsError(
            f"{path} holds no .parquet files; download the dataset with `hf download` and name its folder"
        )
    total = sum(_checked(file) for file in files)

    def clips() -> Iterator[ForeignClip | DeadLetter]:
        for file in files:
            yield from _clips_of(file, options.licence)

    return ForeignDataset("fgmcaps-benchmark", TOOL, clips, total, {"format": "fgmcaps-benchmark"})


def _checked(file: Path) -> int:
    """Rows of a file that has the columns."""
    try:
        schema, rows = pq.read_schema(file), pq.read_metadata(file).num_rows
    except (OSError, pa.ArrowException) as error:
        raise FgmcapsError(f"{file}: cannot be read as Parquet: {error}") from None
    missing = [name for name in MTEB_SCHEMA.names if name not in schema.names]
    if missing:
        raise FgmcapsError(f"{file}: no column {', '.join(missing)}; it has {', '.join(schema.names)}")
    kind = schema.field("audio").type
    if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        raise FgmcapsError(f"{file}: the column audio is {kind}, not a struct with bytes")
    return int(rows)


def _clips_of(file: Path, licence: str | None) -> Iterator[ForeignClip | DeadLetter]:
    split = file.name.partition("-")[0]
    split = split if split in SPLITS else "test"
    number = 0
    try:
        with pq.ParquetFile(file, pre_buffer=False) as table:  # else the whole file is read before its first batch
            for batch in table.iter_batches(_BATCH, columns=MTEB_SCHEMA.names, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    name = storable(str(row["id"])) if row["id"] is not None else None
                    place = name or f"{file.name}:{number}"
                    caption, data = storable(row["caption"]), (row["audio"] or {}).get("bytes")
                    if caption is None:
                        yield import_letter(place, "failed", "no_caption", f"{file.name}: row {number}: no caption")
                    elif not data or len(data) > MAX_MEMBER_BYTES:
                        message = (
                            f"{file.name}: row {number}: no audio, or more than {MAX_MEMBER_BYTES >> 20} MiB of it"
                        )
                        yield import_letter(place, "failed", "missing_audio", message)
                    else:
                        captions = (StyledCaption("main", caption),)
                        yield ForeignClip(place, split, data, captions, no_labels, TrackMetadata(licence=licence))
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise FgmcapsError(f"{file}: damaged after row {number} ({error}); download it again") from None


MTEB = Exporter("mteb", "required", write_mteb, ("test",))
FGMCAPS_BENCHMARK = DatasetImporter(
    "fgmcaps-benchmark",
    frozenset(("licence",)),
    open_benchmark,
)
