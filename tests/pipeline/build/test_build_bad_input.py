"""A folder full of bad files: each costs only itself, and the dead letters say where and why."""

import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.pipeline.builds import cut_corpus, letters, manifest, run, tone, write_fast_config

pytestmark = pytest.mark.slow


def _cut_in_half(source: Path, target: Path, keep: float = 0.5) -> None:
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * keep)])


def _lying_wav(path: Path) -> None:
    """A WAV header that promises 2^31 - 1 frames, and no samples behind it."""
    data_size = 0xFFFFFFFF
    head = b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    path.write_bytes(head + b"data" + struct.pack("<I", data_size))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bad")
    music = root / "music"
    good = cut_corpus(music, 4)
    rate = 44_100
    (music / "text.wav").write_text("this is no audio\n" * 100)
    (music / "zero.wav").touch()
    for path in good:  # an 11 s file cut to a tenth has too little left for a clip
        _cut_in_half(path, music / f"truncated{path.suffix}", 0.1)
    _lying_wav(music / "lying.wav")
    sf.write(music / "eight channels.wav", tone(11, rate, 8, seed=1), rate)
    sf.write(music / "8 kHz.wav", tone(11, 8_000, seed=2), 8_000)
    sf.write(music / "192 kHz.wav", tone(11, 192_000, seed=3), 192_000)
    shutil.copy(good[0], music / "a flac called.mp3")  # wrong suffix, and a copy of a good file: a duplicate
    (music / "a\nnew line é 音楽.wav").write_text("no audio either")
    sf.write(music / "name with spaces é 音楽.wav", tone(11, rate, seed=4) * 0.9, rate)
    (music / "loop").symlink_to(music)
    (music / "broken link.wav").symlink_to(music / "nowhere.wav")
    os.mkfifo(music / "pipe.wav")
    sf.write(music / "silence.wav", np.zeros(11 * rate, np.float32), rate)
    sf.write(music / "dc.wav", np.full(11 * rate, 0.5, np.float32), rate)
    sf.write(music / "noise.wav", np.random.default_rng(0).normal(0, 0.1, 11 * rate).astype(np.float32), rate)
    broken = tone(11, rate, seed=5)
    broken[5000:6000] = np.nan
    sf.write(music / "nan.wav", broken, rate, subtype="FLOAT")
    sf.write(music / "0.1 s.wav", tone(0.1, rate), rate)
    sf.write(music / "9.99 s.wav", tone(9.99, rate, seed=6), rate)
    sf.write(music / "10.01 s.wav", tone(10.01, rate, seed=7), rate)
    shutil.copy(good[1], music / "again 1.wav")
    shutil.copy(good[1], music / "again 2.wav")
    out = root / "out"
    done = run("build", music, out, "--workers", 2, "--config", write_fast_config(root))
    assert done.returncode == 0, done.stderr
    return out


EXPECTED = {
    "a\\x0anew line é 音楽.wav": ("decode", "failed", "not_audio"),
    "text.wav": ("decode", "failed", "not_audio"),
    "zero.wav": ("decode", "failed", "empty"),
    "lying.wav": ("decode", "failed", "empty"),
    "nan.wav": ("decode", "failed", "not_finite"),
    "silence.wav": ("gate", "filtered", "silence"),
    "dc.wav": ("gate", "filtered", "dc"),
    "noise.wav": ("gate", "filtered", "noise"),
    "0.1 s.wav": ("gate", "filtered", "too_short"),
    "truncated.wav": ("gate", "filtered", "too_short"),
    "truncated.flac": ("gate", "filtered", "too_short"),
    "truncated.ogg": ("gate", "filtered", "too_short"),
    "truncated.mp3": ("gate", "filtered", "too_short"),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_bad_file_is_a_dead_letter_with_stage_and_reason(built: Path, name: str) -> None:
    found = [x for x in letters(built) if x["source_path"] == name]
    assert [(x["stage"], x["kind"], x["reason"]) for x in found] == [EXPECTED[name]]
    assert name in str(found[0]["message"])


def test_everything_else_became_rows(built: Path) -> None:
    import pyarrow.parquet as pq

    rows = pq.ParquetDataset(sorted((built / "data").glob("*.parquet"))).read(["source_path", "duration_s"]).to_pylist()
    names = {row["source_path"] for row in rows}
    for good in ("eight channels.wav", "8 kHz.wav", "192 kHz.wav", "name with spaces é 音楽.wav", "10.01 s.wav"):
        assert good in names
    assert {row["source_path"]: row["duration_s"] for row in rows}["9.99 s.wav"] == 9.99
    assert not names & set(EXPECTED)


def test_nothing_is_lost_or_counted_twice(built: Path) -> None:
    counts = manifest(built)["counts"]
    assert isinstance(counts, dict)
    assert counts["clips_found"] == counts["rows"] + counts["failed"] + counts["filtered"]
    assert counts["files"] == counts["tracks"] + counts["duplicates"]
    assert counts["duplicates"] == 3  # the flac called mp3 and two copies
    assert len(letters(built)) == counts["failed"] + counts["filtered"]


def test_the_dataset_is_valid(built: Path) -> None:
    checked = run("validate", built)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_nothing_but_noise_is_a_clear_end(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    sf.write(music / "silence.wav", np.zeros(11 * 8000, np.float32), 8000)
    (music / "text.wav").write_text("no audio")
    done = run("build", music, tmp_path / "out", "--workers", 1, "--config", write_fast_config(tmp_path))
    assert done.returncode == 3
    assert "no clip became a row" in done.stderr and "silence" in done.stderr
    assert not (tmp_path / "out" / "manifest.json").exists()
