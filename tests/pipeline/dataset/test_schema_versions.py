"""Datasets of schema version 1 (without the column ``fused``) go through every door that reads."""

import shutil

import pyarrow.parquet as pq
import pytest

from fgmcaps.pipeline.dataset.stats import collect_stats
from fgmcaps.pipeline.formats.registry import EXPORTERS
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset
from fgmcaps.pipeline.hub.prepare import PublishSettings, prepare
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.report import write_report
from fgmcaps.pipeline.validation.validate import validate
from fgmcaps.schemas.arrow import columns_with
from fgmcaps.training.data.dataset import load_rows
from tests.factories import build_dataset


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    out = tmp_path_factory.mktemp("old") / "out"
    build_dataset(out, tracks=6, clips=1, version="1.0")
    return out


def test_version_1_lacks_one_column():
    new, old = ({column.name for column in columns_with(version=version)} for version in ("2.0", "1.0"))
    assert new - old == {"fused"} and not old - new


def test_it_is_valid(old):
    assert validate(old) == []
    assert "fused" not in pq.read_schema(next(old.glob("data/*.parquet"))).names


def test_a_shard_of_the_other_version_is_a_problem(old, tmp_path):
    copy = shutil.copytree(old, tmp_path / "copy")
    text = (copy / "manifest.json").read_text().replace('"schema_version": "1.0"', '"schema_version": "2.0"')
    (copy / "manifest.json").write_text(text)
    assert {problem.rule for problem in validate(copy)} >= {"schema", "schema-version"}


def test_it_is_counted_reported_exported_and_read_by_the_retriever(old, tmp_path):
    assert collect_stats(old).rows == 6
    assert write_report(old).is_file()
    for name in ("csv", "jams", "webdataset"):
        export_dataset(old, tmp_path / name, EXPORTERS[name])
    assert len(load_rows(str(old))) == 6


@pytest.mark.parametrize("licence", [None, "CC-BY-4.0"])
def test_it_is_published_as_it_is(old, tmp_path, licence):
    (tmp_path / "p").mkdir()
    settings = PublishSettings("user/music", "http://hub/datasets/user/music", assumed_licence=licence)
    prepare(old, tmp_path / "p", settings, TransferProgress())
    assert validate(tmp_path / "p") == []
    for path in (tmp_path / "p").rglob("*.parquet"):
        assert "fused" not in pq.read_schema(path).names
