"""WebDataset: tar shards with ``{id}.flac``, ``{id}.json`` and ``{id}.txt`` (the caption), one after the other.

One tar a Parquet shard, under the same name, so that the splits are found by name. Headers hold no clock, user or
machine: equal rows give equal bytes. The JSON holds all columns but ``audio``, ``fused`` and ``raw``. The card
names the features: ``datasets`` would otherwise guess them from five clips and fail at the first value that was null in
all of those.
"""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from fgmcaps.pipeline.formats.base import FLAT_COLUMNS, Exporter, Shards, required_audio
from fgmcaps.schemas import CLIP_SAMPLE_RATE, Manifest

if TYPE_CHECKING:
    import datasets


def write_webdataset(folder: Path, shards: Shards, manifest: Manifest) -> None:
    """See the module. Empty shards are left out: readers fail on tars without members."""
    splits: dict[str, None] = {}
    names = (*FLAT_COLUMNS, *manifest.kept_columns)
    for shard, rows in shards:
        if not shard.rows:
            continue
        splits[shard.split] = None
        name = Path(shard.path).with_suffix(".tar").name
        with tarfile.open(folder / name, "w", format=tarfile.USTAR_FORMAT) as tar:
            for row in rows:
                text = json.dumps({column: row[column] for column in names}, ensure_ascii=False)
                _add(tar, f"{row['id']}.flac", required_audio(row, "webdataset"))
                _add(tar, f"{row['id']}.json", text.encode("utf-8"))
                _add(tar, f"{row['id']}.txt", row["caption"].encode("utf-8"))
    (folder / "README.md").write_text(_card(list(splits), manifest.kept_columns), encoding="utf-8")


def webdataset_features(kept: Sequence[str] = ()) -> "datasets.Features":
    """What ``load_dataset`` gives for a clip: ``flac`` (Audio), ``json`` (a struct), ``txt`` and the reader's keys."""
    import datasets

    from fgmcaps.schemas.arrow import features

    columns = features(kept)
    text = datasets.Value("string")
    struct = {name: columns[name] for name in (*FLAT_COLUMNS, *kept)}
    audio = datasets.Audio(sampling_rate=CLIP_SAMPLE_RATE)
    return datasets.Features({"flac": audio, "json": struct, "txt": text, "__key__": text, "__url__": text})


def _card(splits: list[str], kept: Sequence[str]) -> str:
    """A card that gives ``load_dataset`` the files and the features."""
    from datasets import DatasetInfo
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    data: Any = DatasetCardData()
    DatasetInfosDict({"default": DatasetInfo(features=webdataset_features(kept))}).to_dataset_card_data(data)
    files = [{"split": split, "path": f"{split}-*.tar"} for split in splits]
    head = {
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": data.to_dict()["dataset_info"],
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\nWebDataset: one clip is `.flac`, `.json` and `.txt`.\n"


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)  # its defaults are constants: time 0, owner 0, mode 0644
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


WEBDATASET = Exporter("webdataset", "required", write_webdataset)
