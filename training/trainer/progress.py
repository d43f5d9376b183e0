"""What a person sees of a training: a bar on a terminal, plain lines in a pipe; and TensorBoard where asked for."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from fgmcaps.common.errors import MachineError

PLAIN_EVERY_S = 10.0


class TrainingLog:
    """Progress of epochs and steps. A context manager; a silent one shows nothing and still feeds TensorBoard."""

    def __init__(self, out: Path, *, tensorboard: bool = False, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, markup=False, highlight=False)
        self.live = self.console.is_terminal and not quiet
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f}/{task.total:.0f} steps{task.fields[more]}"),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.live,
        )
        self.task: TaskID | None = None
        self.last_line = time.monotonic()
        self.writer = _writer(out / "tensorboard") if tensorboard else None

    def __enter__(self) -> "TrainingLog":
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()
        if self.writer is not None:
            self.writer.close()

    def say(self, line: str) -> None:
        """A line for people."""
        self.console.print(line, soft_wrap=True)

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float) -> None:
        """One more step done."""
        if self.writer is not None:
            self.writer.add_scalar("loss/step", loss, (epoch - 1) * steps + step)
        if self.live:
            if self.task is None:
                self.task = self.bar.add_task("", total=steps, more="")
            text = f"Epoch {epoch}/{epochs}"
            self.bar.update(self.task, description=text, completed=step, total=steps, more=f", loss {loss:.3f}")
        elif time.monotonic() - self.last_line >= PLAIN_EVERY_S:
            self.last_line = time.monotonic()
            self.say(f"epoch {epoch}/{epochs}: step {step}/{steps}, loss {loss:.3f}")

    def epoch(self, entry: Mapping[str, Any], epochs: int, steps: int) -> None:
        """One more epoch done."""
        self.last_line = time.monotonic()
        validation: Mapping[str, float] = entry["validation"]
        recall = [f"{view} {validation[key]:.1%}" for view in VIEW_NAMES if (key := f"{view}/t2a/R@10") in validation]
        found = f", text-to-audio R@10 {', '.join(recall)}" if recall and tells(validation) else ""
        self.say(
            f"epoch {entry['epoch']}/{epochs}: loss {entry['loss']:.3f} (global {entry['loss_global']:.3f}, "
            f"frame {entry['loss_frame']:.3f}){found}, {entry['seconds']:.1f} s"
        )
        if self.writer is not None:
            for key in ("loss", "loss_global", "loss_frame", "temperature"):
                self.writer.add_scalar(f"epoch/{key}", entry[key], entry["epoch"] * steps)
            for key, value in validation.items():
                self.writer.add_scalar(f"validation/{key}", value, entry["epoch"] * steps)


def tells(validation: Mapping[str, float]) -> bool:
    """False where R@10 says nothing: among ten clips or fewer it is always 100 %."""
    return validation.get("pool/clips", math.inf) > 10


VIEW_NAMES = ("global", "frame", "fused")


def _writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MachineError("tensorboard is not installed; install it, or leave out --tensorboard") from None
    return SummaryWriter(str(folder))
