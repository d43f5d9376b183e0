"""The request cache: several processes, kills, damage and full disks."""

import multiprocessing
import os
import signal
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.captioning.engines.request_cache import CacheWriteError, RequestCache, request_key


def key(number: int) -> str:
    return request_key(number=number)


def test_key_is_the_hash_of_canonical_json() -> None:
    # printf '{"a":1,"b":"\u00e9"}' with the escape written out, through sha256sum
    assert request_key(b="é", a=1) == "6071e7aa781e8adc235db31b17e6d0ee414a17031b1744a38fbf2cd17effcbce"
    assert request_key(a=1) != request_key(a="1")


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_text_comes_back(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # the second time from the file
            with RequestCache(Path(folder)) as cache:
                for text in texts:
                    name = request_key(text=text)
                    if cache.get(name) is None:
                        cache.put(name, text)
                    assert cache.get(name) == text


def test_the_first_answer_stays(tmp_path: Path) -> None:
    """Two processes may ask the same question at the same time; every later reader takes the same answer."""
    with RequestCache(tmp_path) as one, RequestCache(tmp_path) as two:
        one.put(key(1), "first")
        two.put(key(1), "second")
    answers = set()
    for _ in range(3):
        with RequestCache(tmp_path) as cache:
            answers.add(cache.get(key(1)))
    assert len(answers) == 1


def test_a_torn_last_line_is_skipped(tmp_path: Path) -> None:
    with RequestCache(tmp_path) as cache:
        for i in range(10):
            cache.put(key(i), f"answer {i}")
    (segment,) = tmp_path.iterdir()
    data = segment.read_bytes()
    for cut in range(len(data) - 70, len(data)):
        segment.write_bytes(data[:cut])
        with RequestCache(tmp_path) as cache:
            assert [cache.get(key(i)) for i in range(10)] == [f"answer {i}" for i in range(9)] + [None]


def test_a_flipped_byte_is_a_miss(tmp_path: Path) -> None:
    with RequestCache(tmp_path) as cache:
        cache.put(key(1), "a caption")
    (segment,) = tmp_path.iterdir()
    data = segment.read_bytes()
    segment.write_bytes(data.replace(b"a caption", b"b caption"))
    with RequestCache(tmp_path) as cache:
        assert cache.get(key(1)) is None


def test_foreign_files_and_lines_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "x.answers").write_bytes(b"\xff" * 100 + b"\n" + b"z" * 8 + b" " + b"q" * 64 + b" 1\n" + b"\0" * 5000)
    with RequestCache(tmp_path) as cache:
        assert len(cache) == 0
        cache.put(key(1), "x")
        assert cache.get(key(1)) == "x"


def test_a_full_disk_is_named_and_leaves_whole_lines(tmp_path: Path) -> None:
    with RequestCache(tmp_path) as cache:
        cache.put(key(1), "x")
        writer = cache._writer
        cache._writer = open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115
        with pytest.raises(CacheWriteError, match=r"No space left on device; free space or give another folder"):
            cache.put(key(2), "y")
        cache._writer.close()
        cache._writer = writer
        cache.put(key(3), "z")
        assert [cache.get(key(i)) for i in (1, 2, 3)] == ["x", None, "z"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheWriteError, match="give a folder that can be written"):
        RequestCache(tmp_path / "file" / "cache")


def _write_for_ever(folder: Path, worker: int) -> None:
    cache = RequestCache(folder)
    for i in range(1_000_000):
        cache.put(request_key(worker=worker, i=i), f"answer {worker} {i}")
        if i == 200:
            (folder / f"{worker}.started").touch()


@pytest.mark.slow
def test_killed_writers_lose_nothing_that_they_put(tmp_path: Path) -> None:
    """Three processes are killed with SIGKILL while writing: whatever is found is whole, without a gap."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_for_ever, args=(tmp_path, w)) for w in range(3)]
    for worker in workers:
        worker.start()
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*.started"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    for worker in workers:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    with RequestCache(tmp_path) as cache:
        for w in range(3):
            count = 0
            while (answer := cache.get(request_key(worker=w, i=count))) is not None:
                assert answer == f"answer {w} {count}"
                count += 1
            assert count > 200
            assert cache.get(request_key(worker=w, i=count + 1)) is None
        assert len(cache) > 600


def test_memory_per_answer_found_is_small(tmp_path: Path) -> None:
    with RequestCache(tmp_path) as cache:
        for i in range(2000):
            cache.put(key(i), "x")
    with RequestCache(tmp_path) as cache:
        assert cache._keys.nbytes + cache._places.nbytes == 2000 * 16
        assert cache.get(key(1999)) == "x"
