"""A progress bar for commands that count one kind of thing: live on a terminal, silent in a pipe."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fgmcaps.pipeline.build.progress import is_terminal


@contextlib.contextmanager
def counted(title: str, unit: str, quiet: bool) -> Iterator[tuple[Callable[[int | None], None], Callable[[], None]]]:
    """Yield ``(start, step)``: ``start(total)`` shows the bar (None: total unknown), ``step()`` advances it by one."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn(f"{{task.completed:.0f}}/{{task.total}} {unit}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quiet or not is_terminal(),
    )
    task = bar.add_task(title, total=None, start=False, visible=False)

    def start(total: int | None) -> None:
        bar.start_task(task)
        bar.update(task, total=total, visible=True)

    with bar:
        yield start, lambda: bar.advance(task)
