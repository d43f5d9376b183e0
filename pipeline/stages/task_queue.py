"""Tracks that workers take one by one, so that none is idle while another has many left.

Beam's local runner deals its input out to the workers once, in turn. So it is given tickets to deal, more than there
are tracks; a ticket stands for whichever track is next in a file that the workers share.
"""

import fcntl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam

from fgmcaps.pipeline.stages.cut import TrackTask
from fgmcaps.schemas import from_json, to_json

SPARE = 16


@dataclass(frozen=True, slots=True)
class TaskQueue:
    """Tasks in ``path``, one a line, and next to it how far they are taken. Pickles small; holds no task in memory."""

    path: Path
    tickets: int

    @property
    def _taken(self) -> Path:
        return self.path.with_suffix(".taken")

    @classmethod
    def create(cls, path: Path, tasks: Sequence[TrackTask], workers: int) -> "TaskQueue":
        """A new queue; replaces any that was there. Raises OSError."""
        queue = cls(path, tickets_for(len(tasks), workers))
        path.write_text("".join(f"{to_json(task)}\n" for task in tasks), encoding="utf-8")
        queue._taken.write_text("0", encoding="ascii")
        return queue

    def take(self) -> TrackTask | None:
        """The next task, which no other process will get; None when all are taken."""
        with self._taken.open("r+", encoding="ascii") as taken:
            fcntl.flock(taken, fcntl.LOCK_EX)
            with self.path.open("rb") as tasks:
                tasks.seek(int(taken.read()))
                line = tasks.readline()
                if not line:
                    return None
                taken.seek(0)
                taken.write(str(tasks.tell()))  # never shorter than what was there
        return from_json(TrackTask, line)


def tickets_for(tracks: int, workers: int) -> int:
    """How many tickets to deal: enough for each worker to take twice its share of the tracks, or all of them."""
    return workers * min(tracks, 2 * -(-tracks // workers) + SPARE)


class TakeTracks(beam.DoFn):
    """Ticket -> the next track, while there is one."""

    def __init__(self, queue: TaskQueue) -> None:
        super().__init__()
        self.queue = queue

    def process(self, ticket: int) -> Iterator[TrackTask]:
        task = self.queue.take()
        if task is not None:
            yield task
