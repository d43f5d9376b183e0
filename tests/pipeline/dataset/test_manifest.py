"""The manifest: last, once, and the only thing that readers trust."""

import dataclasses
import json

import pytest

from fgmcaps.pipeline.dataset.manifest import (
    ManifestError,
    is_complete,
    manifest_bytes,
    read_manifest,
    verify_shards,
    write_manifest,
)
from fgmcaps.schemas import Counts, Manifest, ShardFile


def test_it_comes_back(good_dataset):
    manifest = read_manifest(good_dataset)
    assert manifest_bytes(manifest) == (good_dataset / "manifest.json").read_bytes()
    assert manifest.counts.clips_found == manifest.counts.rows + manifest.counts.failed + manifest.counts.filtered


def test_a_whole_dataset_is_complete_and_verified(good_dataset):
    assert is_complete(good_dataset)
    assert list(verify_shards(good_dataset, read_manifest(good_dataset))) == []


def test_writing_the_same_again_changes_nothing(dataset):
    before = (dataset / "manifest.json").stat()
    write_manifest(dataset, read_manifest(dataset))
    after = (dataset / "manifest.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_another_manifest_is_never_written_over(dataset):
    other = dataclasses.replace(read_manifest(dataset), fingerprint="1" * 64)
    with pytest.raises(ManifestError, match="different manifest"):
        write_manifest(dataset, other)
    assert read_manifest(dataset).fingerprint == "0" * 64


def test_it_is_not_written_before_its_shards(tmp_path):
    shard = ShardFile("data/train-00000-of-00001.parquet", "train", 1, 10, "0" * 64)
    with pytest.raises(ManifestError, match="cannot be read"):
        write_manifest(tmp_path, Manifest("1.0", "0", {}, Counts(1, 0, 1, 1, 1, 0, 0), (shard,), ()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("break_it", "complete", "message"),
    [
        (lambda path: path.unlink(), False, "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), False, "bytes, the manifest says"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"), True, "SHA-256"),
    ],
)
def test_a_damaged_shard_is_found(dataset, break_it, complete, message):
    manifest = read_manifest(dataset)
    break_it(dataset / manifest.shards[1].path)
    assert is_complete(dataset) == complete
    ((shard, problem),) = verify_shards(dataset, manifest)
    assert shard == manifest.shards[1]
    assert message in problem


def test_a_path_out_of_the_folder_is_not_followed(dataset):
    manifest = read_manifest(dataset)
    outside = dataclasses.replace(manifest.shards[0], path="../../etc/hostname")
    ((_, problem),) = verify_shards(dataset, dataclasses.replace(manifest, shards=(outside,)))
    assert "leaves" in problem


def test_an_unfinished_folder_says_so(tmp_path):
    assert not is_complete(tmp_path)
    with pytest.raises(ManifestError, match="has not finished; run the same build again"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": "1.0"}', "\xff"])
def test_a_broken_manifest_is_refused_by_name(dataset, text):
    (dataset / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        read_manifest(dataset)
    assert not is_complete(dataset)


def test_a_newer_schema_is_refused_with_both_versions(dataset):
    data = json.loads((dataset / "manifest.json").read_text())
    (dataset / "manifest.json").write_text(json.dumps({**data, "schema_version": "9.0"}))
    with pytest.raises(ManifestError, match=r"9\.0.*2\.0"):
        read_manifest(dataset)
