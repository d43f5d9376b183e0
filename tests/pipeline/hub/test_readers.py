"""A published dataset as its users read it: real programs in their own processes, against the server."""

import json

import pytest

from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.hub.push import push_dataset
from tests.pipeline.hub.conftest import REPO

pytestmark = pytest.mark.slow

LOAD = """
import json, sys
from datasets import Audio, get_dataset_config_names, load_dataset
name = sys.argv[1]
out = {"configs": get_dataset_config_names(name)}
plain = load_dataset(name)
out["splits"] = {split: len(rows) for split, rows in plain.items()}
rows = plain["train"].cast_column("audio", Audio(decode=False))
out["audio"] = {row["id"]: len(row["audio"]["bytes"]) if row["audio"] else None for row in rows}
light = load_dataset(name, "metadata", split="train")
out["light"] = {"ids": light["id"][:], "columns": light.column_names}
stream = load_dataset(name, split="validation", streaming=True).cast_column("audio", Audio(decode=False))
out["streamed"] = [[row["id"], row["caption"]] for row in stream]
out["light_streamed"] = [row["id"] for row in load_dataset(name, "metadata", split="train", streaming=True)]
print(json.dumps(out))
"""


@pytest.fixture
def pushed(hub, small):
    push_dataset(small, REPO)
    return hub


def ids_by_split(out):
    ids = {}
    for shard, row in iter_rows(out, read_manifest(out)):
        ids.setdefault(shard.split, []).append(row["id"])
    return ids


def test_load_dataset_plain_streaming_by_split_and_by_configuration(pushed, small, shell):
    done = shell("python", "-c", LOAD, REPO)
    assert done.returncode == 0, done.stderr
    got, wanted = json.loads(done.stdout.splitlines()[-1]), ids_by_split(small)
    assert got["configs"] == ["default", "metadata"]
    assert got["splits"] == {split: len(ids) for split, ids in wanted.items()}
    rows = {row["id"]: row for _, row in iter_rows(small, read_manifest(small))}
    for identifier, size in got["audio"].items():
        assert (size is not None) == (rows[identifier]["licence"] == "CC-BY-4.0")
    assert got["light"]["ids"] == wanted["train"] == got["light_streamed"]
    assert "audio" not in got["light"]["columns"]
    assert [identifier for identifier, _ in got["streamed"]] == wanted["validation"]
    assert all(rows[identifier]["caption"] == caption for identifier, caption in got["streamed"])


def test_a_dataset_without_audio_loads_by_its_name_alone(hub, small, shell):
    push_dataset(small, REPO, audio="none")
    code = (
        "import sys; from datasets import load_dataset; d = load_dataset(sys.argv[1]); print(d['train'].column_names)"
    )
    done = shell("python", "-c", code, REPO)
    assert done.returncode == 0, done.stderr
    assert "'caption'" in done.stdout
    assert "'audio'" not in done.stdout


def test_hf_download(pushed, shell, tmp_path):
    done = shell("hf", "download", REPO, "--repo-type", "dataset", "--local-dir", tmp_path / "got")
    assert done.returncode == 0, done.stderr
    for path in pushed.tree(REPO):
        assert (tmp_path / "got" / path).read_bytes() == pushed.read(REPO, path)


def test_push_to_hub_of_the_datasets_library_works_on_the_same_server(hub, shell):
    """The server is no mirror of our own client: another real writer agrees with it."""
    code = (
        "import sys; from datasets import Dataset, load_dataset; "
        "Dataset.from_dict({'a': list(range(10))}).push_to_hub(sys.argv[1]); "
        "print(sum(load_dataset(sys.argv[1], split='train')['a']))"
    )
    done = shell("python", "-c", code, "user/theirs")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "45"


def test_the_commands(hub, small, shell, tmp_path):
    dry = shell("fgmcaps", "push", small, REPO, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "would send" in dry.stdout
    assert "data/train-00000-of-00001.parquet" in dry.stdout
    assert hub.store.repos == {}
    first = shell("fgmcaps", "push", small, REPO)
    assert first.returncode == 0, first.stderr
    assert "6 clips, 3 with audio, 3 whose licence keeps the audio back" in first.stdout
    assert "Sending: " in first.stderr
    again = shell("fgmcaps", "push", small, REPO, "--quiet")
    assert "nothing to do" in again.stdout
    assert again.stderr == ""
    pulled = shell("fgmcaps", "pull", REPO, tmp_path / "back")
    assert pulled.returncode == 0, pulled.stderr
    assert shell("fgmcaps", "validate", tmp_path / "back").returncode == 0
    there = shell("fgmcaps", "validate", f"hf://{REPO}@main")
    assert (there.returncode, there.stdout.strip()) == (0, f"hf://{REPO}@main is valid")


@pytest.mark.parametrize(
    ("words", "token", "said"),
    [
        (["push", "OUT", REPO], "expired", "does not accept the token"),
        (["push", "OUT", REPO], "", "not logged in"),
        (["push", "OUT", "other/music"], "hf_writer", "no rights"),
        (["push", "nowhere", REPO], "hf_writer", "no such folder: nowhere"),
        (["push", "OUT", REPO, "--audio", "embedd"], "hf_writer", "--audio"),
        (["pull", "user/nothing", "back"], "hf_writer", "no such dataset"),
        (["validate", "hf://user/nothing"], "hf_writer", "no such dataset"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_2(hub, small, shell, words, token, said):
    done = shell("fgmcaps", *[str(small) if word == "OUT" else word for word in words], "-q", HF_TOKEN=token)
    if words[0] == "validate":
        done = shell("fgmcaps", *words, HF_TOKEN=token)
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()
    assert len(last) == 1
    assert last[0].startswith("fgmcaps: ")
    assert said in last[0]


def test_a_dead_server_is_exit_code_4(hub, small, shell):
    done = shell("fgmcaps", "pull", REPO, "back", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 4
    assert "does not answer" in done.stderr
