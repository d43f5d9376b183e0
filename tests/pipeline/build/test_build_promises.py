"""The promises of a build (DESIGN section 3), on real recordings with real annotators."""

import csv
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from fgmcaps.pipeline.sources.base import stamp_of
from fgmcaps.pipeline.stages.journal import AnnotationEntry, TrackDone, scan
from tests.pipeline.builds import command, cut_corpus, digest, letters, manifest, run, write_fast_config

pytestmark = pytest.mark.slow
TRACKS = 6
SEGMENT = 16  # clips of a journal segment at most: what a worker may have to do again


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "music"
    cut_corpus(folder, TRACKS)
    write_fast_config(folder.parent)
    return folder


@pytest.fixture(scope="module")
def reference(corpus: Path) -> Path:
    """One uninterrupted build with two workers."""
    out = corpus.parent / "reference"
    done = run("build", corpus, out, "--workers", 2, "--config", corpus.parent / "fast.yaml")
    assert done.returncode == 0, done.stderr
    return out


def config(corpus: Path) -> Path:
    return corpus.parent / "fast.yaml"


def test_every_clip_is_a_row_or_a_letter(reference: Path) -> None:
    counts = manifest(reference)["counts"]
    assert counts["clips_found"] == counts["rows"] + counts["failed"] + counts["filtered"] == TRACKS  # type: ignore[index]
    rows = sum(pq.read_metadata(p).num_rows for p in (reference / "data").glob("*.parquet"))
    assert rows == counts["rows"] == TRACKS  # type: ignore[index]


def test_a_finished_dataset_is_valid_and_loads(reference: Path) -> None:
    checked = run("validate", reference)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    import datasets

    whole = datasets.load_dataset(str(reference), cache_dir=str(reference.parent / "hf"))
    assert sum(len(split) for split in whole.values()) == TRACKS
    files = {"train": str(reference / "data" / "*.parquet")}
    flat = datasets.load_dataset("parquet", data_files=files, cache_dir=str(reference.parent / "hf"))["train"]
    assert len(flat) == TRACKS and isinstance(flat.features["audio"], datasets.Audio)


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_instants_and_resumed_equals_uninterrupted(corpus: Path, reference: Path, seed: int) -> None:
    out = corpus.parent / f"killed{seed}"
    dice = random.Random(seed)
    argv = command("build", corpus, out, "--workers", 2, "--config", config(corpus))
    for _ in range(3):
        build = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(2.0, 14.0))
        build.send_signal(signal.SIGKILL)
        build.wait()
        _wait_until_alone(out)
    done = run("build", corpus, out, "--workers", 2, "--config", config(corpus))
    assert done.returncode == 0, done.stderr
    assert digest(out) == digest(reference)
    folder = next((out / ".fgmcaps" / "annotations").iterdir())
    again = Counter(e.clip_id for e in scan(folder) if isinstance(e, AnnotationEntry))
    assert sum(n - 1 for n in again.values()) <= 3 * 2 * SEGMENT  # kills x workers x segment


def _wait_until_alone(out: Path) -> None:
    """What a killed build started must end by itself, and soon."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        left = [p for p in psutil.process_iter(["cmdline"]) if str(out) in " ".join(p.info["cmdline"] or [])]
        if not left:
            return
        time.sleep(0.2)
    raise AssertionError(f"processes of the killed build live on: {left}")


def test_one_worker_and_a_shuffled_manifest_give_the_same_shards(corpus: Path, reference: Path) -> None:
    files = sorted(p.relative_to(corpus).as_posix() for p in corpus.rglob("*.*"))
    random.Random(7).shuffle(files)
    table = corpus / "music.csv"
    with table.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["path"])
        writer.writerows([name] for name in files)
    out = corpus.parent / "shuffled"
    done = run("build", table, out, "--workers", 1, "--config", config(corpus))
    table.unlink()
    assert done.returncode == 0, done.stderr
    assert _data(out) == _data(reference)


def _data(out: Path) -> dict[str, str]:
    """Shards by name; a dataset that replaced another has them in a folder below ``data``."""
    return {Path(name).name: sha for name, sha in digest(out).items() if name.startswith("data/")}


def test_a_rerun_does_nothing(corpus: Path, reference: Path) -> None:
    def stamps() -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in reference.rglob("*.*") if p.suffix in (".parquet", ".jsonl")}

    before = stamps()
    done = run("build", corpus, reference, "--workers", 2, "--config", config(corpus))
    assert done.returncode == 0 and "Nothing to do" in done.stderr
    assert stamps() == before


def test_new_files_are_added_and_old_ones_not_decoded_again(corpus: Path, reference: Path, tmp_path: Path) -> None:
    files = sorted(p for p in corpus.rglob("*.*"))
    part, out = tmp_path / "music", tmp_path / "out"
    shutil.copytree(corpus, part, ignore=shutil.ignore_patterns(files[-1].name))
    assert run("build", part, out, "--workers", 1, "--config", config(corpus)).returncode == 0
    shutil.copy(files[-1], part / files[-1].relative_to(corpus))
    (part / "copy.flac").write_bytes(files[0].read_bytes())
    done = run("build", part, out, "--workers", 1, "--config", config(corpus))
    assert done.returncode == 0, done.stderr
    assert _data(out) == _data(reference)
    assert manifest(out)["counts"]["duplicates"] == 1  # type: ignore[index]
    checked = run("validate", out)
    assert checked.returncode == 0, checked.stdout
    folder = next((out / ".fgmcaps" / "annotations").iterdir())
    assert set(Counter(e.clip_id for e in scan(folder) if isinstance(e, AnnotationEntry)).values()) == {1}


def test_another_configuration_is_refused_and_never_mixed(corpus: Path, tmp_path: Path) -> None:
    out, music = tmp_path / "out", tmp_path / "music"
    cut_corpus(music, 2)
    assert run("build", music, out, "--workers", 1, "--config", config(corpus)).returncode == 0
    refused = run("build", music, out, "--workers", 1, "--config", config(corpus), "--clips-per-track", "all")
    assert refused.returncode == 2 and "clips_per_track" in refused.stderr and "--replace" in refused.stderr
    other = run("build", music, out, "--config", config(corpus), "--clips-per-track", "all", "--replace")
    assert other.returncode == 0, other.stderr
    rows = pq.ParquetDataset(sorted((out / "data").rglob("*.parquet"))).read(["start_s"]).to_pylist()
    assert [row["start_s"] for row in rows] == [0.0, 0.0]  # an 11 s track has one whole window, the first
    assert len(list((out / ".fgmcaps" / "annotations").iterdir())) == 2
    assert run("validate", out).returncode == 0


def test_another_filter_decodes_nothing(corpus: Path, tmp_path: Path) -> None:
    out, music = tmp_path / "out", tmp_path / "music"
    cut_corpus(music, 2)
    assert run("build", music, out, "--workers", 1, "--config", config(corpus)).returncode == 0
    strict = tmp_path / "strict.yaml"
    strict.write_text(config(corpus).read_text().replace("recipe: paper", "recipe: paper, key: {min_confidence: 0.9}"))
    inventory = out / ".fgmcaps" / "inventory.jsonl"
    for path in music.rglob("*.*"):
        before = stamp_of(path.stat())
        path.write_bytes(b"\0" * path.stat().st_size)  # the inventory is made to trust it; a decoder would fail
        inventory.write_text(inventory.read_text().replace(before, stamp_of(path.stat())))
    done = run("annotate", music, out, "--config", strict, "--replace")
    assert done.returncode == 0, done.stderr
    for folder in (out / ".fgmcaps" / "annotations").iterdir():
        assert Counter(map(type, scan(folder))) == {AnnotationEntry: 2, TrackDone: 2}
    assert len(list((out / ".fgmcaps" / "annotations").iterdir())) == 2


def test_the_two_halves_equal_the_whole(corpus: Path, reference: Path) -> None:
    out = corpus.parent / "halves"
    arguments = (corpus, out, "--workers", 2, "--config", config(corpus))
    early = run("caption", *arguments)
    assert early.returncode == 2 and "fgmcaps annotate" in early.stderr
    assert run("annotate", *arguments).returncode == 0
    assert not (out / "manifest.json").exists()
    done = run("caption", *arguments)
    assert done.returncode == 0, done.stderr
    assert digest(out) == digest(reference)


def test_a_killed_worker_costs_nothing(corpus: Path, reference: Path) -> None:
    out = corpus.parent / "worker-killed"
    argv = command("build", corpus, out, "--workers", 2, "--config", config(corpus))
    build = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    _kill_in_flight(out, build, times=1)
    assert build.wait(timeout=240) == 0, build.stderr.read() if build.stderr else ""
    assert digest(out) == digest(reference)


def test_a_clip_that_kills_its_worker_twice_goes_to_the_dead_letters(corpus: Path) -> None:
    out = corpus.parent / "poison"
    argv = command("build", corpus, out, "--workers", 1, "--config", config(corpus))
    build = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    guilty = _kill_in_flight(out, build, times=2)
    assert build.wait(timeout=240) == 0, build.stderr.read() if build.stderr else ""
    assert [(x["clip_id"] or x["track_id"], x["reason"]) for x in letters(out)] == [(guilty, "crash")]
    assert manifest(out)["counts"]["rows"] == TRACKS - 1  # type: ignore[index]
    retried = run("build", corpus, out, "--workers", 1, "--config", config(corpus), "--retry-failed")
    assert retried.returncode == 0 and manifest(out)["counts"]["rows"] == TRACKS, retried.stderr  # type: ignore[index]


def _kill_in_flight(out: Path, build: "subprocess.Popen[str]", times: int) -> str:
    """Kill the worker that works on the first clip seen in flight, each time that this clip is tried."""
    guilty, killed = "", set[str]()
    limit = time.monotonic() + 120
    while len(killed) < times:
        assert build.poll() is None and time.monotonic() < limit, "the clip was not tried again"
        for note in (out / ".fgmcaps" / "workers").glob("*.json"):
            key = note.read_text().strip('"') if note.exists() else ""
            pid = note.stem.rpartition("-")[2]
            if "-" in key and pid not in killed and key == (guilty or key):
                guilty = key
                killed.add(pid)
                os.kill(int(pid), signal.SIGKILL)
                break
        time.sleep(0.005)
    return guilty


def test_a_full_disk_ends_with_one_line_and_loses_nothing(corpus: Path, reference: Path) -> None:
    out = corpus.parent / "full"
    # A file size limit stands in for a full disk: shards (about 1 MB) do not fit, journals do.
    limited = ["prlimit", "--fsize=300000", *command("build", corpus, out, "--workers", 2, "--config", config(corpus))]
    full = subprocess.run(limited, capture_output=True, text=True, timeout=240)
    assert full.returncode == 4, full.stderr
    assert "free" in full.stderr.splitlines()[-1] and "Traceback" not in full.stderr
    assert not (out / "manifest.json").exists()
    assert not list((out / "data").glob("*")) if (out / "data").exists() else True
    segments = sorted((out / ".fgmcaps" / "annotations").rglob("*.jsonl"))
    done = run("build", corpus, out, "--workers", 2, "--config", config(corpus))
    assert done.returncode == 0, done.stderr
    assert digest(out) == digest(reference)
    assert sorted((out / ".fgmcaps" / "annotations").rglob("*.jsonl")) == segments  # nothing was annotated again


def test_interrupt_stops_everything_and_says_how_to_go_on(corpus: Path) -> None:
    out = corpus.parent / "interrupted"
    argv = command("build", corpus, out, "--workers", 2, "--config", config(corpus))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started us deaf to it
    build = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    time.sleep(6)
    build.send_signal(signal.SIGINT)
    _, errors = build.communicate(timeout=30)
    assert build.returncode == 130
    assert errors.splitlines()[-1] == "fgmcaps: interrupted; run the same command again to continue"
    _wait_until_alone(out)
