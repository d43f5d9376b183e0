"""Hashes are right, remembered by location and stamp, and no file can hang or stop the inventory."""

import dataclasses
import hashlib
import json
import os
from unittest.mock import ANY

import pytest

from fgmcaps.pipeline.build.track_plan import make_plan
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.sources import FoundFile, inventory, open_source
from fgmcaps.pipeline.sources.base import location_of
from fgmcaps.pipeline.sources.inventory import Unread, take_inventory
from tests.pipeline.inputs import write_wav


@pytest.fixture
def music(tmp_path):
    folder = tmp_path / "music"
    for i in range(5):
        write_wav(folder / f"{i}.wav", seed=i)
    return folder


def note(read):
    """A callback that notes which files had to be read."""
    return lambda done, total, is_read: read.append(done) if is_read else None


def take(folder, cache):
    read = []
    return take_inventory(open_source(str(folder)).files(), cache, note(read)), len(read)


def test_a_second_look_reads_nothing_and_a_changed_file_only_itself(tmp_path, music):
    cache = tmp_path / "work" / "inventory.jsonl"
    first, reads = take(music, cache)
    assert reads == 5
    stamp = cache.stat().st_mtime_ns
    assert take(music, cache) == (first, 0) and cache.stat().st_mtime_ns == stamp
    write_wav(music / "3.wav", seed=99, frames=90)
    second, reads = take(music, cache)
    assert reads == 1 and [a == b for a, b in zip(first, second, strict=True)] == [True, True, True, False, True]
    assert second[3].identity.sha256 == hashlib.sha256((music / "3.wav").read_bytes()).hexdigest()


def test_results_keep_the_order_of_the_files(music, tmp_path):
    got, _ = take(music, tmp_path / "i")
    assert [h.file.source_path for h in got] == [f"{i}.wav" for i in range(5)]


def test_what_is_no_regular_file_is_an_error_of_that_file_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    locations = [*map(location_of, (tmp_path / "pipe.wav", tmp_path / "folder.wav")), "/dev/zero", "nul\0.wav", "/gone"]
    files = [FoundFile(location, location, 0, "x") for location in locations]
    got = take_inventory(files, tmp_path / "i", note([]))
    assert [type(item) for item in got] == [Unread] * 5
    assert "a pipe, socket or device" in got[0].error and "a pipe, socket or device" in got[2].error
    assert "a folder" in got[1].error and "No such file or directory" in got[4].error


def test_an_error_is_not_remembered(tmp_path):
    file = FoundFile(str(tmp_path / "a.wav"), "a.wav", 0, "missing")
    assert take_inventory([file], tmp_path / "i", note([])) == [Unread(file, ANY)]
    write_wav(tmp_path / "a.wav")
    assert take_inventory([file], tmp_path / "i", note([]))[0].identity.sha256


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    ["half a li", "[1, 2]\n", "3\n", '{"a": 1}\n', '["a", "b", "short"]\n', "\x00"],
)
def test_a_damaged_cache_is_not_trusted(tmp_path, music, damage):
    cache = tmp_path / "inventory.jsonl"
    first, _ = take(music, cache)
    cache.write_text(cache.read_text() + damage)
    assert take(music, cache) == (first, 5)
    assert take(music, cache) == (first, 0)


def test_a_cache_that_is_no_text_is_not_trusted(tmp_path, music):
    cache = tmp_path / "inventory.jsonl"
    cache.write_bytes(b"\xff\xfe\xfd")
    assert take(music, cache)[1] == 5


def test_odd_names_are_remembered(tmp_path):
    for name in ("new\nline.wav", "line\u2028separator.wav", "caf\udce9.wav"):
        write_wav(tmp_path / "music" / name)
    assert take(tmp_path / "music", tmp_path / "i")[1] == 3
    assert take(tmp_path / "music", tmp_path / "i")[1] == 0
    assert all(json.loads(line) for line in (tmp_path / "i").read_text().strip().split("\n"))


def test_another_stamp_is_hashed_again_even_at_the_same_place(tmp_path):
    path = write_wav(tmp_path / "a.wav")
    file = FoundFile(str(path), "a.wav", 1, "1")
    take_inventory([file], tmp_path / "i", note([]))
    reads = []
    take_inventory([dataclasses.replace(file, stamp="2")], tmp_path / "i", note(reads))
    assert reads == [1]


def test_a_limit_reads_no_more_than_it_needs_and_forgets_nothing(tmp_path):
    music = tmp_path / "music"
    for i in range(60):
        write_wav(music / f"{i:02d}.wav", seed=i // 2)  # pairs of copies
    files = list(open_source(str(music)).files())
    read: list[int] = []
    got = take_inventory(files, tmp_path / "i", note(read), limit=3)
    assert [h.file.source_path for h in got] == ["00.wav", "01.wav", "02.wav", "03.wav", "04.wav"]
    assert len(read) <= 8
    everything = take_inventory(files, tmp_path / "i", note([]))
    read.clear()
    assert take_inventory(files, tmp_path / "i", note(read), limit=3) == got
    assert take_inventory(files, tmp_path / "i", note(read)) == everything and not read


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 7, 30, 31, 1000])
def test_the_plan_of_a_limit_has_the_tracks_that_the_whole_inventory_would_give(tmp_path, limit):
    for i in range(60):
        write_wav(tmp_path / "music" / f"{i:02d}.wav", seed=i * 7 % 30)
    files = list(open_source(str(tmp_path / "music")).files())
    part = take_inventory(files, tmp_path / "i", note([]), limit)
    whole = take_inventory(files, tmp_path / "j", note([]))
    assert make_plan(part, "s", BuildConfig(), limit).tracks == make_plan(whole, "s", BuildConfig(), limit).tracks


def test_what_the_input_holds_no_more_is_forgotten(tmp_path, music):
    take(music, tmp_path / "i")
    (music / "4.wav").unlink()
    assert take(music, tmp_path / "i")[1] == 0
    assert len((tmp_path / "i").read_text().splitlines()) == 1 + 4


def test_a_killed_inventory_goes_on_where_it_was(tmp_path, music, monkeypatch):
    monkeypatch.setattr(inventory, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(inventory, "CHUNK", 2)
    files, read = list(open_source(str(music)).files()), []

    def killed_at_the_last(done, total, is_read):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_inventory(files, tmp_path / "i", killed_at_the_last)
    read.clear()
    take_inventory(files, tmp_path / "i", note(read))
    assert len(read) == 1
