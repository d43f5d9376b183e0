import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from fgmcaps.common.errors import FgmcapsError, InvalidDataError, MachineError, NothingToDoError
from fgmcaps.common.files import folder_lock
from fgmcaps.training.data.dataset import load_rows
from fgmcaps.training.features.build import build_cache, estimate_size
from fgmcaps.training.features.cache import FeatureCache, caption_number
from tests.training.shards import make_shard_row, tone, write_data
from tests.training.tiny_encoders import TinyAudio, TinyText

SPLITS = ("train", "train", "validation", "train", "test")


def rows_of(folder: Path, count: int = 20, **given):
    return load_rows(write_data(folder, [make_shard_row(n, split=SPLITS[n % 5], **given) for n in range(count)]))


def state_of(folder: Path) -> dict[str, bytes]:
    """All bytes of a cache but the memo of the source, which holds times of files."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != "source.json")
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """20 rows of 1 s, 30 captions."""
    return rows_of(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def built(rows, tmp_path_factory):
    """Their cache; read only."""
    folder = tmp_path_factory.mktemp("cache") / "c"
    build_cache(rows, TinyAudio(), TinyText(), folder)
    return folder


@pytest.fixture
def cache(built, tmp_path):
    """A copy to break."""
    return shutil.copytree(built, tmp_path / "c")


def expected_frames(number: int, seconds: float = 1.0) -> np.ndarray:
    cut = tone(number, seconds).reshape(-1, 960)
    return np.stack([cut.mean(1), abs(cut).max(1), (cut**2).mean(1), np.ones(len(cut))], 1)


@pytest.mark.parametrize(("dtype", "near"), [("float16", 1e-3), ("bfloat16", 5e-3)])
def test_a_batch_holds_the_encoders_numbers(rows, tmp_path, dtype, near):
    cache = build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c", dtype=dtype)
    assert len(cache) == 20
    chosen = [7, 0, 13]
    batch = cache.batch(chosen, caption=[1, 0, 1])
    assert batch.audio.shape == (3, 25, 4)
    assert batch.audio.dtype == torch.float32
    texts = []
    for i, row in enumerate(chosen):
        number = int(cache.ids[row][:16], 16)
        assert np.abs(batch.audio[i].numpy() - expected_frames(number)).max() < near
        assert torch.equal(cache.audio(row), batch.audio[i])
        texts.append(rows[row].captions[(1, 0, 1)[i]][1])
        words = texts[-1].split()
        assert batch.text_mask[i].tolist() == [j < len(words) for j in range(batch.text.shape[1])]
        assert batch.text[i, : len(words), 0].tolist() == [len(w) for w in words]
        assert not batch.text[i, len(words) :].any()
        assert cache.caption(row, (1, 0, 1)[i]) == texts[-1]
    assert batch.caption.tolist() == [caption_number(text) for text in texts]
    assert batch.row.tolist() == chosen
    assert batch.track.tolist() == [cache.track[i] for i in chosen]


def test_half_precision_is_the_files_own(built):
    cache = FeatureCache.open(built)
    half = cache.batch([3, 4], dtype=torch.float16)
    assert half.audio.dtype == half.text.dtype == torch.float16
    assert torch.equal(half.audio.float(), cache.batch([3, 4]).audio)


def test_rows_of_the_cache_are_those_of_the_dataset(rows, built):
    cache = FeatureCache.open(built)
    assert cache.ids == rows.ids
    assert [cache.row(i) for i in range(20)] == list(rows)
    assert cache.splits == [row.split for row in rows]
    assert cache.rows("test").tolist() == [i for i, row in enumerate(rows) if row.split == "test"]
    assert cache.caption_count.tolist() == [len(row.captions) for row in rows]


def test_equal_captions_have_equal_numbers_whatever_their_spacing():
    assert caption_number("in  F# minor\n") == caption_number("in F# minor")
    assert caption_number("Cafe\u0301") == caption_number("Caf\u00e9")
    assert caption_number("CM7") != caption_number("Cm7")


def test_clips_of_different_length_are_padded_and_long_ones_cut_into_windows(tmp_path):
    lengths = [1.0, 0.7, 23.0, 10.4]
    data = [make_shard_row(n, seconds=s) for n, s in enumerate(lengths)]
    rows = load_rows(write_data(tmp_path / "d", data))
    cache = build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c")
    assert cache.audio_store.lengths.tolist() == [25, 17, 575, 250]  # 10.4 s: the rest of 0.4 s is too short
    batch = cache.batch([1, 2])
    assert batch.audio_mask.sum(1).tolist() == [17, 575]
    assert not batch.audio[0, 17:].any()
    assert np.abs(cache.audio(2).numpy() - expected_frames(2, 23.0)).max() < 1e-3
    first = build_cache(rows, TinyAudio(), TinyText(), tmp_path / "f", long="first")
    assert first.audio_store.lengths.tolist() == [25, 17, 250, 250]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.integers(0, 19), min_size=1, max_size=12))
def test_a_row_is_the_same_in_any_batch(built, chosen):
    cache = FeatureCache.open(built)
    batch = cache.batch(chosen)
    for i, row in enumerate(chosen):
        assert torch.equal(batch.audio[i][batch.audio_mask[i]], cache.audio(row))
        assert torch.equal(batch.text[i][batch.text_mask[i]], cache.text(row))
        assert int(batch.caption[i]) == cache.caption_id(row)


class Unusable(TinyAudio):
    """An encoder that must not be needed."""

    def setup(self, device="cpu") -> None:
        raise AssertionError("loaded for nothing")


def test_a_finished_cache_loads_no_encoder(rows, cache):
    before = state_of(cache)
    build_cache(rows, Unusable(), TinyText(), cache)
    assert state_of(cache) == before


def test_what_is_missing_is_computed_and_nothing_else(rows, cache):
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (cache / "audio").glob("*.bin")}
    gone = cache / "audio" / "00001.bin"
    gone.unlink()
    with pytest.raises(InvalidDataError, match=r"00001\.bin: missing; run `figma cache"):
        FeatureCache.open(cache)
    build_cache(rows, TinyAudio(), TinyText(), cache)
    after = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (cache / "audio").glob("*.bin")}
    assert {p for p in before if after[p] != before[p]} == {gone}
    assert after[gone][1] == before[gone][1]


def test_a_flipped_bit_is_named_at_first_reading_and_repaired(rows, cache):
    before = state_of(cache)
    path = cache / "audio" / "00001.bin"
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)
    opened = FeatureCache.open(cache)
    opened.batch([0, 1])
    last = opened.audio_key.per_shard * 2 - 1
    with pytest.raises(InvalidDataError, match=rf"00001\.bin: damaged \(item {last} .*--check"):
        opened.batch([last])
    build_cache(rows, TinyAudio(), TinyText(), cache, check=True)
    assert state_of(cache) == before


@pytest.mark.parametrize("file", ["audio/00000.bin", "text/00001.bin", "audio/index.npy", "rows.parquet", "cache.json"])
def test_a_cut_file_is_an_error_and_run_again_repairs_it(rows, cache, file):
    before = state_of(cache)
    path = cache / file
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InvalidDataError, match=f"{path.name}"):
        FeatureCache.open(cache)
    build_cache(rows, TinyAudio(), TinyText(), cache, check=True)
    assert state_of(cache) == before


@pytest.mark.parametrize(
    ("audio", "text", "change", "message"),
    [
        (TinyAudio(scale=2.0), TinyText(), {}, r"settings\.scale: 1\.0 -> 2\.0"),
        (TinyAudio(), TinyText(), {"dtype": "bfloat16"}, "dtype"),
        (TinyAudio(), TinyText(), {"long": "first"}, r"settings\.long"),
    ],
)
def test_a_cache_of_another_encoder_is_refused(rows, cache, audio, text, change, message):
    before = state_of(cache)
    with pytest.raises(InvalidDataError, match=f"another dataset or encoder.*{message}"):
        build_cache(rows, audio, text, cache, **change)
    assert state_of(cache) == before


@pytest.mark.parametrize("change", [{"caption": "Another."}, {"audio": None}, {"id": "x"}])
def test_a_cache_of_another_dataset_is_refused(cache, tmp_path, change):
    data = [make_shard_row(n, split=SPLITS[n % 5]) for n in range(20)]
    data[4] |= change
    other = load_rows(write_data(tmp_path / "d", data))
    with pytest.raises(InvalidDataError, match=r"another dataset or encoder.*data: "):
        build_cache(other, TinyAudio(), TinyText(), cache)


def test_other_labels_are_the_same_features(cache, tmp_path):
    data = [make_shard_row(n, split=SPLITS[n % 5], key="C major") for n in range(20)]
    build_cache(load_rows(write_data(tmp_path / "d", data)), Unusable(), TinyText(), cache)


def test_a_cache_of_another_format_is_refused(cache):
    meta = json.loads((cache / "cache.json").read_text())
    (cache / "cache.json").write_text(json.dumps({**meta, "format": 99}))
    with pytest.raises(InvalidDataError, match="format 99"):
        FeatureCache.open(cache)
    with pytest.raises(InvalidDataError, match="no finished feature cache"):
        FeatureCache.open(cache / "nowhere")


def test_bad_clips_are_skipped_and_named(tmp_path):
    data = [make_shard_row(n) for n in range(8)]
    data[1]["audio"]["bytes"] = b"RIFF, but no more"
    data[2]["audio"] = None
    data[3] |= {"caption": "  ", "captions": []}
    cache = build_cache(load_rows(write_data(tmp_path / "d", data)), TinyAudio(), TinyText(), tmp_path / "c")
    lines = [json.loads(line) for line in (tmp_path / "c" / "skipped.jsonl").read_text().splitlines()]
    assert {line["id"]: line["why"].split(" (")[0].split(":")[0] for line in lines} == {
        data[1]["id"]: "cannot be decoded",
        data[2]["id"]: "no audio in the row",
        data[3]["id"]: "empty caption",
    }
    assert cache.rows().tolist() == [0, 4, 5, 6, 7]
    with pytest.raises(InvalidDataError, match=rf"row 1 \({data[1]['id']}\) was skipped"):
        cache.batch([0, 1])
    with pytest.raises(FgmcapsError, match="has 0 captions"):
        cache.batch([3])
    with pytest.raises(FgmcapsError, match="has 1 captions, no number 1"):
        cache.batch([0], caption=1)


def test_a_clip_without_finite_features_is_named(tmp_path):
    rows = rows_of(tmp_path / "d", 8)
    cache = build_cache(rows, TinyAudio(misbehave="nan"), TinyText(), tmp_path / "c", batch_size=4)
    line = json.loads((tmp_path / "c" / "skipped.jsonl").read_text())
    assert line == {"id": rows.ids[0], "why": "encoder tiny-audio gives NaN or infinity"}
    assert 0 not in cache.rows()


def test_too_many_bad_clips_are_an_error_that_names_some(tmp_path):
    data = [make_shard_row(n, **({"audio": {"bytes": b"x", "path": "x"}} if n < 12 else {})) for n in range(30)]
    rows = load_rows(write_data(tmp_path / "d", data))
    with pytest.raises(InvalidDataError, match=f"12 of 30 clips cannot be used.*{data[0]['id']}: cannot be decoded"):
        build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c")
    cache = build_cache(rows, Unusable(), TinyText(), tmp_path / "c", max_skipped=0.5)
    assert len(cache.rows()) == 18


def test_no_usable_row_at_all(tmp_path):
    rows = load_rows(write_data(tmp_path / "d", [make_shard_row(n, audio=None) for n in range(3)]))
    with pytest.raises(NothingToDoError, match=r"none of the 3 rows can be used.*no audio in the row"):
        build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c")


def test_one_row(tmp_path):
    cache = build_cache(rows_of(tmp_path / "d", 1), TinyAudio(), TinyText(), tmp_path / "c")
    assert len(cache.batch([0])) == 1


def test_features_too_large_for_float16_say_so(tmp_path):
    rows = rows_of(tmp_path / "d", 2)
    with pytest.raises(InvalidDataError, match=rf"{rows.ids[0]}: a feature of 1e\+06.*--dtype bfloat16"):
        build_cache(rows, TinyAudio(misbehave="huge"), TinyText(), tmp_path / "c")
    build_cache(rows, TinyAudio(misbehave="huge"), TinyText(), tmp_path / "b", dtype="bfloat16")


def test_statistics_come_from_the_training_split_alone(tmp_path):
    data = [make_shard_row(n, split=SPLITS[n % 5]) for n in range(20)]
    encoder = TinyAudio(fitted=True)
    cache = build_cache(load_rows(write_data(tmp_path / "d", data)), encoder, TinyText(), tmp_path / "c")
    train = [expected_frames(n) for n in range(20) if SPLITS[n % 5] == "train"]
    assert np.allclose(cache.encoder_state["mean"], np.concatenate(train).mean(0), atol=1e-5)
    louder = [row | {"audio": {"bytes": row["audio"]["bytes"], "path": "x"}} for row in data]
    for row in louder:
        if row["split"] != "train":
            row["audio"] = make_shard_row(99)["audio"]
    other = build_cache(
        load_rows(write_data(tmp_path / "e", louder)), TinyAudio(fitted=True), TinyText(), tmp_path / "o"
    )
    assert other.encoder_state["mean"].tobytes() == cache.encoder_state["mean"].tobytes()
    # again: the encoder gets the statistics back, and nothing is computed
    fresh = TinyAudio(fitted=True)
    build_cache(load_rows(tmp_path / "d"), fresh, TinyText(), tmp_path / "c")
    assert torch.equal(fresh.mean, encoder.mean)


def test_statistics_of_a_model_are_used_and_others_refused(tmp_path):
    data = write_data(tmp_path / "d", [make_shard_row(n, split="test") for n in range(4)])
    with pytest.raises(NothingToDoError, match="standardised on the training split"):
        build_cache(load_rows(data), TinyAudio(fitted=True), TinyText(), tmp_path / "c")
    given = TinyAudio(fitted=True)
    given.load_state({"mean": np.array([1, 2, 3, 0], np.float32)})
    cache = build_cache(load_rows(data), given, TinyText(), tmp_path / "c")
    assert np.abs(cache.audio(0).numpy() - (expected_frames(0) - [1, 2, 3, 0])).max() < 2e-3
    given.load_state({"mean": np.zeros(4, np.float32)})
    with pytest.raises(InvalidDataError, match="state"):
        build_cache(load_rows(data), given, TinyText(), tmp_path / "c")


def test_changed_or_pickled_statistics_are_refused(tmp_path):
    rows = rows_of(tmp_path / "d", 6)
    build_cache(rows, TinyAudio(fitted=True), TinyText(), tmp_path / "c")
    save_file({"mean": np.zeros(4, np.float32)}, tmp_path / "c" / "encoder.safetensors")
    with pytest.raises(InvalidDataError, match=r"encoder\.safetensors: missing or changed"):
        build_cache(rows, TinyAudio(fitted=True), TinyText(), tmp_path / "c")
    torch.save({"mean": torch.zeros(4)}, tmp_path / "c" / "encoder.safetensors")
    with pytest.raises(InvalidDataError, match="no safetensors file"):
        build_cache(rows, TinyAudio(fitted=True), TinyText(), tmp_path / "c")


def test_the_size_is_said_before_and_a_small_disk_refused(rows, cache, tmp_path, monkeypatch):
    size = estimate_size(rows, TinyAudio(), TinyText(), tmp_path / "none")
    audio = sum(p.stat().st_size for p in (cache / "audio").glob("*.bin"))
    text = sum(p.stat().st_size for p in (cache / "text").glob("*.bin"))
    assert size.audio == audio
    assert text <= size.text < 3 * text
    assert estimate_size(rows, TinyAudio(), TinyText(), cache).missing < size.text
    full = shutil.disk_usage(tmp_path)._replace(free=10_000)
    monkeypatch.setattr("fgmcaps.training.features.build.shutil.disk_usage", lambda path: full)
    with pytest.raises(MachineError, match=r"GB of features are to be written, 0\.0 GB are free"):
        build_cache(rows, TinyAudio(), TinyText(), tmp_path / "none")


def test_a_disk_that_fills_up_keeps_what_is_done(rows, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))  # a shard of audio is 1,600 bytes, one of text more
    try:
        with pytest.raises(MachineError, match="free some space and run the same command again"):
            build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "c").rglob("*.tmp"))
    done = {p: p.stat().st_mtime_ns for p in (tmp_path / "c" / "audio").glob("*.bin")}
    build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c")
    assert {p: p.stat().st_mtime_ns for p in done} == done


def test_no_memory_says_which_setting_to_lower(tmp_path):
    with pytest.raises(MachineError, match=r"out of memory; use a smaller --batch \(16 now\) or fewer --workers"):
        build_cache(rows_of(tmp_path / "d", 2), TinyAudio(misbehave="memory"), TinyText(), tmp_path / "c")


def test_two_builds_do_not_share_a_folder(rows, tmp_path):
    with folder_lock(tmp_path / "c", "computing features"), pytest.raises(FgmcapsError, match="another process"):
        build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c")


def test_progress_is_reported(rows, tmp_path):
    said = []
    build_cache(rows, TinyAudio(fitted=True), TinyText(), tmp_path / "c", report=lambda *what: said.append(what))
    assert list(dict.fromkeys(s for s, _, _ in said)) == ["fit", "audio", "text"]
    assert ("audio", 0, 20) in said
    assert ("audio", 20, 20) in said
    assert ("text", 30, 30) in said


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(rows, built, tmp_path):
    build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c", workers=2)
    assert state_of(tmp_path / "c") == state_of(built)


@pytest.mark.slow
def test_a_worker_that_dies_is_an_error_and_run_again_finishes(rows, built, tmp_path):
    with pytest.raises(MachineError, match="a worker process died"):
        build_cache(rows, TinyAudio(misbehave="kill", call=1), TinyText(), tmp_path / "c", workers=2)
    build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c")
    assert state_of(tmp_path / "c") == state_of(built)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_and_run_again_it_does_only_what_is_missing(rows, built, tmp_path, workers):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from fgmcaps.training.features.build import build_cache\n"
        "from fgmcaps.training.data.dataset import load_rows\n"
        "from tests.training.tiny_encoders import TinyAudio, TinyText\n"
        "if __name__ == '__main__':\n"
        "    build_cache(load_rows(sys.argv[1]), TinyAudio(sleep=0.5), TinyText(), sys.argv[2], "
        "workers=int(sys.argv[3]), batch_size=4)\n"
    )
    script = tmp_path / "build.py"
    script.write_text(code)
    data = rows.shards[0].path.parent.parent
    root = Path(__file__).parents[3]
    command = [sys.executable, str(script), str(data), str(tmp_path / "c"), str(workers)]
    running = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(root)})
    deadline = time.monotonic() + 300
    while not list((tmp_path / "c" / "audio").glob("0*.json")):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.02)
    running.kill()
    running.wait()
    time.sleep(1.5)  # workers notice that their parent is gone
    done = {p: p.stat().st_mtime_ns for p in (tmp_path / "c" / "audio").glob("0*.json")}
    assert 1 <= len(done) <= 1 + workers
    assert not (tmp_path / "c" / "cache.json").exists()
    build_cache(rows, TinyAudio(), TinyText(), tmp_path / "c", workers=1)
    assert {p: p.stat().st_mtime_ns for p in done} == done
    assert state_of(tmp_path / "c") == state_of(built)


def test_finished_features_of_another_owner_are_read_and_nothing_is_written(rows, cache, monkeypatch):
    """A lab's shared model: whoever searches it may not write beside it."""
    (cache / "source.json").unlink()  # the memo would be written, and cannot be
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in cache.rglob("*")}
    for module in ("build", "keys"):
        monkeypatch.setattr(f"fgmcaps.training.features.{module}.may_write", lambda folder: False)
    assert build_cache(rows, TinyAudio(), TinyText(), cache).ids == rows.ids
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in cache.rglob("*")} == before
    with pytest.raises(MachineError, match="you may not write there; give another folder by --cache"):
        build_cache(rows, TinyAudio(), TinyText(), cache, check=True)
    (cache / "cache.json").unlink()
    with pytest.raises(MachineError, match="finished features are not there"):
        build_cache(rows, TinyAudio(), TinyText(), cache)


def changed_json(file, **values):
    def spoil(cache):
        read = json.loads((cache / file).read_text()) | values
        (cache / file).write_text(json.dumps(read))

    return spoil


def changed_table(change):
    def spoil(cache):
        pq.write_table(change(pq.read_table(cache / "rows.parquet")), cache / "rows.parquet")

    return spoil


def changed_lengths(change):
    def spoil(cache):
        table = np.load(cache / "audio/index.npy")
        np.save(cache / "audio/index.npy", change(table))

    return spoil


def promised(cache):
    """A header of terabytes over a few bytes."""
    path = cache / "audio/index.npy"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"(20, 2), }          ", b"(9000000000000, 2), }")[: len(data)])


HOSTILE = {
    "dim 10^9": changed_json("audio/key.json", dim=10**9),
    "dim 0": changed_json("audio/key.json", dim=0),
    "dim as text": changed_json("audio/key.json", dim="4"),
    "dim as a list": changed_json("text/key.json", dim=[4]),
    "items 10^12": changed_json("audio/key.json", items=10**12),
    "items below 0": changed_json("audio/key.json", items=-1),
    "no shards": changed_json("audio/key.json", per_shard=0),
    "a type of numbers that is none": changed_json("audio/key.json", dtype="object"),
    "settings as a list": changed_json("audio/key.json", settings=[]),
    "a key that is nested": lambda c: (c / "audio/key.json").write_text("[" * 100_000),
    "a key of ten megabytes": lambda c: (c / "audio/key.json").write_bytes(b" " * 10_000_000),
    "a cache.json that is nested": lambda c: (c / "cache.json").write_text('{"a":' * 100_000),
    "a cache.json that is a list": lambda c: (c / "cache.json").write_text("[]"),
    "a format that is none": changed_json("cache.json", format={}),
    "lengths below 0": changed_lengths(lambda t: t - 10**6),
    "lengths beyond all shards": changed_lengths(lambda t: t + 2**62),
    "lengths as fractions": changed_lengths(lambda t: t.astype(float)),
    "lengths of fewer": changed_lengths(lambda t: t[:3]),
    "lengths of terabytes": promised,
    "objects": changed_lengths(lambda t: t.astype(object)),
    "rows of fewer": changed_table(lambda t: t.slice(3)),
    "no ids": changed_table(lambda t: t.drop_columns(["id"])),
    "ids that are lists": changed_table(lambda t: t.set_column(0, "id", pa.array([[1]] * len(t)))),
    "empty track ids": changed_table(
        lambda t: t.set_column(t.column_names.index("track_id"), "track_id", pa.array([None] * len(t), pa.string()))
    ),
    "no captions": changed_table(lambda t: t.drop_columns(["captions"])),
    "captions as text": changed_table(
        lambda t: t.set_column(t.column_names.index("captions"), "captions", pa.array(["a"] * len(t)))
    ),
    "captions that are empty": changed_table(
        lambda t: t.set_column(
            t.column_names.index("captions"),
            "captions",
            pa.array([[{"style": "a", "text": None}]] * len(t), t.schema.field("captions").type),
        )
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_cache_is_refused_in_one_line(cache, name):
    HOSTILE[name](cache)
    with pytest.raises(InvalidDataError) as caught:
        FeatureCache.open(cache)
    assert str(cache) in str(caught.value) and len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 600
