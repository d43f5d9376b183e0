"""Push against the server: what is sent, what is refused, what a reader sees."""

import json
import threading

import pytest
from huggingface_hub import HfApi, get_token

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.hub.push import STAGING, push_dataset
from tests.pipeline.hub.conftest import REPO

pytestmark = pytest.mark.slow  # a server, an upload and a download each


def published(hub, revision="main"):
    return {path for path in hub.tree(REPO, revision) if path != ".gitattributes"}


class Recorded(TransferProgress):
    def __init__(self):
        self.stages, self.done = [], {}

    def stage(self, title, total):
        self.stages.append((title, total))
        self.done[title] = 0

    def advance(self, count):
        self.done[self.stages[-1][0]] += count


def test_one_commit_then_none(hub, small):
    progress = Recorded()
    result = push_dataset(small, REPO, progress=progress)
    assert hub.commits(REPO) == ["Publish 6 clips with FGMCaps", "initial commit"]
    assert result.commit == hub.store.repo(REPO).branches["main"]
    for file in result.plan.send:
        assert hub.tree(REPO)[file.published.path].size == file.published.bytes
    assert [title for title, _ in progress.stages] == ["Preparing", "Sending"]
    assert all(progress.done[title] == total for title, total in progress.stages)
    assert any(request.path.endswith("/part/2") for request in hub.log)  # both ways of uploading were used
    hub.log.clear()
    again = push_dataset(small, REPO)
    assert again.commit is None
    assert again.plan.empty
    assert len(hub.commits(REPO)) == 2
    assert {request.method for request in hub.log} <= {"GET", "HEAD"}
    assert not (small / STAGING).exists()


def test_a_damaged_last_shard_publishes_nothing_of_the_others(hub, small):
    shards = read_manifest(small).shards
    assert len(shards) > 1
    path = small / shards[-1].path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(FgmcapsError, match=rf"{path.name}: its SHA-256 .* nothing was published"):
        push_dataset(small, REPO)
    assert hub.commits(REPO) == ["initial commit"]
    assert published(hub) == set()


@pytest.mark.slow
def test_the_next_version_sends_what_is_new_and_deletes_what_is_stale(hub, small, larger):
    push_dataset(small, REPO)
    stale = {path for path in published(hub) if path.startswith("data/")}
    hub.write(REPO, {"LICENSE": b"theirs"})
    hub.log.clear()
    result = push_dataset(larger, REPO)
    assert set(result.plan.delete) == stale
    new = {shard.path for shard in read_manifest(larger).shards}
    assert {path for path in published(hub) if path.startswith("data/")} == new
    assert hub.read(REPO, "LICENSE") == b"theirs"
    sent = sum(request.received for request in hub.uploads())
    large = sum(file.published.bytes for file in result.plan.send if file.published.path.endswith((".parquet", ".png")))
    assert sent == large
    assert "failures/failed.jsonl" in {file.published.path for file in result.plan.unchanged}


def test_a_dry_run_writes_nothing_anywhere(hub, small):
    result = push_dataset(small, REPO, dry_run=True)
    assert result.dry_run
    assert len(result.plan.send) == len(result.publication.files) + 1
    assert hub.store.repos == {}
    assert {request.method for request in hub.log} == {"GET"}


def test_private_and_branch(hub, small):
    push_dataset(small, REPO, private=True, revision="v2")
    assert hub.store.repo(REPO).private
    assert hub.commits(REPO, "v2")[0].startswith("Publish 6 clips")
    assert published(hub, "main") == set()
    assert push_dataset(small, REPO, revision="v2", private=True).commit is None


def test_private_is_not_promised_for_a_public_repository(hub, small):
    push_dataset(small, REPO)
    with pytest.raises(FgmcapsError, match="is public"):
        push_dataset(small, REPO, private=True)


def test_other_content_is_refused_unless_replaced(hub, small):
    hub.store.create(REPO, private=False)
    hub.write(REPO, {"thesis.pdf": b"work of years", "README.md": b"# mine"})
    with pytest.raises(FgmcapsError, match=r"other content \(it holds 'README.md' and 1 more files\).*--replace"):
        push_dataset(small, REPO)
    assert published(hub) == {"thesis.pdf", "README.md"}
    result = push_dataset(small, REPO, replace=True)
    assert "thesis.pdf" in result.plan.delete
    assert "thesis.pdf" not in published(hub)


def test_a_publication_that_is_none_of_ours_is_refused(hub, small):
    hub.store.create(REPO, private=False)
    hub.write(REPO, {"publication.json": b'{"title": "a paper"}', "manifest.json": b"{}"})
    with pytest.raises(FgmcapsError, match=r"publication\.json was not written by fgmcaps"):
        push_dataset(small, REPO)


def test_an_unfinished_dataset_is_refused_before_any_request(hub, small):
    (small / "manifest.json").unlink()
    with pytest.raises(FgmcapsError, match="not a finished dataset"):
        push_dataset(small, REPO)
    assert hub.log == []


@pytest.mark.parametrize(
    ("token", "repo", "said"),
    [
        ("", REPO, "not logged in"),
        ("hf_expired", REPO, "does not accept the token"),
        ("hf_reader", REPO, "no rights"),
        ("hf_other", REPO, "no rights"),
    ],
)
def test_who_may_not_push_gets_one_line(hub, small, monkeypatch, token, repo, said):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(FgmcapsError, match=said) as caught:
        push_dataset(small, repo)
    assert "\n" not in str(caught.value)
    assert not token or token not in str(caught.value)
    assert hub.store.repos == {} or published(hub) == set()


def test_the_token_appears_in_no_log(hub, small, caplog):
    caplog.set_level("DEBUG")
    push_dataset(small, REPO)
    assert get_token() == "hf_writer"
    assert "hf_writer" not in caplog.text


@pytest.mark.parametrize("name", ["music", "user/../x", "a/b/c", "user/mu sic", "", "user/--x"])
def test_a_bad_repository_name(hub, small, name):
    with pytest.raises(FgmcapsError, match="not a repository name"):
        push_dataset(small, name)
    assert hub.log == []


@pytest.mark.parametrize("name", ["metadata", "a b", "", "x" * 65, "../x"])
def test_a_bad_configuration_name(hub, small, name):
    with pytest.raises(FgmcapsError, match="configuration name"):
        push_dataset(small, REPO, config_name=name)


def test_an_assumed_licence_must_allow_in_public_and_is_free_in_private(hub, small):
    with pytest.raises(FgmcapsError, match="public repository needs a licence"):
        push_dataset(small, REPO, assumed_licence="own recordings")
    result = push_dataset(small, REPO, assumed_licence="own recordings", private=True)
    assert result.publication.audio_rows == 6
    assert b"own recordings" in hub.read(REPO, "README.md")


@pytest.mark.slow
def test_a_gitignore_cannot_drop_shards(hub, small):
    push_dataset(small, REPO, audio="none")
    hub.write(REPO, {".gitignore": b"data/\n*.parquet\n"})
    push_dataset(small, REPO)
    assert {shard.path for shard in read_manifest(small).shards} <= published(hub)


def test_one_push_at_a_time(hub, small):
    entered, leave = threading.Event(), threading.Event()

    class Waiting(TransferProgress):
        def stage(self, title, total):
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=lambda: push_dataset(small, REPO, progress=Waiting()))
    thread.start()
    assert entered.wait(30)
    try:
        with pytest.raises(FgmcapsError, match="another push"):
            push_dataset(small, REPO)
    finally:
        leave.set()
        thread.join()


@pytest.mark.slow
def test_a_reader_sees_the_old_dataset_or_the_new_one(hub, small, larger):
    push_dataset(small, REPO)
    api, seen, broken, stop = HfApi(), set(), [], threading.Event()

    def look():
        while not stop.is_set():
            sha = api.dataset_info(REPO).sha
            tree = {
                entry.path: entry
                for entry in api.list_repo_tree(REPO, recursive=True, revision=sha, repo_type="dataset")
            }
            manifest = json.loads(hub.read(REPO, "manifest.json", sha))
            shards = {shard["path"]: shard["sha256"] for shard in manifest["shards"]}
            there = {path: entry.lfs.sha256 for path, entry in tree.items() if path.startswith("data/") and entry.lfs}
            if shards != there:
                broken.append(sha)
            seen.add(sha)

    reader = threading.Thread(target=look)
    reader.start()
    for version in (larger, small, larger):
        push_dataset(version, REPO)
    stop.set()
    reader.join()
    assert not broken
    assert 2 <= len(seen) <= 4
