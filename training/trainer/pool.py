"""More negatives than a batch holds: from the other devices, and from a pool of earlier batches.

The paper fixes 8 x batch = 2,048 negatives and does not say where they come from. Three ways, by setting:

    - ``devices``: embeddings of all processes are gathered, with gradient, so that N processes compute what one would
      with the joined batch;
    - ``pool``: a ring of the last batches' embeddings, without gradient, in half precision (a memory bank);
    - ``micro_batch`` (``fgmcaps.training.trainer.step``): one large exact batch whose activations are held a part at a
      time.
"""

import torch
import torch.distributed as dist
from torch import Tensor

from fgmcaps.training.model.losses import Items
from fgmcaps.training.model.views import Views, join_views, pad_to


class _Gather(torch.autograd.Function):
    """Concatenate a tensor of all processes; the gradient of every process flows back to where it came from."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
        grad = grad.contiguous()
        dist.all_reduce(grad)
        own: Tensor = grad.chunk(dist.get_world_size())[dist.get_rank()]
        return own


def world() -> tuple[int, int]:
    """Rank of this process and number of processes; (0, 1) where nothing is distributed."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def gather_items(items: Items) -> tuple[Items, int]:
    """The items of all processes in the order of ranks, and where this process's begin. Every batch must be as large.

    With gradient: summed over processes, the gradients are those of one process with the joined batch.
    """
    rank, size = world()
    if size == 1:
        return items, 0
    lengths = torch.tensor([items.audio.mask.shape[1], items.text.mask.shape[1]], device=items.track.device)
    dist.all_reduce(lengths, op=dist.ReduceOp.MAX)
    audio, text = (_gather_views(v, int(n)) for v, n in zip((items.audio, items.text), lengths, strict=True))
    return Items(audio, text, _gather(items.track), _gather(items.caption)), rank * len(items)


def _gather_views(views: Views, length: int) -> Views:
    frames, mask = pad_to(views.sequence, views.mask, length)
    return Views(_gather(views.global_), _gather(frames), _gather(mask.to(torch.uint8)).bool())


def _gather(x: Tensor) -> Tensor:
    gathered: Tensor = _Gather.apply(x)  # type: ignore[no-untyped-call]
    return gathered


class Pool:
    """The embeddings of the last ``size`` pairs, newest last, without gradient.

    Half precision on the device of what is put in: at 512 dimensions, 250 frames and 128 tokens a pair takes 0.39 MB,
    so 7 x 256 pairs take 0.7 GB.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.items: Items | None = None

    def __len__(self) -> int:
        return 0 if self.items is None else len(self.items)

    def extend(self, items: Items) -> Items:
        """``items`` and after them what the pool holds, as candidates for
        :func:`fgmcaps.training.model.losses.multi_view_loss`."""
        if self.items is None:
            return items
        pool = self.items

        def like(views: Views, model: Views) -> Views:
            return Views(views.global_.to(model.global_.dtype), views.sequence.to(model.sequence.dtype), views.mask)

        return Items(
            join_views([items.audio, like(pool.audio, items.audio)]),
            join_views([items.text, like(pool.text, items.text)]),
            torch.cat([items.track, pool.track]),
            torch.cat([items.caption, pool.caption]),
        )

    def put(self, items: Items) -> None:
        """Take in a batch; the oldest pairs leave."""

        def half(views: Views) -> Views:
            return Views(views.global_.detach().half(), views.sequence.detach().half(), views.mask)

        fresh = Items(half(items.audio), half(items.text), items.track, items.caption)
        if self.items is not None:
            old = self.items
            fresh = Items(
                join_views([old.audio, fresh.audio]),
                join_views([old.text, fresh.text]),
                torch.cat([old.track, fresh.track]),
                torch.cat([old.caption, fresh.caption]),
            )
        keep = slice(max(0, len(fresh) - self.size), None)
        self.items = Items(fresh.audio[keep], fresh.text[keep], fresh.track[keep], fresh.caption[keep])

    def state(self) -> dict[str, Tensor]:
        """Tensors for a checkpoint; empty for an empty pool."""
        if self.items is None:
            return {}
        flat = {"track": self.items.track, "caption": self.items.caption}
        for name, views in (("audio", self.items.audio), ("text", self.items.text)):
            flat |= {f"{name}.global": views.global_, f"{name}.frames": views.sequence, f"{name}.mask": views.mask}
        return {key: value.contiguous() for key, value in flat.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take :meth:`state` back."""
        if not state:
            self.items = None
            return
        views = [Views(*(state[f"{name}.{key}"] for key in ("global", "frames", "mask"))) for name in ("audio", "text")]
        self.items = Items(views[0], views[1], state["track"], state["caption"])
