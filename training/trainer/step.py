"""One optimisation step: views of a batch, candidates, loss, gradient."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from fgmcaps.training.data.batch import Batch
from fgmcaps.training.model.losses import Items, Parts, multi_view_loss
from fgmcaps.training.model.views import Views, join_views
from fgmcaps.training.settings import TrainSettings
from fgmcaps.training.trainer.pool import Pool, gather_items

Forward = Callable[[Batch], tuple[Views, Views]]


class Objective:
    """The loss of a batch under the settings, with the pool of earlier batches where they ask for one."""

    def __init__(self, settings: TrainSettings) -> None:
        self.settings = settings
        pooled = settings.negatives == "pool"
        self.pool = Pool((settings.pool_batches - 1) * settings.batch) if pooled else None

    def __call__(self, audio: Views, text: Views, batch: Batch, temperature: Tensor | float) -> Parts:
        """Mean loss of the batch's pairs; takes the batch into the pool."""
        s = self.settings
        own = Items(audio, text, batch.track, batch.caption)
        candidates, first = own, 0
        if s.negatives == "devices":
            candidates, first = gather_items(own)
        elif self.pool is not None:
            candidates = self.pool.extend(own)
        parts = multi_view_loss(
            own,
            candidates,
            first,
            alpha=s.alpha,
            temperature=temperature,
            direction=s.t2a_direction,
            mask_same_track=s.mask_same_track,
            mask_same_caption=s.mask_same_caption,
            budget_mb=s.score_budget_mb,
        )
        if self.pool is not None:
            self.pool.put(own)
        return parts


def backward_whole(
    forward: Forward, batch: Batch, loss: Callable[[Views, Views], Parts], backward: Callable[[Tensor], None]
) -> Parts:
    """Gradient of a batch whose activations are held all at once."""
    parts = loss(*forward(batch))
    backward(parts.total)
    return parts


def backward_in_parts(
    forward: Forward,
    batch: Batch,
    loss: Callable[[Views, Views], Parts],
    backward: Callable[[Tensor], None],
    size: int,
    seeds: Callable[[int], None],
    exchange: Callable[[bool], AbstractContextManager[object]],
) -> Parts:
    """The same gradient with the activations of ``size`` pairs at a time (GradCache, Gao et al. 2021).

    Views are computed without gradient, the loss gives the gradient of the views, and each part is computed once more
    to hand it on.

    Args:
        seeds: Called with a part's number before each of its two computations, so that dropout is the same in both.
        exchange: Context of each second computation: True at the last one, where processes exchange gradients.
    """
    pieces = [_rows(batch, slice(start, start + size)) for start in range(0, len(batch), size)]
    views: list[tuple[Views, Views]] = []
    with torch.no_grad():
        for number, piece in enumerate(pieces):
            seeds(number)
            views.append(forward(piece))
    joined = [join_views([pair[side] for pair in views]) for side in (0, 1)]
    leaves = [Views(v.global_.requires_grad_(), v.sequence.requires_grad_(), v.mask) for v in joined]
    parts = loss(leaves[0], leaves[1])
    backward(parts.total)
    start = 0
    for number, piece in enumerate(pieces):
        with exchange(number == len(pieces) - 1):
            seeds(number)
            pairs = []
            for view, leaf in zip(forward(piece), leaves, strict=True):
                rows, length = slice(start, start + len(piece)), view.mask.shape[1]
                pairs.append((view.global_, leaf.global_.grad, rows, slice(None)))
                pairs.append((view.sequence, leaf.sequence.grad, rows, slice(length)))
            known = [(output, grad[rows, cut]) for output, grad, rows, cut in pairs if grad is not None]
            torch.autograd.backward([output for output, _ in known], [grad for _, grad in known])
        start += len(piece)
    return parts


def _rows(batch: Batch, rows: slice) -> Batch:
    """Part of a batch; padding stays, so that every computation of a pair is the same one."""
    return Batch(
        *(getattr(batch, f)[rows] for f in ("audio", "audio_mask", "text", "text_mask", "row", "track", "caption"))
    )
