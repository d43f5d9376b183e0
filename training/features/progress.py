"""What a person sees while features are computed: a bar on a terminal, plain lines in a pipe."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

PLAIN_EVERY_S = 10.0
STAGES = {
    "fit": ("Fitting statistics", "clips"),
    "audio": ("Encoding audio", "clips"),
    "text": ("Encoding text", "captions"),
}


class CacheProgress:
    """Takes the reports of ``build_cache``. A context manager."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, markup=False, highlight=False)
        self.live = self.console.is_terminal and not quiet
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.live,
        )
        self.tasks: dict[str, TaskID] = {}
        self.began: dict[str, tuple[float, int]] = {}
        self.last = 0.0

    def __enter__(self) -> "CacheProgress":
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def say(self, line: str) -> None:
        """A line for people."""
        self.console.print(line, soft_wrap=True)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """A report: stage, done, total."""
        title, unit = STAGES[stage]
        now = time.monotonic()
        first = stage not in self.began
        began, before = self.began.setdefault(stage, (now, done))
        if self.live:
            if first:
                self.tasks[stage] = self.bar.add_task(title, total=total, unit=unit)
            self.bar.update(self.tasks[stage], completed=done, total=total)
        elif first or done == total or now - self.last >= PLAIN_EVERY_S:
            self.last = now
            speed = f", {(done - before) / (now - began):.1f} {unit}/s" if done > before and now > began else ""
            self.say(f"{title}: {done}/{total} {unit}{speed}")
