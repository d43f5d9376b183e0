"""Workers take tracks from one queue: each track once, whoever is faster."""

import multiprocessing
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.pipeline.stages.cut import TrackTask
from fgmcaps.pipeline.stages.task_queue import TaskQueue, tickets_for
from fgmcaps.schemas import Track


def task(number: int) -> TrackTask:
    track = Track(f"{number:016x}", "", "s", f"a \u2028 song\n{number}", number, "train")
    return TrackTask(track, frozenset({f"{number:016x}-00000000"}))


def drain(queue: TaskQueue) -> list[TrackTask]:
    return list(iter(queue.take, None))


def test_tasks_come_in_order_as_they_were_and_then_no_more(tmp_path):
    tasks = [task(n) for n in range(30)]
    queue = TaskQueue.create(tmp_path / "tasks.jsonl", tasks, 2)
    assert drain(pickle.loads(pickle.dumps(queue))) == tasks
    assert queue.take() is None


def test_a_new_queue_replaces_one_that_was_left_in_the_middle(tmp_path):
    TaskQueue.create(tmp_path / "tasks.jsonl", [task(n) for n in range(9)], 2).take()
    queue = TaskQueue.create(tmp_path / "tasks.jsonl", [task(7)], 2)
    assert drain(queue) == [task(7)]


@pytest.mark.slow
def test_processes_share_the_tasks_and_none_goes_twice(tmp_path):
    tasks = [task(n) for n in range(300)]
    queue = TaskQueue.create(tmp_path / "tasks.jsonl", tasks, 3)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        taken = [t for share in pool.map(drain, [queue] * 3) for t in share]
    assert sorted(t.track.track_id for t in taken) == [t.track.track_id for t in tasks]


@given(st.integers(1, 10_000), st.integers(1, 64))
def test_there_are_tickets_for_every_track_though_one_worker_takes_double_its_share(count, workers):
    tickets = tickets_for(count, workers)
    assert tickets % workers == 0
    assert tickets >= count
    assert tickets // workers >= min(count, 2 * count / workers)
