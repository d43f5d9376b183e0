"""Columns of the user's own: from the table into the shards, and out by every door."""

import csv
import json
import tarfile

import datasets
import pyarrow.parquet as pq
import pytest

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.config import BuildConfig, load_config
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.formats.registry import EXPORTERS
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset
from fgmcaps.pipeline.hub.prepare import PublishSettings, prepare
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.sources.base import SourceOptions
from fgmcaps.pipeline.sources.columns import Columns
from fgmcaps.pipeline.sources.folder import FolderSource
from fgmcaps.pipeline.sources.hf_dataset import HubDatasetSource
from fgmcaps.pipeline.sources.manifest_file import ManifestSource
from fgmcaps.pipeline.sources.splits_of_others import SplitNames
from fgmcaps.pipeline.validation.validate import validate
from fgmcaps.schemas.arrow import arrow_schema, features
from tests.factories import build_dataset

KEPT = ("year", "My instruments")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("kept") / "out"
    build_dataset(out, tracks=6, clips=1, kept=KEPT)
    return out


def kept_of(cells, *keep):
    return dict(Columns(SplitNames({}), keep).metadata_of(cells, "here").kept)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1999", "1999"),
        (1999, "1999"),
        (1.5, "1.5"),
        (True, "true"),
        (["vox", "bass"], '["vox", "bass"]'),
        ({"a": [1]}, '{"a": [1]}'),
        ("  two\nlines ", "two lines"),
        ("unknown", "unknown"),  # what a word means is the user's
    ],
)
def test_cells_are_kept_as_text(value, text):
    assert kept_of({"path": "a", "year": value}, "year") == {"year": text}


@pytest.mark.parametrize("value", [None, float("nan"), "", "  "])
def test_no_value_is_none(value):
    assert kept_of({"year": value}, "year") == {}


def test_names_are_found_in_any_case_and_spelt_as_asked():
    assert kept_of({" YEAR ": "1", "My-Instruments": "x", "else": "y"}, *KEPT) == {"year": "1", "My instruments": "x"}


def test_bytes_are_refused():
    with pytest.raises(FgmcapsError, match="here: 'year' holds bytes"):
        kept_of({"year": b"x"}, "year")


def test_a_column_with_a_meaning_may_be_kept_under_its_other_name():
    columns = Columns(SplitNames({}), ["styles"])
    found = columns.metadata_of({"path": "a", "styles": "rock; pop"}, "here")
    assert found.genre == ("rock", "pop") and dict(found.kept) == {"styles": "rock; pop"}


@pytest.mark.parametrize(
    ("names", "said"),
    [(["KEY"], "FGMCaps's own"), (["1st"], "cannot name"), (["a\x1b"], "cannot name"), (["a", "A"], "named twice")],
)
def test_names_that_cannot_be_columns_are_refused(names, said):
    with pytest.raises(FgmcapsError, match=said):
        load_config(None, {"keep_columns": names})


def test_a_build_without_them_is_the_build_it_was():
    assert "keep_columns" not in BuildConfig().public()
    assert BuildConfig(keep_columns=KEPT).public()["keep_columns"] == list(KEPT)


def test_a_column_that_is_nowhere_is_an_error_that_names_the_near_one(tmp_path):
    options = SourceOptions(keep_columns=("yeer",))
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    (tmp_path / "m.csv").write_text("path,year\na.wav,1999\n")
    with pytest.raises(FgmcapsError, match=r"--keep-columns yeer: no such column in .*m.csv .did you mean 'year'"):
        list(ManifestSource(tmp_path / "m.csv", options).files())
    with pytest.raises(FgmcapsError, match="it has no table"):
        list(FolderSource(tmp_path, None, options).files())


def test_every_kind_of_table_is_read(tmp_path):
    options = SourceOptions(keep_columns=("year",))
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    (tmp_path / "metadata.csv").write_text("file_name,year\na.wav,1999\n")
    audio = {"bytes": [b"RIFF"], "path": ["a.wav"]}
    rows = [{"audio": {key: value[0] for key, value in audio.items()}, "year": 1999}]
    data = tmp_path / "hf"
    data.mkdir()
    datasets.Dataset.from_list(rows).to_parquet(data / "x.parquet")
    for source in (
        FolderSource(tmp_path, data, options),
        ManifestSource(tmp_path / "metadata.csv", options),
        HubDatasetSource(str(data / "x.parquet"), options),
    ):
        (file,) = source.files()
        assert file.metadata.kept == (("year", "1999"),), source
        assert not [note for note in source.notes if "not used" in note and "year" in note]


def test_shards_hold_them_after_the_schemas_columns(dataset):
    for path in dataset.glob("data/*.parquet"):
        found, wanted = pq.read_schema(path), arrow_schema(KEPT)
        assert found.names == wanted.names and found.types == wanted.types
        assert found.metadata[b"huggingface"] == wanted.metadata[b"huggingface"]
    loaded = datasets.load_dataset(str(dataset), split="train", cache_dir=str(dataset.parent / "hf"))
    assert loaded.features == features(KEPT)
    assert set(loaded["year"]) - {None} and all(row is None or row[:5] == "year " for row in loaded["year"])


def test_the_dataset_is_valid_and_its_card_names_them(dataset):
    assert validate(dataset) == []
    assert "| `My instruments` | `string` | the user's own column, as given |" in (dataset / "README.md").read_text()


def test_without_the_manifests_word_they_are_unknown_columns(dataset, tmp_path):
    import dataclasses
    import shutil

    from fgmcaps.pipeline.dataset.manifest import write_manifest

    copy = shutil.copytree(dataset, tmp_path / "copy")
    manifest = read_manifest(copy)
    (copy / "manifest.json").unlink()
    write_manifest(copy, dataclasses.replace(manifest, config={}))
    assert any("unknown columns" in str(p) and "year" in str(p) for p in validate(copy))


def test_they_are_published_with_and_without_audio(dataset, tmp_path):
    settings = PublishSettings("user/music", "http://hub/datasets/user/music")
    (tmp_path / "p").mkdir()
    prepare(dataset, tmp_path / "p", settings, TransferProgress())
    assert validate(tmp_path / "p") == []
    for config in ("default", "metadata"):
        loaded = datasets.load_dataset(str(tmp_path / "p"), config, split="train", cache_dir=str(tmp_path / "hf"))
        assert set(KEPT) <= set(loaded.column_names)
    fields = json.loads((tmp_path / "p" / "croissant.json").read_text())["recordSet"]
    assert all({f"{s['name']}/year"} <= {f["@id"] for f in s["field"]} for s in fields if s["name"] != "splits")


def test_they_are_exported(dataset, tmp_path):
    export_dataset(dataset, tmp_path / "csv", EXPORTERS["csv"])
    with (tmp_path / "csv" / "clips.csv").open(newline="") as handle:
        assert {row["year"][:5] for row in csv.DictReader(handle)} == {"", "year "}
    export_dataset(dataset, tmp_path / "wds", EXPORTERS["webdataset"])
    with tarfile.open(next((tmp_path / "wds").glob("train*.tar"))) as tar:
        member = next(m for m in tar if m.name.endswith(".json"))
        assert set(KEPT) <= set(json.load(tar.extractfile(member)))
