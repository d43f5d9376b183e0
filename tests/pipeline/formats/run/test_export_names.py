"""Ids and splits become file names: a dataset that was changed writes nowhere but into DEST."""

import dataclasses
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.common.fingerprints import sha256_of
from fgmcaps.pipeline.dataset.manifest import read_manifest, write_manifest
from fgmcaps.pipeline.formats.registry import EXPORTERS
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset
from tests.factories import build_dataset


def with_id(out, name):
    """The dataset with another id in its first row, its checksums right."""
    manifest = read_manifest(out)
    shard = next(s for s in manifest.shards if s.rows)
    table = pq.read_table(out / shard.path)
    rows = table.to_pylist()
    rows[0]["id"] = name
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), out / shard.path)
    path = out / shard.path
    changed = dataclasses.replace(shard, bytes=path.stat().st_size, sha256=sha256_of(path))
    shards = tuple(changed if s == shard else s for s in manifest.shards)
    write_manifest(out, dataclasses.replace(manifest, shards=shards), replace=True)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("dataset") / "out"
    build_dataset(out, tracks=4, clips=1)
    return out


@pytest.mark.parametrize("name", ["../../evil", "/abs/evil", "a\0b", "", "..", "0" * 16 + "-0000000/"])
@pytest.mark.parametrize("layout", sorted(EXPORTERS))
def test_an_id_that_is_a_path_ends_the_export(tmp_path, dataset, layout, name):
    shutil.copytree(dataset, tmp_path / "out")
    with_id(tmp_path / "out", name)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(InvalidDataError):
        export_dataset(tmp_path / "out", tmp_path / "dest", EXPORTERS[layout], splits=("validation",))
    assert set(tmp_path.rglob("*")) == before
