"""WebDataset shards, read by tarfile and by `datasets`."""

import io
import json
import tarfile
from pathlib import Path

import datasets
import pytest
import soundfile

from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.formats.registry import EXPORTERS
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset
from fgmcaps.pipeline.formats.webdataset import webdataset_features
from tests.factories import build_dataset


@pytest.fixture(scope="module")
def exported(three_splits, tmp_path_factory):
    dest = tmp_path_factory.mktemp("wds") / "dest"
    export_dataset(three_splits, dest, EXPORTERS["webdataset"])
    return dest


def test_members_come_in_threes_with_headers_that_name_nobody(exported):
    names = []
    for path in sorted(exported.glob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                names.append(member.name)
                assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")
                assert member.mode == 0o644
    assert len(names) == 90
    for i in range(0, 90, 3):
        key = names[i].removesuffix(".flac")
        assert names[i : i + 3] == [f"{key}.flac", f"{key}.json", f"{key}.txt"]


def test_contents_are_the_rows(exported, three_splits):
    rows = {row["id"]: row for _, row in iter_rows(three_splits, read_manifest(three_splits))}
    with tarfile.open(exported / "train-00000-of-00002.tar") as tar:
        members = {m.name: tar.extractfile(m).read() for m in tar}
    for name, data in members.items():
        key, _, kind = name.rpartition(".")
        if kind == "json":
            assert json.loads(data) == rows[key]
        elif kind == "txt":
            assert data.decode() == rows[key]["caption"]
        else:
            assert soundfile.info(io.BytesIO(data)).frames == 240_000


def without_decoder() -> datasets.Features:
    """The features, with the audio as plain bytes: `datasets` wants torchcodec to touch Audio."""
    features = webdataset_features()
    features["flac"] = datasets.Value("binary")
    return features


def test_datasets_reads_it_with_its_splits(exported, three_splits):
    loaded = datasets.load_dataset(str(exported), features=without_decoder())
    assert {split: rows.num_rows for split, rows in loaded.items()} == {"train": 18, "validation": 8, "test": 4}
    captions = {row["id"]: row["caption"] for _, row in iter_rows(three_splits, read_manifest(three_splits))}
    for row in loaded["train"]:
        assert row["txt"] == row["json"]["caption"] == captions[row["__key__"]]
        assert row["flac"][:4] == b"fLaC"


@pytest.mark.slow
def test_datasets_reads_the_tars_alone_as_a_stream(exported):
    stream = datasets.load_dataset(
        "webdataset",
        data_files={"test": str(exported / "test-*.tar")},
        split="test",
        streaming=True,
        features=without_decoder(),
    )
    assert len([row["__key__"] for row in stream]) == 4


def test_the_card_gives_types_that_five_clips_could_not(exported):
    features = datasets.load_dataset_builder(str(exported)).info.features
    assert features["flac"] == datasets.Audio(sampling_rate=24_000)
    assert features["json"]["tempo_bpm"] == datasets.Value("float64")
    assert features["json"]["album"] == datasets.Value("string")


def test_empty_shards_become_no_tars(tmp_path):
    build_dataset(tmp_path / "out", tracks=4, clips=1, shards=8)
    export_dataset(tmp_path / "out", tmp_path / "x", EXPORTERS["webdataset"])
    filled = {Path(s.path).stem for s in read_manifest(tmp_path / "out").shards if s.rows}
    assert 0 < len(filled) < 8
    assert {path.stem for path in (tmp_path / "x").glob("*.tar")} == filled
    assert datasets.load_dataset_builder(str(tmp_path / "x")).info.features is not None
