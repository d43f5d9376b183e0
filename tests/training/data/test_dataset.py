import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi, constants

from fgmcaps.common.errors import FgmcapsError, InvalidDataError, MachineError, NothingToDoError
from fgmcaps.training.data.audio import decode
from fgmcaps.training.data.dataset import load_rows
from tests.factories import build_dataset
from tests.hub_server.server import HubServer
from tests.training.shards import make_shard_row, tone, write_data, write_rows


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A dataset as `fgmcaps build` writes it: 12 rows."""
    out = tmp_path_factory.mktemp("built") / "out"
    build_dataset(out, tracks=6, clips=2, shards=2)
    return out


def test_a_built_dataset_is_read_row_by_row(built):
    rows = load_rows(built)
    assert len(rows) == 12
    table = pa.concat_tables([pq.read_table(p) for p in sorted((built / "data").glob("*.parquet"))]).to_pylist()
    by_id = {row["id"]: row for row in table}
    assert sorted(rows.ids) == sorted(by_id)
    for row in rows:
        cells = by_id[row.id]
        assert row.captions[0] == (cells["caption_style"], cells["caption"])
        assert [text for _, text in row.captions[1:]] == [c["text"] for c in cells["captions"]]
        assert (row.tempo_bpm, row.key, row.time_signature) == (
            cells["tempo_bpm"],
            cells["key"],
            cells["time_signature"],
        )
        assert list(row.chord_summary) == cells["chord_summary"]
    assert [rows[i].id for i in (0, 5, -1)] == [rows.ids[i] for i in (0, 5, -1)]
    assert [row.split for row in rows] == sorted((r.split for r in rows), key=["train", "validation", "test"].index)


def test_audio_comes_in_any_order_and_belongs_to_its_row(built):
    rows = load_rows(built)
    table = pa.concat_tables([pq.read_table(p) for p in sorted((built / "data").glob("*.parquet"))]).to_pylist()
    by_id = {row["id"]: row["audio"]["bytes"] for row in table}
    order = [11, 0, 7, 7, 3]
    assert [ref.data for ref in rows.audio(order)] == [by_id[rows.ids[i]] for i in order]


def test_one_split_and_a_copy_through_pickle(built):
    train = load_rows(built, "train")
    assert {row.split for row in train} == {"train"}
    copy = pickle.loads(pickle.dumps(train))
    assert copy.ids == train.ids
    assert next(iter(copy.audio([1]))).data == next(iter(train.audio([1]))).data


def test_shards_without_a_manifest_and_a_single_file(tmp_path):
    folder = write_data(tmp_path / "d", [make_shard_row(n, split=s) for n, s in enumerate(("test", "train", "train"))])
    assert [row.split for row in load_rows(folder)] == ["train", "train", "test"]
    assert len(load_rows(folder / "data" / "train-00000-of-00001.parquet")) == 2


def test_a_plain_table_of_id_audio_caption_is_enough(tmp_path):
    path = tmp_path / "test-00000-of-00001.parquet"
    pq.write_table(
        pa.table({"id": ["a", "b"], "caption": ["one", ""], "audio": [{"bytes": b"x", "path": None}] * 2}), path
    )
    rows = load_rows(path)
    assert [(row.track_id, row.split, row.captions) for row in rows] == [
        ("a", "test", (("objective", "one"),)),
        ("b", "test", ()),
    ]


def test_paths_of_audio_stay_under_their_root(tmp_path):
    import soundfile

    (tmp_path / "music").mkdir()
    soundfile.write(tmp_path / "music" / "a.wav", tone(3, 4.0), 24_000)
    soundfile.write(tmp_path / "outside.wav", tone(3, 4.0), 24_000)
    rows = [
        make_shard_row(0, audio={"bytes": None, "path": "a.wav"}, start_s=1.0, duration_s=2.0),
        make_shard_row(1, audio={"bytes": None, "path": "../outside.wav"}),
        make_shard_row(2, audio=None),
    ]
    data = write_data(tmp_path / "d", rows)
    first, second, third = load_rows(data, audio_root=tmp_path / "music").audio(range(3))
    samples = decode(first, 24_000)
    assert len(samples) == 48_000
    assert abs(samples - tone(3, 4.0)[24_000:72_000]).max() < 1e-3
    assert second.path is None
    assert second.data is None
    assert third.path is None


@pytest.mark.parametrize("version", ["3.0", "0.9", "nonsense"])
def test_shards_of_another_schema_version_are_refused(tmp_path, version):
    path = write_rows(tmp_path / "train-00000-of-00001.parquet", [make_shard_row(0)], version)
    with pytest.raises(InvalidDataError, match=f"train-00000.*schema version {version}, this program reads"):
        load_rows(path)


def test_what_is_wrong_with_a_folder_is_said(tmp_path, built):
    with pytest.raises(FgmcapsError, match="no such folder"):
        load_rows(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FgmcapsError, match="no Parquet shards"):
        load_rows(tmp_path / "empty")
    (tmp_path / "half" / ".fgmcaps").mkdir(parents=True)
    with pytest.raises(InvalidDataError, match="has not finished"):
        load_rows(tmp_path / "half")
    with pytest.raises(FgmcapsError, match="did you mean 'train'"):
        load_rows(built, "trian")
    (tmp_path / "cut.parquet").write_bytes(next((built / "data").glob("*.parquet")).read_bytes()[:-40])
    with pytest.raises(InvalidDataError, match=r"cut\.parquet: cannot be read as Parquet"):
        load_rows(tmp_path / "cut.parquet")
    pq.write_table(pa.table({"id": ["a"], "text": ["b"]}), tmp_path / "other.parquet")
    with pytest.raises(InvalidDataError, match=r"no column caption, audio.*fgmcaps import"):
        load_rows(tmp_path / "other.parquet")
    only_train = write_data(tmp_path / "d", [make_shard_row(0)])
    with pytest.raises(NothingToDoError, match="no rows in the split test"):
        load_rows(only_train, "test")


def test_a_listed_shard_that_is_missing_or_cut_is_named(tmp_path):
    build_dataset(tmp_path / "out", tracks=4, clips=1, shards=1, audio="none")
    shard = max((tmp_path / "out" / "data").glob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(InvalidDataError, match=f"{shard.name}: missing or not"):
        load_rows(tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_text("{}")
    with pytest.raises(InvalidDataError, match="not a manifest of ours"):
        load_rows(tmp_path / "out")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub on loopback with one dataset, and this process's client pointed at it."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    with HubServer(tmp_path / "server") as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        yield server


def test_a_dataset_on_the_hub_is_fetched_once(hub, tmp_path):
    data = write_data(tmp_path / "d", [make_shard_row(n, split=s) for n, s in enumerate(("train", "test"))])
    (data / "notes.bin").write_bytes(b"0" * 1000)
    api = HfApi(endpoint=hub.url)
    api.create_repo("user/music", repo_type="dataset")
    api.upload_folder(repo_id="user/music", repo_type="dataset", folder_path=data)
    rows = load_rows("user/music")
    assert [row.split for row in rows] == ["train", "test"]
    assert len(decode(next(iter(rows.audio([1]))), 24_000)) == 24_000
    fetched = [r.path for r in hub.log if r.method == "GET" and "/resolve/" in r.path]
    assert len(fetched) == 2  # the shards and nothing else
    load_rows("user/music@main")
    assert [r.path for r in hub.log if r.method == "GET" and "/resolve/" in r.path] == fetched
    with pytest.raises(FgmcapsError, match="no revision 'v9'"):
        load_rows("user/music@v9")
    with pytest.raises(FgmcapsError, match="no such folder here and no such dataset on the Hub"):
        load_rows("user/nothing")


@pytest.mark.parametrize("name", ["a--b/c", f"user/{'x' * 97}", "user/a..b"])
def test_what_is_no_name_on_the_hub_is_said(hub, name):
    with pytest.raises(FgmcapsError, match="not a name on the Hub"):
        load_rows(name)


def test_a_hub_that_answers_nonsense(hub):
    hub.faults.add(r"GET .*/api/datasets/", "nonsense")
    with pytest.raises(MachineError, match="user/music: fetching from the Hub failed"):
        load_rows("user/music")


def test_a_hub_that_does_not_answer(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(MachineError, match="user/music"):
        load_rows("user/music")
