"""Pull: what arrives is what was published, or nothing is trusted."""

import json

import pytest
from huggingface_hub import constants

from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.pipeline.dataset.manifest import is_complete
from fgmcaps.pipeline.hub.pull import WORK, local_copy, pull_dataset
from fgmcaps.pipeline.hub.push import push_dataset
from fgmcaps.pipeline.validation.validate import validate
from tests.pipeline.hub.conftest import REPO

pytestmark = pytest.mark.slow  # a server, an upload and a download each


@pytest.fixture
def pushed(hub, small):
    push_dataset(small, REPO)
    hub.log.clear()
    return hub


def fetched_bytes(hub):
    return [request for request in hub.log if request.method == "GET" and "/resolve/" in request.path]


def test_push_and_pull_is_a_round_trip(pushed, tmp_path):
    result = pull_dataset(REPO, tmp_path / "back")
    assert validate(tmp_path / "back") == []
    there = {path.relative_to(tmp_path / "back").as_posix() for path in (tmp_path / "back").rglob("*")}
    there = {path for path in there if (tmp_path / "back" / path).is_file()}
    assert there == set(pushed.tree(REPO)) - {".gitattributes"}
    for path in there:
        assert (tmp_path / "back" / path).read_bytes() == pushed.read(REPO, path)
    assert result.commit == pushed.store.repo(REPO).branches["main"]
    assert push_dataset(tmp_path / "back", REPO).commit is None  # and back again


def test_a_second_pull_fetches_nothing(pushed, tmp_path):
    pull_dataset(REPO, tmp_path / "back")
    pushed.log.clear()
    assert pull_dataset(REPO, tmp_path / "back").fetched == ()
    assert {request.path.rpartition("/")[2] for request in fetched_bytes(pushed)} == {
        "publication.json",
        "manifest.json",
    }


def test_a_broken_pull_is_no_dataset_and_continues(pushed, tmp_path):
    pushed.faults.add(r"GET .*/resolve/.*/data/.*parquet", "status", times=1000, status=503)
    with pytest.raises(MachineError, match="run the same command again"):
        pull_dataset(REPO, tmp_path / "back")
    assert not is_complete(tmp_path / "back")
    assert not (tmp_path / "back" / "manifest.json").exists()
    pushed.faults.waiting.clear()
    result = pull_dataset(REPO, tmp_path / "back")
    assert result.kept
    assert validate(tmp_path / "back") == []
    assert not (tmp_path / "back" / WORK).exists()


@pytest.mark.slow
def test_a_cut_download_goes_on_where_it_broke_off(pushed, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)
    pushed.faults.add(r"GET .*/resolve/.*/data/.*parquet", "cut-download", times=2)
    pull_dataset(REPO, tmp_path / "back")
    assert pushed.faults.happened == 2
    assert 206 in {request.status for request in fetched_bytes(pushed)}
    assert validate(tmp_path / "back") == []


def test_bytes_that_are_not_the_promised_ones_are_refused(pushed, tmp_path):
    entry = next(entry for path, entry in pushed.tree(REPO).items() if path.startswith("data/"))
    stored = pushed.store.path_of(entry)
    data = bytearray(stored.read_bytes())
    data[100] ^= 1
    stored.write_bytes(data)
    with pytest.raises(FgmcapsError, match="other bytes than were published"):
        pull_dataset(REPO, tmp_path / "back")
    assert not (tmp_path / "back" / "manifest.json").exists()


@pytest.mark.slow
def test_a_revision(pushed, larger, tmp_path):
    first = pushed.store.repo(REPO).branches["main"]
    push_dataset(larger, REPO)
    pushed.store.repo(REPO).tags["v1"] = first
    for number, revision in enumerate((first, "v1")):
        assert pull_dataset(REPO, tmp_path / str(number), revision=revision).commit == first
    assert pull_dataset(REPO, tmp_path / "new").commit != first
    with pytest.raises(FgmcapsError, match="another version"):
        pull_dataset(REPO, tmp_path / "0")
    with pytest.raises(FgmcapsError, match="no revision 'v9'"):
        pull_dataset(REPO, tmp_path / "9", revision="v9")


@pytest.mark.slow
def test_an_older_pull_leaves_no_stray_shards(pushed, larger, tmp_path):
    out = tmp_path / "back"
    pushed.faults.add(r"GET .*/resolve/.*/metadata/.*parquet", "status", times=1000, status=503)
    with pytest.raises(MachineError):
        pull_dataset(REPO, out)
    pushed.faults.waiting.clear()
    push_dataset(larger, REPO)
    pull_dataset(REPO, out)
    assert validate(out) == []


def test_what_is_not_ours_is_not_pulled(hub, tmp_path):
    hub.store.create(REPO, private=False)
    with pytest.raises(FgmcapsError, match="not published by `fgmcaps push`"):
        pull_dataset(REPO, tmp_path / "back")
    with pytest.raises(FgmcapsError, match="no such dataset"):
        pull_dataset("user/nothing", tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.slow
def test_a_private_dataset_needs_its_owner(hub, small, tmp_path, monkeypatch):
    push_dataset(small, REPO, private=True)
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    with pytest.raises(FgmcapsError, match="no such dataset"):
        pull_dataset(REPO, tmp_path / "a")
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(FgmcapsError, match="it is private"):
        pull_dataset(REPO, tmp_path / "b")
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    pull_dataset(REPO, tmp_path / "c")


def test_a_folder_with_other_files_is_left_alone(pushed, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    with pytest.raises(FgmcapsError, match=r"not empty \('notes.txt'\)"):
        pull_dataset(REPO, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    with pytest.raises(FgmcapsError, match="is a file"):
        pull_dataset(REPO, tmp_path / "mine" / "notes.txt")


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["../evil.txt", "/etc/evil", "data/../../evil", "data/.hidden", ".bashrc", "data/a/b/c.parquet", "data//x"]
)
def test_a_hostile_publication_writes_nowhere_else(pushed, tmp_path, path):
    publication = json.loads(pushed.read(REPO, "publication.json"))
    publication["files"].append({"path": path, "bytes": 1, "sha256": "0" * 64})
    pushed.write(REPO, {"publication.json": json.dumps(publication).encode()})
    with pytest.raises(FgmcapsError, match="which no publication has"):
        pull_dataset(REPO, tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p, m: next(f for f in p["files"] if f["path"].startswith("data/")).update(sha256="0" * 64), "disagree"),
        (lambda p, m: p.update(schema_version="9.0"), "schema version 9.0"),
        (lambda p, m: p.pop("files") and p.update(files="all"), "not a valid Publication"),
        (lambda p, m: p["files"][0].update(bytes=10**15), "missing or changed"),
        (lambda p, m: m.pop("counts"), "not a valid Manifest"),
    ],
)
def test_a_publication_changed_by_hand(pushed, tmp_path, change, said):
    publication = json.loads(pushed.read(REPO, "publication.json"))
    manifest = json.loads(pushed.read(REPO, "manifest.json"))
    before = json.dumps(manifest)
    change(publication, manifest)
    changed = {"manifest.json": json.dumps(manifest).encode()} if json.dumps(manifest) != before else {}
    pushed.write(REPO, {"publication.json": json.dumps(publication).encode(), **changed})
    with pytest.raises(FgmcapsError, match=said):
        pull_dataset(REPO, tmp_path / "back")


def test_a_local_copy_of_an_address(pushed, tmp_path):
    with local_copy(f"hf://{REPO}") as folder:
        assert validate(folder) == []
    assert not folder.exists()
    with local_copy(f"hf://datasets/{REPO}@main") as folder:
        assert is_complete(folder)
    with local_copy(str(tmp_path)) as folder:
        assert folder == tmp_path
    with pytest.raises(FgmcapsError, match="hf://user/name"), local_copy("hf://nothing"):
        pass
