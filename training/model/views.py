"""What a head makes of a batch: one vector and a sequence of vectors for each item."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


@dataclass(frozen=True)
class Views:
    """Two views of N items in the shared space; every vector has length 1.

    Args:
        global_: float [N, out], the global view.
        sequence: float [N, S, out], the frame view: one vector for each frame (audio) or token (text).
        mask: bool [N, S], True where the frame or token is real.
    """

    global_: Tensor
    sequence: Tensor
    mask: Tensor

    def __len__(self) -> int:
        return len(self.global_)

    def __getitem__(self, rows: slice | Tensor) -> "Views":
        return Views(self.global_[rows], self.sequence[rows], self.mask[rows])

    def to(self, device: torch.device | str) -> "Views":
        """The same views on ``device``."""
        return Views(self.global_.to(device), self.sequence.to(device), self.mask.to(device))

    def detach(self) -> "Views":
        """The same values without gradient."""
        return Views(self.global_.detach(), self.sequence.detach(), self.mask)


def pad_to(frames: Tensor, mask: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """``frames`` [N, S, d] and ``mask`` [N, S], padded at the end to ``length`` positions."""
    missing = length - mask.shape[1]
    if missing <= 0:
        return frames, mask
    return F.pad(frames, (0, 0, 0, missing)), F.pad(mask, (0, missing), value=False)


def join_views(parts: Sequence[Views]) -> Views:
    """The items of ``parts`` one after the other, padded to the longest."""
    length = max(part.mask.shape[1] for part in parts)
    padded = [pad_to(part.sequence, part.mask, length) for part in parts]
    return Views(
        torch.cat([part.global_ for part in parts]),
        torch.cat([frames for frames, _ in padded]),
        torch.cat([mask for _, mask in padded]),
    )
