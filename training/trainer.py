"""Train the heads on a feature cache.

``train`` checks the data, binds OUT, goes on from the newest checkpoint, and after each epoch evaluates, keeps the best
weights, and writes a checkpoint. Order, captions, dropout of features and dropout in the heads are functions of seed,
epoch and step, so a run that was killed ends with the same bytes as one that was not.
"""

import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor

from training import resume
from training.atomic import folder_lock
from training.batch import Batch
from training.cache import FeatureCache
from training.errors import FigmaError, MachineError
from training.evaluation import evaluate
from training.guards import check_finite_loss, check_training_rows, out_of_memory
from training.logging_progress import TrainingLog
from training.losses import Parts
from training.model import EncoderRecord, FigmaModel, ModelConfig, load_weights
from training.outputs import write_outputs
from training.pool import world
from training.run_folder import open_run, read_metrics
from training.sampler import Ints, choose_captions, drop_positions, epoch_batches
from training.settings import TrainSettings
from training.step import Objective, backward_in_parts, backward_whole
from training.views import Views

Evaluate = Callable[[FigmaModel, FeatureCache, Ints], Mapping[str, float]]
MIN_TEMPERATURE = 0.01  # as CLIP: below it, gradients explode


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
        licences: Licence by encoder name, for the model card.
        evaluation: From model, cache and validation rows to flat metrics; default :func:`training.evaluation.evaluate`.
        device: ``cpu`` keeps it off a GPU.

    Raises FigmaError (OUT of another configuration, a monitor that nobody measures, rows that cannot be told apart),
    MachineError (out of memory, disk full) and InvalidDataError (features or loss not finite; damaged files).
    """
    out = Path(out)
    accelerator = _accelerator(settings, device)
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


class Run:
    """One training run under way."""

    def __init__(
        self,
        settings: TrainSettings,
        cache: FeatureCache,
        out: Path,
        accelerator: Accelerator,
        log: TrainingLog,
        licences: Mapping[str, str],
        evaluation: Evaluate,
    ) -> None:
        self.settings, self.cache, self.out, self.accelerator, self.log = settings, cache, out, accelerator, log
        self.evaluation = evaluation
        self.rows = cache.rows("train")
        check_training_rows(cache, self.rows, settings)
        self.validation = validation_rows(cache, settings)
        per_step = settings.batch * accelerator.num_processes
        if len(self.rows) < per_step and accelerator.num_processes > 1:
            raise FigmaError(f"{len(self.rows)} training rows do not fill {per_step} places a step; lower batch")
        self.batch = min(per_step, len(self.rows))
        self.steps = max(1, len(self.rows) // self.batch // settings.accumulate)

        torch.manual_seed(settings.seed)
        audio, text = encoder_records(cache, licences)
        state = {name: torch.from_numpy(np.array(value)) for name, value in cache.encoder_state.items()}
        self.model = FigmaModel(ModelConfig.of(settings, audio, text), state)
        self.model.log_temperature.requires_grad_(settings.learn_temperature)
        self.progress = resume.Progress()
        checkpoint = resume.latest(out)
        if checkpoint is not None:
            load_weights(self.model, checkpoint.model, checkpoint.folder)
        kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.AdamW
        trained = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = kind(trained, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self.forward, self.optimizer = accelerator.prepare(self.model, optimizer)
        self.objective = Objective(settings)
        self.best: Mapping[str, Tensor] = {}
        if checkpoint is not None:
            self._restore(checkpoint)

    def all_epochs(self) -> None:
        """Train until the last epoch, or until the monitor has not risen for ``patience`` epochs."""
        s = self.settings
        while self.progress.epoch < s.epochs and not (s.patience and self.progress.waited >= s.patience):
            self._epoch(self.progress.epoch + 1)

    def finish(self) -> dict[str, Any]:
        """Write model, metrics, curves and card; return the metrics."""
        p = self.progress
        if self.best:
            load_weights(self.model, {k: v.cpu() for k, v in self.best.items()}, self.out)
        metrics: dict[str, Any] = {}
        if self.accelerator.is_main_process:
            metrics = write_outputs(self.out, self.model, self.cache, self.settings, p, self.rows, self.validation)
            shutil.rmtree(self.out / resume.FOLDER, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        return metrics

    def _epoch(self, epoch: int) -> None:
        started, p = time.monotonic(), self.progress
        self.forward.train()
        for step, batches in self._batches(epoch, p.step):
            parts = self._step(epoch, step, batches)
            for name, value in parts.items():
                p.sums[name] = p.sums.get(name, 0.0) + value
            p.step = step + 1
            self.log.step(epoch, self.settings.epochs, step + 1, self.steps, parts["loss"])
            every = self.settings.checkpoint_steps
            if every and p.step % every == 0 and p.step < self.steps:
                self._checkpoint()
        entry: dict[str, Any] = {"epoch": epoch, "steps": p.step}
        entry |= {name: value / p.step for name, value in p.sums.items()}
        entry |= {"temperature": float(self.model.temperature.detach()), "validation": self._validate()}
        entry["seconds"] = round(time.monotonic() - started, 3)
        p.history.append(entry)
        p.epoch, p.step, p.sums = epoch, 0, {}
        self._keep_best(entry["validation"])
        self.log.epoch(entry, self.settings.epochs, self.steps)
        self._checkpoint()

    def _batches(self, epoch: int, skip: int) -> Iterator[tuple[int, list[Batch]]]:
        """The steps of an epoch from ``skip`` on; the next one is read while one is computed."""
        s, rank = self.settings, self.accelerator.process_index
        order = epoch_batches(
            self.cache.track[self.rows],
            self.batch,
            seed=s.seed,
            epoch=epoch,
            one_clip_per_track=s.one_clip_per_track,
        )
        share = self.batch // self.accelerator.num_processes

        def read(step: int) -> list[Batch]:
            wanted = order[step * s.accumulate : (step + 1) * s.accumulate]
            return [
                self._read(self.rows[part[rank * share : (rank + 1) * share]], epoch, step * s.accumulate + k)
                for k, part in enumerate(wanted)
            ]

        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(read, skip)
            for step in range(skip, self.steps):
                batches = coming.result()
                if step + 1 < self.steps:
                    coming = reader.submit(read, step + 1)
                yield step, batches

    def _read(self, rows: Ints, epoch: int, step: int) -> Batch:
        s, rank = self.settings, self.accelerator.process_index
        seed = s.seed * 1009 + rank
        captions = choose_captions(self.cache.caption_count[rows], s.captions, seed=seed, epoch=epoch, step=step)
        batch = self.cache.batch(rows, captions)
        masks = {}
        for name, share, stream in (("audio_mask", s.frame_dropout, 2), ("text_mask", s.token_dropout, 3)):
            mask = getattr(batch, name).numpy()
            kept = drop_positions(mask, share, seed=seed, epoch=epoch, step=step, stream=stream)
            masks[name] = torch.from_numpy(kept)
        batch = replace(batch, **masks)
        return batch.pin_memory() if self.accelerator.device.type == "cuda" else batch

    def _step(self, epoch: int, step: int, batches: list[Batch]) -> dict[str, float]:
        s = self.settings
        self._set_learning_rate((epoch - 1) * self.steps + step)
        sums = {"loss": 0.0, "loss_global": 0.0, "loss_frame": 0.0}
        try:
            for k, cpu_batch in enumerate(batches):
                batch = cpu_batch.to(self.accelerator.device)
                parts = self._backward(batch, (epoch, step, k), last=k == len(batches) - 1)
                check_finite_loss(parts.total.detach(), self.model, batch, self.cache, epoch, step, s)
                for name, value in (("loss", parts.total), ("loss_global", parts.global_), ("loss_frame", parts.frame)):
                    sums[name] += float(value.detach()) / len(batches)
            if s.clip_norm is not None:
                self.accelerator.clip_grad_norm_(self.forward.parameters(), s.clip_norm)
            self.optimizer.step()
            self.optimizer.zero_grad()
        except (RuntimeError, MemoryError) as error:
            if out_of_memory(error):
                raise MachineError(
                    f"out of memory at epoch {epoch}, step {step + 1} with batch {s.batch}: lower micro_batch (exact: "
                    f"--set micro_batch={max(1, (s.micro_batch or s.batch) // 2)}), or score_budget_mb, batch, "
                    "pool_batches; or raise frame_stride"
                ) from None
            raise
        if s.learn_temperature:
            with torch.no_grad():
                self.model.log_temperature.clamp_(min=math.log(MIN_TEMPERATURE))
        return sums

    def _backward(self, batch: Batch, where: tuple[int, int, int], *, last: bool) -> Parts:
        """Gradient of one batch, averaged over the batches of a step."""
        s = self.settings

        def seed(part: int) -> None:
            entropy = [s.seed, *where, part, self.accelerator.process_index]
            torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1))

        def loss(audio: Views, text: Views) -> Parts:
            with self.accelerator.autocast():
                return self.objective(audio, text, batch, self.model.temperature)

        def backward(total: Tensor) -> None:
            self.accelerator.backward(total / s.accumulate)

        def exchange(final: bool) -> AbstractContextManager[object]:
            return nullcontext() if final and last else self.accelerator.no_sync(self.forward)

        if s.micro_batch is not None and s.micro_batch < len(batch):
            return backward_in_parts(self.forward, batch, loss, backward, s.micro_batch, seed, exchange)
        with exchange(True):
            seed(0)
            return backward_whole(self.forward, batch, loss, backward)

    def _set_learning_rate(self, step: int) -> None:
        s, total = self.settings, self.settings.epochs * self.steps
        factor = min(1.0, (step + 1) / (s.warmup_steps + 1))
        if s.schedule == "cosine":
            after = max(0, step - s.warmup_steps) / max(1, total - s.warmup_steps)
            factor *= 0.5 * (1 + math.cos(math.pi * min(1.0, after)))
        for group in self.optimizer.param_groups:
            group["lr"] = s.learning_rate * factor

    def _validate(self) -> dict[str, float]:
        """Metrics of the validation rows, the same on all processes; empty where there are too few rows."""
        found: list[dict[str, float]] = [{}]
        if self.accelerator.is_main_process and len(self.validation) >= 2:
            found = [dict(self.evaluation(self.model, self.cache, self.validation))]
        if self.accelerator.num_processes > 1:
            from accelerate.utils import broadcast_object_list

            broadcast_object_list(found)
        return found[0]

    def _keep_best(self, validation: Mapping[str, float]) -> None:
        p, s = self.progress, self.settings
        if not validation or len(self.validation) < s.validation_minimum:
            return  # a pool of a few clips tells one epoch from another by chance only: the last one is kept
        if s.monitor not in validation:
            from training.errors import nearest

            raise FigmaError(f"monitor {s.monitor!r} is not measured{nearest(s.monitor, validation)}")
        value = validation[s.monitor] * (-1 if "rank" in s.monitor else 1)
        if p.best_value is None or value > p.best_value:
            p.best_value, p.best_epoch, p.waited = value, p.epoch, 0
            self.best = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
        else:
            p.waited += 1

    def _checkpoint(self) -> None:
        accelerator, p = self.accelerator, self.progress
        if accelerator.scaler is not None:
            p.scaler = accelerator.scaler.state_dict()
        if accelerator.is_main_process:
            resume.begin(self.out, p)
        accelerator.wait_for_everyone()
        folder = resume.construction(self.out, p)
        if self.objective.pool is not None:
            resume.write_tensors(folder / f"pool-{world()[0]}.safetensors", self.objective.pool.state())
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            tensors = resume.optimizer_tensors(self.optimizer.optimizer)
            resume.write(folder, p, self.model.state_dict(), tensors, self.best)
            resume.finish(folder)
        accelerator.wait_for_everyone()

    def _restore(self, checkpoint: resume.Checkpoint) -> None:
        self.progress, self.best = checkpoint.progress, checkpoint.best
        resume.restore_optimizer(self.optimizer.optimizer, checkpoint.optimizer)
        if self.accelerator.scaler is not None and self.progress.scaler:
            self.accelerator.scaler.load_state_dict(self.progress.scaler)
        if self.objective.pool is not None:
            state = checkpoint.pool(world()[0])
            self.objective.pool.load_state({k: v.to(self.accelerator.device) for k, v in state.items()})
        self.log.say(f"going on after epoch {self.progress.epoch}, step {self.progress.step} of the next")


def validation_rows(cache: FeatureCache, settings: TrainSettings) -> Ints:
    """At most ``validation_limit`` rows of the validation split, drawn by seed, ascending."""
    rows = cache.rows("validation")
    if len(rows) <= settings.validation_limit:
        return rows
    return np.sort(np.random.default_rng([settings.seed, 0]).choice(rows, settings.validation_limit, replace=False))


def encoder_records(cache: FeatureCache, licences: Mapping[str, str]) -> tuple[EncoderRecord, EncoderRecord]:
    """The encoders that made the features, audio and text."""
    audio, text = (
        EncoderRecord(
            name=key.encoder,
            revision=key.revision,
            licence=licences.get(key.encoder, ""),
            dim=key.dim,
            settings=key.settings,
        )
        for key in (cache.audio_key, cache.text_key)
    )
    return audio, text


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


def _accelerator(settings: TrainSettings, device: str | None) -> Accelerator:
    cpu = device == "cpu" or not torch.cuda.is_available()
    if settings.precision == "fp16" and cpu:
        raise FigmaError("precision fp16 needs a GPU; take bf16 or fp32")
    AcceleratorState._reset_state()  # a second training in one process may ask for another precision
    return Accelerator(mixed_precision={"fp32": "no"}.get(settings.precision, settings.precision), cpu=cpu)
