"""What a person sees of a training, and TensorBoard where it is asked for."""

import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from fgmcaps.common.errors import MachineError
from fgmcaps.common.progress import Progress


class TrainingLog(Progress):
    """Progress of epochs and steps; feeds TensorBoard too, also where it is quiet."""

    def __init__(self, out: Path, *, tensorboard: bool = False, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self.writer = _writer(out / "tensorboard") if tensorboard else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self.writer is not None:
            self.writer.close()

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float) -> None:
        """One more step done."""
        if self.writer is not None:
            self.writer.add_scalar("loss/step", loss, (epoch - 1) * steps + step)
        self.show("Training", step, steps, "steps", f" of epoch {epoch}/{epochs}, loss {loss:.3f}", ends=False)

    def epoch(self, entry: Mapping[str, Any], epochs: int, steps: int) -> None:
        """One more epoch done."""
        validation: Mapping[str, float] = entry["validation"]
        recall = [f"{view} {validation[key]:.1%}" for view in VIEW_NAMES if (key := f"{view}/t2a/R@10") in validation]
        found = f", text-to-audio R@10 {', '.join(recall)}" if recall and recall_means_something(validation) else ""
        self.say(
            f"epoch {entry['epoch']}/{epochs}: loss {entry['loss']:.3f} (global {entry['loss_global']:.3f}, "
            f"frame {entry['loss_frame']:.3f}){found}, {entry['seconds']:.1f} s"
        )
        if self.writer is not None:
            for key in ("loss", "loss_global", "loss_frame", "temperature"):
                self.writer.add_scalar(f"epoch/{key}", entry[key], entry["epoch"] * steps)
            for key, value in validation.items():
                self.writer.add_scalar(f"validation/{key}", value, entry["epoch"] * steps)


def recall_means_something(validation: Mapping[str, float]) -> bool:
    """False where R@10 says nothing: among ten clips or fewer it is always 100 %."""
    return validation.get("pool/clips", math.inf) > 10


VIEW_NAMES = ("global", "frame", "fused")


def _writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MachineError("tensorboard is not installed; install it, or leave out --tensorboard") from None
    return SummaryWriter(str(folder))
