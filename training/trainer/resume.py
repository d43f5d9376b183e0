"""Checkpoints: everything that the rest of a run depends on, in one folder that is there whole or not at all.

A checkpoint holds ``model.safetensors``, ``optimizer.safetensors``, ``best.safetensors`` (the weights that the monitor
liked best, where there are any), ``pool-<rank>.safetensors`` (where there is a pool) and ``state.json``. Random numbers
need no place in it: order, captions and dropout of a step are functions of seed, epoch and step.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.common.files import write_atomically
from fgmcaps.common.json_file import MIB, read_json
from fgmcaps.training.model.model import read_tensors

FOLDER = "checkpoints"
_NAME = re.compile(r"\d{5}-\d{7}")


@dataclass
class Progress:
    """How far a run is. ``step`` counts steps of the epoch under way, ``sums`` its losses so far."""

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    best_value: float | None = None
    best_epoch: int = 0
    waited: int = 0
    scaler: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read back."""

    folder: Path
    progress: Progress
    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    best: dict[str, Tensor]

    def pool(self, rank: int) -> dict[str, Tensor]:
        """The pool of a process; empty where there is none."""
        path = self.folder / f"pool-{rank}.safetensors"
        return read_tensors(path) if path.is_file() else {}


def construction(out: Path, progress: Progress) -> Path:
    """Folder of a checkpoint under construction; :func:`finish` makes it count."""
    return out / FOLDER / f".{progress.epoch:05d}-{progress.step:07d}.tmp"


def begin(out: Path, progress: Progress) -> Path:
    """Make the empty folder of :func:`construction`."""
    folder = construction(out, progress)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write(
    folder: Path,
    progress: Progress,
    model: Mapping[str, Tensor],
    optimizer: Mapping[str, Tensor],
    best: Mapping[str, Tensor],
) -> None:
    """Write all but the pools. Raises MachineError on a full disk; earlier checkpoints are untouched."""
    for name, tensors in (("model", model), ("optimizer", optimizer), ("best", best)):
        write_tensors(folder / f"{name}.safetensors", tensors)
    write_atomically(folder / "state.json", json.dumps(asdict(progress)).encode())


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A safetensors file, whole or not at all; none for no tensors."""
    if tensors:
        write_atomically(path, save({key: value.detach().cpu().contiguous() for key, value in tensors.items()}))


def finish(folder: Path) -> None:
    """Give a complete checkpoint its name, and delete the older ones."""
    final = folder.with_name(folder.name.removeprefix(".").removesuffix(".tmp"))
    shutil.rmtree(final, ignore_errors=True)
    folder.rename(final)
    descriptor = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    for other in final.parent.iterdir():
        if other != final:
            shutil.rmtree(other, ignore_errors=True)


def latest(out: Path) -> Checkpoint | None:
    """The newest complete checkpoint of a run; None where there is none. Raises InvalidDataError for a damaged one."""
    names = sorted(p.name for p in (out / FOLDER).glob("*-*") if _NAME.fullmatch(p.name))
    if not names:
        return None
    folder = out / FOLDER / names[-1]
    remedy = f"delete {folder} to start from the beginning"
    try:
        progress = Progress(**read_json(folder / "state.json", 64 * MIB))
    except (OSError, ValueError, TypeError) as error:
        raise InvalidDataError(f"{folder / 'state.json'} is damaged ({error}); {remedy}") from None
    try:
        model, optimizer = read_tensors(folder / "model.safetensors"), read_tensors(folder / "optimizer.safetensors")
        best = read_tensors(folder / "best.safetensors") if (folder / "best.safetensors").is_file() else {}
    except InvalidDataError as error:
        raise InvalidDataError(f"{error}; {remedy}") from None
    return Checkpoint(folder, progress, model, optimizer, best)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's state as flat tensors: ``<parameter>.<name>``."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{name}": torch.as_tensor(value) for i, entry in state.items() for name, value in entry.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put :func:`optimizer_tensors` back into an optimizer of the same parameters."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
