"""What the loader hands to the trainer: frozen features of B clips and of one caption each."""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Features and identities of B rows. Padding is 0 and marked by the masks.

    - ``audio`` float32[B, T, d_audio], ``audio_mask`` bool[B, T] (True = a real frame)
    - ``text`` float32[B, L, d_text], ``text_mask`` bool[B, L] (True = a real token)
    - ``row`` int64[B]: row in the dataset
    - ``track``, ``caption`` int64[B]: equal numbers = same track, same caption text; such pairs are no negatives
    """

    audio: Tensor
    audio_mask: Tensor
    text: Tensor
    text_mask: Tensor
    row: Tensor
    track: Tensor
    caption: Tensor

    def __len__(self) -> int:
        return int(self.row.shape[0])

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on a device; copies from pinned memory do not block."""
        moved = {f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)}
        return replace(self, **moved)

    def pin_memory(self) -> "Batch":
        """The same batch in page-locked memory, for copies to a GPU that do not block."""
        return replace(self, **{f.name: getattr(self, f.name).pin_memory() for f in fields(self)})
