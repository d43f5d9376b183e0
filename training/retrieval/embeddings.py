"""Embedded clips or captions: both views of each, without padding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.training.model.frame_score import BUDGET_MB, frame_scores
from fgmcaps.training.model.scores import View, fused_scores, global_scores
from fgmcaps.training.model.scoring import pad
from fgmcaps.training.model.views import Views

Kind = Literal["audio", "text"]
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Both views of N clips (``kind`` audio) or N captions (text); every vector has length 1.

    ``global_``: float[N, d]; ``frames``: N tensors float[S_i, d], a vector for each frame or token.
    """

    kind: Kind
    global_: Tensor
    frames: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, chosen: int | slice | Sequence[int]) -> "Embeddings":
        everything = range(len(self))
        if isinstance(chosen, slice):
            rows = list(everything[chosen])
        else:
            rows = [everything[i] for i in ([chosen] if isinstance(chosen, int) else chosen)]
        return Embeddings(self.kind, self.global_[rows], tuple(self.frames[i] for i in rows))

    @classmethod
    def of(cls, kind: Kind, parts: Sequence[Views]) -> "Embeddings":
        """From padded views, on the CPU."""
        frames = [one[real].cpu() for part in parts for one, real in zip(part.sequence, part.mask, strict=True)]
        empty = torch.empty(0, 0)
        return cls(kind, torch.cat([part.global_.cpu() for part in parts]) if parts else empty, tuple(frames))

    @classmethod
    def join(cls, parts: "Sequence[Embeddings]") -> "Embeddings":
        """One after the other; all of one kind."""
        if len({part.kind for part in parts}) != 1:
            raise FgmcapsError("only embeddings of one kind can be joined: audio or text")
        return cls(parts[0].kind, torch.cat([p.global_ for p in parts]), tuple(f for p in parts for f in p.frames))

    def views(self, device: torch.device | str = "cpu") -> Views:
        """Padded."""
        frames, mask = pad(self.frames)
        return Views(self.global_.float().to(device), frames.to(device), mask.to(device))


def similarity(
    a: Embeddings | Tensor, b: Embeddings | Tensor, view: View, alpha: float, budget_mb: float = BUDGET_MB
) -> Tensor:
    """Scores float32[len(a), len(b)]. ``alpha``: weight of the global view in ``fused``.

    The frame score is not symmetric: it is the mean over a clip's frames of the best token's similarity. So ``frame``
    and ``fused`` need one side of clips and one of captions, in either order. The global score takes any two sides,
    tensors float[N, d] too. Raises FgmcapsError otherwise.
    """
    if view == "global":
        left, right = (side.global_ if isinstance(side, Embeddings) else side for side in (a, b))
        return global_scores(left.float(), right.float())
    if not isinstance(a, Embeddings) or not isinstance(b, Embeddings):
        raise FgmcapsError(f"the {view} score needs the frame view of both sides: encode with view={view!r}")
    if a.kind == b.kind:
        raise FgmcapsError(
            f"the {view} score compares clips with captions, and both sides are {a.kind}; take view='global'"
        )
    if a.kind == "text":
        return similarity(b, a, view, alpha, budget_mb).T
    parts = []
    for start in range(0, len(a), _BLOCK):
        clips = a[start : start + _BLOCK].views()
        rows = []
        for first in range(0, len(b), _BLOCK):
            texts = b[first : first + _BLOCK].views()
            frame = frame_scores(clips.sequence, clips.mask, texts.sequence, texts.mask, budget_mb=budget_mb)
            fused = view == "fused"
            rows.append(fused_scores(global_scores(clips.global_, texts.global_), frame, alpha) if fused else frame)
        parts.append(torch.cat(rows, 1))
    return torch.cat(parts)
