"""The batches of an epoch, read one step ahead."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import torch

from fgmcaps.training.data.batch import Batch
from fgmcaps.training.data.sampler import Ints, choose_captions, drop_positions, epoch_batches
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.settings import TrainSettings


@dataclass(frozen=True)
class Feed:
    """What this process reads of each step: ``accumulate`` batches, each its share of ``batch`` rows.

    Everything random is a function of seed, process, epoch and step.
    """

    cache: FeatureCache
    settings: TrainSettings
    rows: Ints
    batch: int
    """Pairs of all processes together."""
    steps: int
    process: int = 0
    processes: int = 1
    pinned: bool = False

    def epoch(self, epoch: int, skip: int = 0) -> Iterator[tuple[int, list[Batch]]]:
        """``(step, batches)`` from step ``skip`` on; the next step is read while one is computed."""
        s, share = self.settings, self.batch // self.processes
        order = epoch_batches(
            self.cache.track[self.rows], self.batch, seed=s.seed, epoch=epoch, one_clip_per_track=s.one_clip_per_track
        )

        def read(step: int) -> list[Batch]:
            wanted = enumerate(order[step * s.accumulate : (step + 1) * s.accumulate], step * s.accumulate)
            mine = slice(self.process * share, (self.process + 1) * share)
            return [self.read(self.rows[part[mine]], epoch, number) for number, part in wanted]

        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(read, skip)
            for step in range(skip, self.steps):
                batches = coming.result()
                if step + 1 < self.steps:
                    coming = reader.submit(read, step + 1)
                yield step, batches

    def read(self, rows: Ints, epoch: int, step: int) -> Batch:
        """One batch: captions chosen, frames and tokens dropped as the settings say."""
        s, seed = self.settings, self.settings.seed * 1009 + self.process
        captions = choose_captions(self.cache.caption_count[rows], s.captions, seed=seed, epoch=epoch, step=step)
        batch = self.cache.batch(rows, captions)
        masks = {}
        for name, share, stream in (("audio_mask", s.frame_dropout, 2), ("text_mask", s.token_dropout, 3)):
            mask = getattr(batch, name).numpy()
            kept = drop_positions(mask, share, seed=seed, epoch=epoch, step=step, stream=stream)
            masks[name] = torch.from_numpy(kept)
        batch = replace(batch, **masks)
        return batch.pin_memory() if self.pinned else batch
