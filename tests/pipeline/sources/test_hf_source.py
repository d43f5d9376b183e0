"""Hugging Face datasets from disk: a folder of Parquet, one file, save_to_disk; audio bytes, labels, refusals."""

import hashlib
import os
import subprocess
import sys
import time

import datasets
import pytest

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.sources import open_source
from fgmcaps.pipeline.sources.hf_dataset import read_row
from fgmcaps.pipeline.sources.inventory import take_inventory
from fgmcaps.schemas import TrackMetadata
from tests.pipeline.inputs import write_wav

FEATURES = datasets.Features(
    {
        "audio": {"bytes": datasets.Value("binary"), "path": datasets.Value("string")},
        "title": datasets.Value("string"),
        "genre": datasets.ClassLabel(names=["rock", "jazz"]),
        "mood": datasets.Sequence(datasets.ClassLabel(names=["calm", "sad"])),
    }
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def audio(tmp_path):
    return [write_wav(tmp_path / "music" / f"{i}.wav", seed=i).read_bytes() for i in range(3)]


@pytest.fixture
def rows(audio):
    data = {
        "audio": [{"bytes": b, "path": None} for b in audio],
        "title": ["a", None, "c"],
        "genre": [1, 0, None],
        "mood": [[0], [], [1, 0]],
    }
    plain = datasets.Dataset.from_dict(data, features=FEATURES)
    return plain.cast_column("audio", datasets.Audio(decode=False))


METADATA = [
    TrackMetadata("a", genre=("jazz",), mood=("calm",)),
    TrackMetadata(None, genre=("rock",)),
    TrackMetadata("c", mood=("sad", "calm")),
]


def with_split(split):
    return [TrackMetadata(m.title, genre=m.genre, mood=m.mood, split=split) for m in METADATA]


def test_a_folder_of_parquet_keeps_its_splits_and_names_its_labels(tmp_path, rows, audio):
    folder = tmp_path / "set"
    (folder / "data").mkdir(parents=True)
    rows.to_parquet(folder / "data" / "train-00000-of-00001.parquet")
    rows.select([0]).to_parquet(folder / "data" / "test-00000-of-00001.parquet")
    source = open_source(str(folder))
    found = list(source.files())
    assert [f.source_path for f in found] == ["test/00000000", *(f"train/{i:08d}" for i in range(3))]
    assert [f.metadata for f in found] == [*with_split("test")[:1], *with_split("train")]
    assert [read_row(f.location) for f in found] == [audio[0], *audio]
    assert source.name == "set" and source.identity == str(folder)


def test_one_parquet_file_has_no_split(tmp_path, rows, audio):
    rows.to_parquet(tmp_path / "one.parquet")
    found = list(open_source(str(tmp_path / "one.parquet")).files())
    assert [f.metadata for f in found] == METADATA
    assert [read_row(f.location) for f in found] == audio


@pytest.mark.parametrize("named", [False, True])
def test_what_save_to_disk_wrote_is_read(tmp_path, rows, audio, named):
    saved = datasets.DatasetDict({"validation": rows}) if named else rows
    saved.save_to_disk(tmp_path / "saved")
    found = list(open_source(str(tmp_path / "saved")).files())
    assert [f.metadata for f in found] == (with_split("validation") if named else METADATA)
    assert [read_row(f.location) for f in found] == audio


def test_a_row_is_hashed_once_and_known_again(tmp_path, rows, audio):
    rows.to_parquet(tmp_path / "one.parquet")
    reads = []
    for _ in range(2):
        got = take_inventory(
            open_source(str(tmp_path / "one.parquet")).files(),
            tmp_path / "inventory",
            lambda done, total, read: reads.append(done) if read else None,
        )
        assert [h.identity.sha256 for h in got] == [hashlib.sha256(b).hexdigest() for b in audio]
    assert len(reads) == 3


def test_a_row_may_name_a_file_instead_of_holding_bytes(tmp_path):
    path = write_wav(tmp_path / "x.wav")
    table = {"audio": [{"bytes": None, "path": str(path)}, {"bytes": None, "path": None}, None]}
    features = datasets.Features({"audio": FEATURES["audio"]})
    datasets.Dataset.from_dict(table, features=features).to_parquet(tmp_path / "named.parquet")
    got = take_inventory(open_source(str(tmp_path / "named.parquet")).files(), tmp_path / "i", lambda *_: None)
    assert got[0].identity.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [h.error for h in got[1:]] == [
        f"ValueError: {tmp_path}/named.parquet: split rows: row {i} has no audio" for i in (1, 2)
    ]


def test_a_dataset_without_audio_lists_its_columns(tmp_path, rows):
    folder = tmp_path / "set"
    folder.mkdir()
    rows.remove_columns("audio").to_parquet(folder / "train.parquet")
    with pytest.raises(FgmcapsError, match="no Audio column; its columns are title, genre, mood"):
        list(open_source(str(folder)).files())


def test_a_dataset_without_rows_is_nothing_to_build(tmp_path, rows):
    rows.select([]).to_parquet(tmp_path / "none.parquet")
    with pytest.raises(NothingToDoError, match="no rows"):
        list(open_source(str(tmp_path / "none.parquet")).files())


@pytest.mark.slow
def test_a_name_that_cannot_be_loaded_is_one_line_and_soon(tmp_path):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "fgmcaps", "build", "nobody/no-such-set", str(tmp_path / "out")],
        capture_output=True, text=True, env=environment, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    (line,) = done.stderr.splitlines()
    assert line.startswith("fgmcaps: cannot load the dataset nobody/no-such-set") and not done.stdout
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("path", ["/etc/hostname", "../secret/a.wav", "x/../../secret/a.wav", "link.wav"])
def test_a_row_that_names_a_file_of_this_machine_brings_nothing(tmp_path, path):
    secret = write_wav(tmp_path / "secret" / "a.wav")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "link.wav").symlink_to(secret)
    features = datasets.Features({"audio": FEATURES["audio"]})
    table = {"audio": [{"bytes": None, "path": path}]}
    datasets.Dataset.from_dict(table, features=features).to_parquet(tmp_path / "set" / "rows.parquet")
    (found,) = take_inventory(
        open_source(str(tmp_path / "set" / "rows.parquet")).files(), tmp_path / "i", lambda *_: None
    )
    assert "which is not the dataset's" in found.error
