"""What a person sees of a push or a pull: one bar on a terminal, plain lines in a pipe, nothing when quiet."""

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

PLAIN_EVERY_S = 10.0


class TransferProgress:
    """Counts bytes by stage. This base class is silent; safe to call from several threads."""

    def stage(self, title: str, total: int) -> None:
        """Begin a stage of ``total`` bytes."""

    def advance(self, count: int) -> None:
        """``count`` more bytes; negative when a file is sent again."""


class TerminalProgress(TransferProgress):
    """Progress on a console. Use as a context manager."""

    def __init__(self, console: Console, live: bool) -> None:
        self._console, self._live = console, live
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            DownloadColumn(binary_units=True),
            TimeRemainingColumn(),
            console=console,
            disable=not live,
        )
        self._lock = threading.Lock()
        self._task: TaskID | None = None
        self._title, self._done, self._total, self._said = "", 0, 0, 0.0

    def __enter__(self) -> "TerminalProgress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._title:
            self._say()
        self._bar.stop()

    def stage(self, title: str, total: int) -> None:
        if self._title:
            self._say()
        with self._lock:
            self._title, self._done, self._total, self._said = title, 0, total, time.monotonic()
            if self._task is not None:
                self._bar.update(self._task, completed=self._total_of_bar())
            self._task = self._bar.add_task(title, total=total or None)

    def advance(self, count: int) -> None:
        with self._lock:
            self._done += count
            if self._task is not None:
                self._bar.update(self._task, completed=min(self._done, self._total))
            due = time.monotonic() - self._said >= PLAIN_EVERY_S
        if due and not self._live:
            self._say()

    def _total_of_bar(self) -> float:
        task = next(task for task in self._bar.tasks if task.id == self._task)
        return task.total or 0

    def _say(self) -> None:
        if not self._live:
            self._said = time.monotonic()
            self._console.print(f"{self._title}: {_mib(self._done)} of {_mib(self._total)} MiB", highlight=False)


def _mib(count: int) -> str:
    return f"{count / 2**20:.1f}"
