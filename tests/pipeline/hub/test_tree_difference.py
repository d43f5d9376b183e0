"""The difference of two trees, by hand-made listings."""

import hashlib

from fgmcaps.pipeline.hub.publication import LocalFile, PublishedFile
from fgmcaps.pipeline.hub.tree_difference import RemoteFile, foreign_files, git_blob, is_ours, make_plan, managed


def local(tmp_path, path, data):
    target = tmp_path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return LocalFile(PublishedFile(path, len(data), hashlib.sha256(data).hexdigest()), target)


def test_git_blob_is_gits(tmp_path):
    # `printf 'hello\n' | git hash-object --stdin`
    assert git_blob(local(tmp_path, "a", b"hello\n")) == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_only_what_differs_is_sent_and_only_ours_is_deleted(tmp_path):
    same_large = local(tmp_path, "data/train-00000-of-00001.parquet", b"rows")
    same_small = local(tmp_path, "README.md", b"hello\n")
    changed = local(tmp_path, "manifest.json", b"new")
    resized = local(tmp_path, "croissant.json", b"longer")
    new = local(tmp_path, "plots/key.png", b"png")
    remote = {
        file.path: file
        for file in (
            RemoteFile("data/train-00000-of-00001.parquet", 4, "x", same_large.published.sha256),
            RemoteFile("README.md", 6, "ce013625030ba8dba906f756967f9e9ca394464a"),
            RemoteFile("manifest.json", 3, "0" * 40),
            RemoteFile("croissant.json", 3, "1" * 40),
            RemoteFile("data/train-00000-of-00002.parquet", 4, "y", "2" * 64),
            RemoteFile("LICENSE", 9, "3" * 40),
            RemoteFile(".gitattributes", 9, "4" * 40),
        )
    }
    plan = make_plan([same_large, same_small, changed, resized, new], remote)
    assert [file.published.path for file in plan.send] == ["croissant.json", "manifest.json", "plots/key.png"]
    assert [file.published.path for file in plan.unchanged] == ["README.md", "data/train-00000-of-00001.parquet"]
    assert plan.delete == ("data/train-00000-of-00002.parquet",)
    assert plan.bytes == 12
    everything = make_plan([same_large], remote, everything=True)
    assert "LICENSE" in everything.delete
    assert ".gitattributes" not in everything.delete


def test_a_file_of_the_same_size_with_other_bytes_is_sent(tmp_path):
    file = local(tmp_path, "data/train-00000-of-00001.parquet", b"rows")
    assert make_plan([file], {file.published.path: RemoteFile(file.published.path, 4, "x", "0" * 64)}).send == (file,)


def test_an_empty_plan(tmp_path):
    file = local(tmp_path, "README.md", b"hello\n")
    remote = {"README.md": RemoteFile("README.md", 6, git_blob(file))}
    assert make_plan([file], remote).empty


def test_who_owns_which_path():
    ours = ["README.md", "data/a.parquet", "metadata/train.parquet", "plots/key.png", "failures/failed.jsonl"]
    theirs = ["LICENSE", ".gitattributes", "database/x", "docs/README.md", "report.html"]
    assert all(map(is_ours, ours))
    assert not any(map(is_ours, theirs))
    tree = {path: RemoteFile(path, 1, "x") for path in [*ours, *theirs]}
    assert sorted(managed(tree)) == sorted(ours)
    assert ".gitattributes" not in foreign_files(tree)
