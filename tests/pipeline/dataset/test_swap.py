"""Publication is all or nothing: whoever reads, at whatever moment, sees the old dataset or the new one."""

import dataclasses
import hashlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from datasets import load_dataset

from fgmcaps.pipeline.dataset.failures import read_failures
from fgmcaps.pipeline.dataset.manifest import ManifestError, manifest_bytes, read_manifest, verify_shards
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.dataset.swap import Publication, assemble, describe, find_shard, folder_for, swap_in
from fgmcaps.pipeline.hub.prepare import PublishSettings, prepare
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.validation.validate import validate
from fgmcaps.schemas import Manifest
from tests.factories import build_dataset, make_letters

CHANGES = ("os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "shutil.copyfile")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two versions of one dataset: the second has more tracks, hence other shards under some of the same names."""
    folder = tmp_path_factory.mktemp("versions")
    build_dataset(folder / "old", tracks=5, clips=1, audio="none")
    new = build_dataset(folder / "new", tracks=8, clips=1, audio="none")
    common = {s.path: s.sha256 for s in read_manifest(folder / "old").shards}
    assert any(common.get(s.path, s.sha256) != s.sha256 for s in new.shards)
    return folder / "old", folder / "new"


def staged(out: Path, version: Path) -> tuple[Path, Publication]:
    """The shards of ``version`` in the staging folder of ``out``, and what is published with them."""
    staging, manifest = out / ".fgmcaps" / "staging", read_manifest(version)
    assemble(staging, [(shard, version / shard.path) for shard in manifest.shards])
    return staging, describe(staging, manifest, folder_for(out, manifest.shards), make_letters())


def publish(out: Path, version: Path) -> Manifest:
    staging, new = staged(out, version)
    swap_in(out, staging, new)
    shutil.rmtree(staging)
    return new.manifest


def damage(path: Path) -> None:
    """Other bytes under the same name; the file that it may be a link to stays as it is."""
    path.unlink()
    path.write_bytes(b"damage")


def state(out: Path) -> dict[str, str]:
    """Every file of a dataset with its SHA-256."""
    files = (p for p in out.rglob("*") if p.is_file() and ".fgmcaps" not in p.parts)
    return {p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def ids(version: Path) -> set[str]:
    return {row["id"] for _, row in iter_rows(version, read_manifest(version), ["id"])}


def ids_by_card(out: Path) -> set[str]:
    """The rows that the patterns of the card select, as many in each split as it declares."""
    _, head, _ = (out / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    data = yaml.safe_load(head)
    declared = {split["name"]: split["num_examples"] for split in data["dataset_info"]["splits"]}
    rows = {
        each["split"]: [i for path in sorted(out.glob(each["path"])) for i in pq.read_table(path, columns=["id"])["id"]]
        for each in data["configs"][0]["data_files"]
    }
    assert {split: len(found) for split, found in rows.items()} == declared
    return {str(i) for found in rows.values() for i in found}


def test_the_first_version_lies_in_data_under_the_names_of_the_shards(tmp_path, versions):
    old, _ = versions
    publish(tmp_path / "out", old)
    assert state(tmp_path / "out") == state(old)


def test_another_version_gets_a_folder_of_its_own_and_the_old_files_go(tmp_path, versions):
    (old, new), out = versions, tmp_path / "out"
    publish(out, old)
    manifest = publish(out, new)
    assert read_manifest(out) == manifest
    (folder,) = {Path(shard.path).parent.as_posix() for shard in manifest.shards}
    assert folder.startswith("data/") and folder != "data"
    assert {p.name for p in (out / "data").iterdir()} == {Path(folder).name}
    assert sorted(p.name for p in (out / folder).iterdir()) == sorted(Path(s.path).name for s in manifest.shards)
    assert ids(out) == ids(new) == ids_by_card(out)
    assert [letter.reason for letter in read_failures(out)] == [letter.reason for letter in read_failures(new)]
    assert validate(out) == []


def test_load_dataset_reads_a_version_that_replaced_another(tmp_path, versions):
    (old, new), out = versions, tmp_path / "out"
    publish(out, old)
    publish(out, new)
    loaded = load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert {i for rows in loaded.values() for i in rows["id"]} == ids(new)
    files = {"train": str(out / "data" / "**" / "train-*.parquet")}
    by_pattern = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert sorted(by_pattern["id"]) == sorted(loaded["train"]["id"])


@pytest.mark.slow
def test_a_version_that_replaced_another_is_pushed_like_a_first_one(tmp_path, versions):
    (old, new), out = versions, tmp_path / "out"
    publish(out, old)
    publish(out, new)
    pushed = []
    for name, dataset in (("first", new), ("replaced", out)):
        (tmp_path / name).mkdir()
        settings = PublishSettings("user/music", "https://hub.example/datasets/user/music")
        pushed.append(prepare(dataset, tmp_path / name, settings, TransferProgress()))
    first, replaced = pushed
    assert first.publication.files == replaced.publication.files
    assert validate(tmp_path / "replaced") == []


def test_a_version_with_the_same_shards_leaves_them_alone(tmp_path, versions):
    (old, new), out = versions, tmp_path / "out"
    publish(out, old)
    before = publish(out, new)
    inodes = {s.path: (out / s.path).stat().st_ino for s in before.shards}
    staging, again = staged(out, new)
    other = dataclasses.replace(again, manifest=dataclasses.replace(again.manifest, fingerprint="1" * 64))
    swap_in(out, staging, other)
    assert read_manifest(out).fingerprint == "1" * 64
    assert {s.path: (out / s.path).stat().st_ino for s in read_manifest(out).shards} == inodes


def test_damaged_and_missing_published_shards_are_put_back(tmp_path, versions):
    (old, _), out = versions, tmp_path / "out"
    manifest = publish(out, old)
    first, second = (out / shard.path for shard in manifest.shards[:2])
    first.unlink()
    damage(second)
    publish(out, old)
    assert state(out) == state(old)


def test_stray_files_are_not_published(tmp_path, versions):
    (old, _), out = versions, tmp_path / "out"
    for stray in ("data/train-00007-of-00009.parquet", "data/sub/x", ".fgmcaps/staging/data/.train.tmp"):
        (out / stray).parent.mkdir(parents=True, exist_ok=True)
        (out / stray).touch()
    publish(out, old)
    assert state(out) == state(old)


def test_a_file_system_without_links_copies(tmp_path, versions, monkeypatch):
    (old, new), out = versions, tmp_path / "out"

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    publish(out, old)
    publish(out, new)
    assert validate(out) == [] and ids(out) == ids(new)


def test_without_a_readable_manifest_nothing_published_is_touched_until_the_new_one_is_there(tmp_path, versions):
    (old, new), out = versions, tmp_path / "out"
    publish(out, old)
    (out / "manifest.json").write_text('{"schema_version": "9.0"}')  # of a program that is newer than this one
    folder = folder_for(out, read_manifest(new).shards)
    assert folder.startswith("data/")


def kills(work: Callable[[], object]) -> Iterator[int]:
    """Run ``work`` in child processes that are killed before the first change to the disk, the second, and so on.

    Yields how many changes each was allowed to make, right after its end; the last child ends by itself.
    """
    for allowed in count():
        pid = os.fork()
        if not pid:
            made = 0

            def before_a_change(event: str, args: tuple[object, ...], allowed: int = allowed) -> None:
                nonlocal made
                if event in CHANGES or (event == "open" and isinstance(args[2], int) and args[2] & WRITING):
                    if made == allowed:
                        os.kill(os.getpid(), signal.SIGKILL)
                    made += 1

            sys.addaudithook(before_a_change)
            try:
                work()
            finally:
                os._exit(0 if sys.exc_info()[0] is None else 1)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
        yield allowed
        if not os.WIFSIGNALED(status):
            return


def finish(out: Path, version: Path) -> None:
    """Publish again after a kill, from what is left on disk alone."""
    staging, manifest = out / ".fgmcaps" / "staging", read_manifest(version)
    found = [(shard, find_shard(out, staging, shard)) for shard in manifest.shards]
    assert all(file is not None for _, file in found), "a shard was lost"
    assemble(staging, [(shard, file) for shard, file in found if file is not None])
    swap_in(out, staging, describe(staging, manifest, folder_for(out, manifest.shards), make_letters()))
    shutil.rmtree(staging)


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_the_old_version_or_the_new_and_again_gives_the_new(tmp_path, versions):
    (old, new), begun, out = versions, tmp_path / "begun", tmp_path / "out"
    publish(begun, old)
    staging, publication = staged(begun, new)
    kept = {shard.path for shard in read_manifest(new).shards} & set(state(begun))
    unchanged = [path for path in kept if state(begun)[path] == state(new)[path]]
    assert unchanged, "some shards must be the same, so that they are linked from the published ones"
    for path in unchanged:
        (staging / path).unlink()
    shutil.copytree(begun, tmp_path / "goal")
    finish(tmp_path / "goal", new)
    goal = state(tmp_path / "goal")
    staging = out / ".fgmcaps" / "staging"
    shutil.copytree(begun, out)

    def swap() -> None:
        shards = [(shard, find_shard(out, staging, shard)) for shard in read_manifest(new).shards]
        assemble(staging, [(shard, file) for shard, file in shards if file is not None])
        swap_in(out, staging, publication)

    by_manifest, by_card = [], []
    for _ in kills(swap):
        manifest = read_manifest(out)
        assert list(verify_shards(out, manifest)) == []
        by_manifest.append(ids(out))
        by_card.append(ids_by_card(out))
        finish(out, new)
        assert state(out) == goal
        shutil.rmtree(out)
        shutil.copytree(begun, out)
    assert len(by_manifest) > 20
    for seen in (by_manifest, by_card):
        switch = seen.index(ids(new))
        assert 0 < switch < len(seen) - 1
        assert all(rows == ids(old) for rows in seen[:switch]) and all(rows == ids(new) for rows in seen[switch:])


@pytest.mark.slow
def test_a_kill_in_the_first_publication_leaves_nothing_to_read_or_all(tmp_path, versions):
    (old, _), begun, out = versions, tmp_path / "begun", tmp_path / "out"
    staging, publication = staged(begun, old)
    staging = out / ".fgmcaps" / "staging"
    shutil.copytree(begun, out)
    outcomes = set()
    for _ in kills(lambda: swap_in(out, staging, publication)):
        try:
            assert list(verify_shards(out, read_manifest(out))) == []
            outcomes.add("whole")
        except ManifestError:
            outcomes.add("unfinished")
        finish(out, old)
        assert state(out) == state(old)
        shutil.rmtree(out)
        shutil.copytree(begun, out)
    assert outcomes == {"whole", "unfinished"}


def stamp(path: Path) -> tuple[int, int]:
    """Changes with every replacement, also by the same bytes."""
    info = path.stat()
    return info.st_ino, info.st_mtime_ns


class Reader(threading.Thread):
    """Reads a dataset over and over, by its manifest and by its card; keeps what is wrong and the versions it saw."""

    def __init__(self, out: Path) -> None:
        super().__init__(daemon=True)
        self.out, self.stop = out, threading.Event()
        self.wrong: list[str] = []
        self.seen: set[frozenset[str]] = set()

    def run(self) -> None:
        while not self.stop.is_set():
            self.look("manifest.json", self.by_manifest)
            self.look("README.md", lambda: ids_by_card(self.out))

    def look(self, name: str, read: Callable[[], set[str]]) -> None:
        """What fails while ``name`` stays the same is wrong; where it was replaced, there is a new one to read."""
        before = stamp(self.out / name)
        try:
            self.seen.add(frozenset(read()))
        except (OSError, ValueError, AssertionError) as error:
            if stamp(self.out / name) == before:
                self.wrong.append(f"{name}: {error!r}")

    def by_manifest(self) -> set[str]:
        manifest = read_manifest(self.out)
        for shard, problem in verify_shards(self.out, manifest):
            if "cannot be read" not in problem:
                self.wrong.append(f"{shard.path} has other bytes: {problem}")
            raise ValueError(problem)
        return {row["id"] for _, row in iter_rows(self.out, manifest, ["id"])}


def test_a_reader_beside_it_sees_one_version_or_the_other(tmp_path, versions):
    out = tmp_path / "out"
    ready = []
    for version in versions:
        publish(out, version)
    for version in versions:  # each in its lasting place: the first version has left ``data``
        shards = read_manifest(version).shards
        ready.append((staged(out, version), [(shard, version / shard.path) for shard in shards]))
    reader = Reader(out)
    reader.start()
    for _ in range(15):
        for (staging, publication), shards in ready:
            assemble(staging, shards)
            swap_in(out, staging, publication)
    reader.stop.set()
    reader.join()
    assert not reader.wrong
    assert reader.seen == {frozenset(ids(version)) for version in versions}


def test_a_swap_that_is_not_atomic_is_noticed(tmp_path, versions):
    """The reader of these tests would see a version that is half there."""
    old, out = versions[0], tmp_path / "out"
    publish(out, old)
    reader = Reader(out)
    damage(out / read_manifest(out).shards[0].path)
    reader.look("manifest.json", reader.by_manifest)
    assert len(reader.wrong) == 2


def test_equal_manifests_whatever_was_there_before(tmp_path, versions):
    old, new = versions
    publish(tmp_path / "a", old)
    publish(tmp_path / "a", new)
    publish(tmp_path / "b", old)
    publish(tmp_path / "b", new)
    assert manifest_bytes(read_manifest(tmp_path / "a")) == manifest_bytes(read_manifest(tmp_path / "b"))
