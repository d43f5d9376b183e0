"""Train the heads on a feature cache.

``train`` checks the data, binds OUT, goes on from the newest checkpoint, and after each epoch evaluates, keeps the best
weights, and writes a checkpoint. Order, captions, dropout of features and dropout in the heads are functions of seed,
epoch and step, so a run that was killed ends with the same bytes as one that was not.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.files import folder_lock
from fgmcaps.training.data.sampler import Ints
from fgmcaps.training.device import choose_device
from fgmcaps.training.evaluation.evaluate import evaluate
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.model.metrics_file import read_metrics
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.settings import TrainSettings
from fgmcaps.training.trainer.progress import TrainingLog
from fgmcaps.training.trainer.run import Evaluate, Run
from fgmcaps.training.trainer.run_folder import open_run


@dataclass(frozen=True)
class TrainResult:
    """A finished run: its folder, ``metrics.json`` as it stands, and whether there was anything to do."""

    out: Path
    metrics: Mapping[str, Any]
    already_done: bool


def train(
    settings: TrainSettings,
    cache: FeatureCache,
    out: str | Path,
    *,
    licences: Mapping[str, str] | None = None,
    evaluation: Evaluate | None = None,
    device: str | None = None,
    quiet: bool = False,
) -> TrainResult:
    """Train on the train split of ``cache`` into the folder ``out``; a finished run is left as it is.

    Started by ``accelerate launch`` or ``torchrun``, it trains on all processes.

    Args:
        licences: Licence by name of the encoders and of the tools that made the labels, for the model card.
        evaluation: From model, cache and validation rows to flat metrics; default
            :func:`fgmcaps.training.evaluation.evaluate.evaluate`.
        device: ``cpu`` keeps it off a GPU; default a GPU where there is one.

    Raises FgmcapsError (OUT of another configuration, a monitor that nobody measures, rows that cannot be told apart),
    MachineError (out of memory, disk full) and InvalidDataError (features or loss not finite; damaged files).
    """
    out = Path(out)
    accelerator = _accelerator(settings, choose_device(device))
    if accelerator.is_main_process:
        open_run(out, settings, cache.fingerprint, accelerator.num_processes)
    accelerator.wait_for_everyone()
    done = read_metrics(out)
    if done is not None:
        return TrainResult(out, done, already_done=True)
    alone: AbstractContextManager[None] = folder_lock(out, "training") if accelerator.is_main_process else nullcontext()
    with (
        alone,
        TrainingLog(
            out,
            tensorboard=settings.tensorboard and accelerator.is_main_process,
            quiet=quiet or not accelerator.is_main_process,
        ) as log,
        deterministic(settings.deterministic),
    ):
        run = Run(settings, cache, out, accelerator, log, licences or {}, evaluation or _default_evaluation(settings))
        run.all_epochs()
        metrics = run.finish()
    return TrainResult(out, metrics, already_done=False)


class deterministic:  # noqa: N801 - reads as a context
    """Choose kernels that give the same bits each time, where there is one, and put the choice back afterwards."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def __enter__(self) -> None:
        self.before = (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        )
        if self.on:
            torch.use_deterministic_algorithms(True, warn_only=True)

    def __exit__(self, *_: object) -> None:
        torch.use_deterministic_algorithms(self.before[0], warn_only=self.before[1])


def _default_evaluation(settings: TrainSettings) -> Evaluate:
    def run(model: FigmaModel, cache: FeatureCache, rows: Ints) -> Mapping[str, float]:
        return evaluate(model, cache, rows, budget_mb=settings.score_budget_mb)

    return run


def _accelerator(settings: TrainSettings, device: str) -> Accelerator:
    cpu = device == "cpu"
    if settings.precision == "fp16" and cpu:
        raise FgmcapsError("precision fp16 needs a GPU; take bf16 or fp32")
    AcceleratorState._reset_state()  # a second training in one process may ask for another precision
    return Accelerator(mixed_precision={"fp32": "no"}.get(settings.precision, settings.precision), cpu=cpu)
