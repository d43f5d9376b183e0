"""What a person sees while a command works: bars on a terminal, plain lines in a pipe, nothing when quiet."""

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.progress import Task as Bar
from rich.text import Text

from fgmcaps.common.console import SafeConsole
from fgmcaps.common.pace import Pace, about

PLAIN_EVERY_S = 10.0
BYTES = "bytes"
"""The unit whose counts are shown in MiB."""


class Progress:
    """Counts of one or more stages on standard error; a context manager, safe to call from several threads.

    On a terminal each stage is a bar with the time left. Elsewhere it is a line at the start and at the end of a stage,
    and one every ten seconds in between, with the speed.

    Args:
        quiet: show nothing at all.
        console: where to show it; default standard error.
        live: bars instead of lines; default: where the console is a terminal.
    """

    def __init__(self, *, quiet: bool = False, console: Console | None = None, live: bool | None = None) -> None:
        self.console = console or SafeConsole(stderr=True, quiet=quiet)
        self.live = (self.console.is_terminal if live is None else live) and not quiet
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            _Counts(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self.console,
            disable=not self.live,
        )
        self._stages: dict[str, _Stage] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print one line for people."""
        self.console.print(line, soft_wrap=True)

    def show(
        self, title: str, done: int, total: int | None, unit: str = "", note: str | None = None, *, ends: bool = True
    ) -> None:
        """Show that ``done`` of ``total`` (None: not known) is done in the stage ``title``.

        ``note`` follows the counts. ``ends``: whether a pipe is told at once when a stage begins and ends.
        """
        with self._lock:
            now = time.monotonic()
            stage = self._stages.get(title)
            first = stage is None or done < stage.done
            if stage is None:
                bar = self._bars.add_task(title, total=total, unit=unit, note="", left="") if self.live else None
                stage = self._stages[title] = _Stage(now, done, bar, said=0.0 if ends else now)
            elif first:  # the stage has begun again, as each epoch of a training does
                stage.pace = Pace(now, done)
                stage.said = stage.said if ends else now
            finished = done == total and stage.done != done
            stage.done = done
            stage.pace.add(now, done)
            seconds = stage.pace.left(now, total)
            left = "" if seconds is None else about(seconds)
            if stage.bar is not None:
                self._bars.update(stage.bar, completed=done, total=total, note=note or "", left=left)
            elif (ends and (first or finished)) or now - stage.said >= PLAIN_EVERY_S:
                stage.said = now
                speed = stage.pace.mean(now) if finished else stage.pace.speed(now)
                parts = [f"{title}: {counts(done, total, unit)}{note or ''}"]
                if speed is not None and now - stage.pace.began >= 1:
                    parts.append(rate(speed, unit))
                self.say(", ".join([*parts, left] if left else parts))

    def stages(self, titles: Mapping[str, tuple[str, str]]) -> Callable[[str, int, int], None]:
        """A function of ``(stage, done, total)`` for code that knows no titles; ``titles``: stage -> (title, unit)."""

        def report(stage: str, done: int, total: int) -> None:
            title, unit = titles.get(stage, (stage, ""))
            self.show(title, done, total, unit)

        return report

    def counter(self, title: str, unit: str = "") -> "Counter":
        """A stage that is counted up one by one."""
        return Counter(self, title, unit)


class Counter:
    """One stage whose total may become known late, counted up; safe to call from several threads."""

    def __init__(self, progress: Progress, title: str, unit: str) -> None:
        self._progress, self._title, self._unit = progress, title, unit
        self._lock = threading.Lock()
        self.done = 0
        self.total: int | None = None

    def start(self, total: int | None) -> None:
        """Begin; ``total`` is None where nobody knows it yet."""
        self.total = total
        self._progress.show(self._title, 0, total, self._unit)

    def advance(self, count: int = 1) -> None:
        """``count`` more are done."""
        with self._lock:
            self.done += count
            done = self.done
        self._progress.show(self._title, done, self.total, self._unit)


class _Stage:
    def __init__(self, now: float, done: int, bar: TaskID | None, said: float) -> None:
        self.pace, self.done, self.said, self.bar = Pace(now, done), done, said, bar


class _Counts(ProgressColumn):
    def render(self, task: Bar) -> Text:
        total = None if task.total is None else int(task.total)
        return Text(counts(int(task.completed), total, task.fields["unit"]))


def counts(done: int, total: int | None, unit: str) -> str:
    """``12/100 clips``, or MiB where the unit is bytes."""
    if unit == BYTES:
        return f"{done / 2**20:.1f}{'' if total is None else f' of {total / 2**20:.1f}'} MiB"
    return f"{done}{'' if total is None else f'/{total}'}{f' {unit}' if unit else ''}"


def rate(speed: float, unit: str) -> str:
    """``3.2 clips/s``, ``0.05 tracks/s``, or MiB a second where the unit is bytes."""
    if unit == BYTES:
        return f"{speed / 2**20:.1f} MiB/s"
    return f"{speed:.{1 if speed >= 1 else 2}f} {unit}/s"
