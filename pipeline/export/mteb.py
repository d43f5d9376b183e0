"""MTEB: Parquet with exactly ``id, audio, caption``, as its FGMCaps retrieval tasks load them.

Layout of the published benchmark: ``data/{split}-SSSSS-of-NNNNN.parquet`` and a card that names the files, so that
``load_dataset(FOLDER, split="test")`` works. Those tasks read the test split, so it is the only one by default.
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from fgmcaps.pipeline.dataset.shards import ROWS_PER_GROUP
from fgmcaps.pipeline.export.base import ExportFormat, Shards, required_audio
from fgmcaps.schemas import CLIP_SAMPLE_RATE, Manifest

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
    (folder / "README.md").write_text(card(list(splits)), encoding="utf-8")


def card(splits: list[str]) -> str:
    """A card that tells ``load_dataset`` the files of each split."""
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    head = yaml.safe_dump({"configs": [{"config_name": "default", "data_files": files}]}, sort_keys=False)
    return f"---\n{head}---\n\nClips and captions for retrieval in both directions: `id`, `audio`, `caption`.\n"


MTEB = ExportFormat("mteb", "Parquet of id, audio, caption for MTEB's FGMCaps tasks", "required", write_mteb, ("test",))
