"""What holds for every format: whole or not at all, nothing in the way deleted, clear refusals, bounded memory."""

import hashlib
import json
import shutil

import pytest

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.read import BATCH_ROWS
from fgmcaps.pipeline.formats.base import Exporter
from fgmcaps.pipeline.formats.registry import EXPORTERS
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", EXPORTERS)
def test_equal_datasets_give_equal_bytes(three_splits, tmp_path, name):
    for place in ("a", "b"):
        export_dataset(three_splits, tmp_path / place, EXPORTERS[name], splits=("train", "test"))
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    marker = json.loads((tmp_path / "a" / "export.json").read_text())
    assert (marker["format"], marker["rows_per_split"]) == (name, {"test": 4, "train": 18})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("name", EXPORTERS)
def test_splits_are_all_or_the_ones_asked_for(three_splits, tmp_path, name):
    report = export_dataset(three_splits, tmp_path / "all", EXPORTERS[name])
    expected = {"test": 4} if name == "mteb" else {"test": 4, "train": 18, "validation": 8}
    assert report.rows_per_split == expected
    assert export_dataset(three_splits, tmp_path / "one", EXPORTERS[name], splits=("validation",)).rows == 8


def test_progress_is_told_every_row(three_splits, tmp_path):
    told = []
    export_dataset(
        three_splits, tmp_path / "x", EXPORTERS["csv"], on_start=told.append, on_row=lambda: told.append("row")
    )
    assert told == [30, *["row"] * 30]


def test_an_occupied_place_is_refused_and_left_alone(three_splits, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    for replace in (False, True):
        with pytest.raises(FgmcapsError, match=r"not empty|was not made by this command"):
            export_dataset(three_splits, mine, EXPORTERS["csv"], replace=replace)
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_an_empty_place_is_used_and_an_earlier_export_replaced_on_demand(three_splits, tmp_path):
    dest = tmp_path / "dest"
    dest.mkdir()
    export_dataset(three_splits, dest, EXPORTERS["csv"])
    with pytest.raises(FgmcapsError, match="--replace"):
        export_dataset(three_splits, dest, EXPORTERS["jams"])
    export_dataset(three_splits, dest, EXPORTERS["jams"], replace=True)
    assert not (dest / "clips.csv").exists()
    assert len(list(dest.rglob("*.jams"))) == 30
    assert [p.name for p in tmp_path.iterdir()] == ["dest"]


def test_a_file_in_the_way_is_named(three_splits, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FgmcapsError, match="is not a folder"):
        export_dataset(three_splits, tmp_path / "file", EXPORTERS["csv"])


@pytest.mark.parametrize("inside", ["", "exports/csv", ".."])
def test_the_dataset_itself_is_never_the_place(three_splits, tmp_path, inside):
    out = shutil.copytree(three_splits, tmp_path / "holder" / "out")
    before = tree(out)
    with pytest.raises(FgmcapsError, match="choose another place"):
        export_dataset(out, out / inside, EXPORTERS["csv"], replace=True)
    assert tree(out) == before


def test_an_error_in_the_middle_leaves_nothing_and_keeps_the_earlier_export(three_splits, tmp_path):
    dest = tmp_path / "dest"
    export_dataset(three_splits, dest, EXPORTERS["csv"])
    before = tree(dest)

    def breaks(folder, shards, manifest):
        (folder / "half.txt").write_text("half")
        next(next(iter(shards))[1])
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        export_dataset(three_splits, dest, Exporter("bad", "unused", breaks), replace=True)
    assert tree(dest) == before
    assert [p.name for p in tmp_path.iterdir()] == ["dest"]


def test_an_unfinished_dataset_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(FgmcapsError, match="no manifest"):
        export_dataset(tmp_path / "out", tmp_path / "x", EXPORTERS["csv"])


def test_a_damaged_shard_is_named_and_nothing_is_left(three_splits, tmp_path):
    out = shutil.copytree(three_splits, tmp_path / "out")
    shard = sorted((out / "data").glob("train-*.parquet"))[0]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    shard.write_bytes(data)
    with pytest.raises(FgmcapsError, match=shard.name):
        export_dataset(out, tmp_path / "x", EXPORTERS["webdataset"])
    shard.write_bytes(data[:-10])
    with pytest.raises(FgmcapsError, match=r"the file has \d+ bytes"):
        export_dataset(out, tmp_path / "x", EXPORTERS["csv"])
    assert not (tmp_path / "x").exists()


def test_an_unknown_split_names_those_there_are(three_splits, tmp_path):
    with pytest.raises(FgmcapsError, match=r"did you mean 'validation'.*test, train, validation"):
        export_dataset(three_splits, tmp_path / "x", EXPORTERS["csv"], splits=("validatoin",))


@pytest.mark.parametrize(("name", "said"), [("webdataset", "embedded"), ("mteb", "embedded")])
def test_formats_that_are_nothing_without_audio_say_so(silent_dataset, tmp_path, name, said):
    with pytest.raises(FgmcapsError, match=rf"row [0-9a-f-]+ has no {said} audio.*--audio embed"):
        export_dataset(silent_dataset, tmp_path / "x", EXPORTERS[name])
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("name", "missing"), [("jams", 30), ("musicbench", 30), ("csv", 0)])
def test_the_others_count_what_they_write_without(silent_dataset, tmp_path, name, missing):
    report = export_dataset(silent_dataset, tmp_path / "x", EXPORTERS[name])
    assert (report.rows, report.without_audio) == (30, missing)
    assert not [p for p in (tmp_path / "x").rglob("*") if p.suffix in (".flac", ".wav")]


def test_no_more_than_a_batch_is_held(three_splits, tmp_path):
    """A format is handed iterators over batches of a bounded number of rows, never a list."""
    assert BATCH_ROWS <= 64
    seen = []

    def lazy(folder, shards, manifest):
        for _, rows in shards:
            assert iter(rows) is rows, "rows must be an iterator, not a list"
            seen.extend(row["id"] for row in rows)

    export_dataset(three_splits, tmp_path / "x", Exporter("lazy", "optional", lazy))
    assert len(set(seen)) == 30
