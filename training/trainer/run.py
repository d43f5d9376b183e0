"""One training run under way: epochs of steps, validation, the best weights, checkpoints."""

import math
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.training.data.batch import Batch
from fgmcaps.training.data.sampler import Ints
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.model.config import EncoderRecord, ModelConfig
from fgmcaps.training.model.losses import Parts
from fgmcaps.training.model.model import FigmaModel, load_weights
from fgmcaps.training.model.views import Views
from fgmcaps.training.settings import TrainSettings
from fgmcaps.training.trainer import resume
from fgmcaps.training.trainer.feed import Feed
from fgmcaps.training.trainer.guards import check_finite_loss, check_training_rows, out_of_memory, rows_to_train_on
from fgmcaps.training.trainer.outputs import write_outputs
from fgmcaps.training.trainer.pool import world
from fgmcaps.training.trainer.progress import TrainingLog
from fgmcaps.training.trainer.step import Objective, backward_in_parts, backward_whole

Evaluate = Callable[[FigmaModel, FeatureCache, Ints], Mapping[str, float]]
MIN_TEMPERATURE = 0.01  # as CLIP: below it, gradients explode


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
        self.rows = rows_to_train_on(cache, settings, log)
        check_training_rows(cache, self.rows, settings)
        self.validation = validation_rows(cache, settings)
        per_step = settings.batch * accelerator.num_processes
        if len(self.rows) < per_step and accelerator.num_processes > 1:
            raise FgmcapsError(f"{len(self.rows)} training rows do not fill {per_step} places a step; lower batch")
        self.batch = min(per_step, len(self.rows))
        self.steps = max(1, len(self.rows) // self.batch // settings.accumulate)
        self.feed = Feed(
            cache,
            settings,
            self.rows,
            self.batch,
            self.steps,
            accelerator.process_index,
            accelerator.num_processes,
            pinned=accelerator.device.type == "cuda",
        )

        torch.manual_seed(settings.seed)
        audio, text = encoder_records(cache, licences)
        state = {name: torch.from_numpy(np.array(value)) for name, value in cache.encoder_state.items()}
        tools = {name: licence for name, licence in licences.items() if name not in (audio.name, text.name)}
        self.model = FigmaModel(ModelConfig.of(settings, audio, text, tools), state)
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
        for step, batches in self.feed.epoch(epoch, p.step):
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

    def _step(self, epoch: int, step: int, batches: list[Batch]) -> dict[str, float]:
        s = self.settings
        self._set_learning_rate((epoch - 1) * self.steps + step)
        sums = {"loss": 0.0, "loss_global": 0.0, "loss_frame": 0.0}
        try:
            for k, cpu_batch in enumerate(batches):
                batch = cpu_batch.to(self.accelerator.device)
                parts = self._backward(batch, (epoch, step, k), len(batches))
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

    def _backward(self, batch: Batch, where: tuple[int, int, int], batches: int) -> Parts:
        """Gradient of one batch, averaged over the ``batches`` of its step; a short epoch has fewer than others."""
        s, last = self.settings, where[-1] == batches - 1

        def seed(part: int) -> None:
            entropy = [s.seed, *where, part, self.accelerator.process_index]
            torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1))

        def loss(audio: Views, text: Views) -> Parts:
            with self.accelerator.autocast():
                return self.objective(audio, text, batch, self.model.temperature)

        def backward(total: Tensor) -> None:
            self.accelerator.backward(total / batches)

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
            broadcast_object_list(found)
        return found[0]

    def _keep_best(self, validation: Mapping[str, float]) -> None:
        p, s = self.progress, self.settings
        if not validation or len(self.validation) < s.validation_minimum:
            return  # a pool of a few clips tells one epoch from another by chance only: the last one is kept
        if s.monitor not in validation:
            raise FgmcapsError(f"monitor {s.monitor!r} is not measured{did_you_mean(s.monitor, validation)}")
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
