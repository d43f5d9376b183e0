"""The multi-view contrastive loss (FIGMA, arXiv 2606.06615):

alpha x symmetric InfoNCE of the global scores + (1 - alpha) x bidirectional InfoNCE of the frame scores.

Conventions:
    - Row i of a score matrix has its positive in column ``positives[i]``.
    - Two items of one track, or with one caption text, are not negatives of each other: their scores leave the softmax.
      The positive itself always stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from fgmcaps.training.model.frame_score import BUDGET_MB, frame_scores
from fgmcaps.training.model.scores import global_scores
from fgmcaps.training.model.views import Views

Direction = Literal["columns", "reversed"]


@dataclass(frozen=True)
class Items:
    """Both views of N pairs, and which track and which caption text each is: int64 [N], equal = the same."""

    audio: Views
    text: Views
    track: Tensor
    caption: Tensor

    def __len__(self) -> int:
        return len(self.track)


@dataclass(frozen=True)
class Parts:
    """A loss and what it is made of; scalars."""

    total: Tensor
    global_: Tensor
    frame: Tensor


def info_nce(scores: Tensor, positives: Tensor, ignore: Tensor, temperature: Tensor | float) -> Tensor:
    """Cross-entropy of each row against its positive, float [B].

    Args:
        scores: float [B, C], cosines.
        positives: int64 [B], the column of each row's positive.
        ignore: bool [B, C], pairs that are not negatives. The positive is kept whatever this says.
        temperature: divides the scores.
    """
    logits = scores / temperature
    keep_positive = ignore.scatter(1, positives[:, None], False)
    return F.cross_entropy(logits.masked_fill(keep_positive, -torch.inf), positives, reduction="none")


def same_item(a: Items, b: Items, *, track: bool = True, caption: bool = True) -> Tensor:
    """Bool [len(a), len(b)]: True where two items share a track or a caption text and so are not negatives."""
    same = torch.zeros(len(a), len(b), dtype=torch.bool, device=a.track.device)
    if track:
        same |= a.track[:, None] == b.track[None]
    if caption:
        same |= a.caption[:, None] == b.caption[None]
    return same


def multi_view_loss(
    own: Items,
    candidates: Items,
    first: int,
    *,
    alpha: float = 0.6,
    temperature: Tensor | float = 0.07,
    direction: Direction = "columns",
    mask_same_track: bool = True,
    mask_same_caption: bool = True,
    budget_mb: float = BUDGET_MB,
) -> Parts:
    """Loss of ``own`` pairs, mean over them, against ``candidates``.

    Args:
        own: The B pairs whose positives count.
        candidates: The C >= B pairs that give the columns: ``own`` itself as ``candidates[first : first + B]``, and
            more negatives around it (other devices, a pool).
        alpha: Weight of the global view. At 1 the frame view costs nothing and its part is 0, at 0 the other way round.
        direction: Where text-to-audio scores of the frame view come from: ``columns`` of the same S, or ``reversed``
            MaxSim (per token the best frame, mean over tokens).
    """
    positives = torch.arange(first, first + len(own), device=own.track.device)
    ignore = same_item(own, candidates, track=mask_same_track, caption=mask_same_caption)
    alone = len(candidates) == len(own)

    def both(score: Callable[[Views, Views], Tensor], back: Callable[[Views, Views], Tensor] | None) -> Tensor:
        """Mean of the audio-to-text and the text-to-audio loss; ``back`` None reads ``score`` by columns."""
        to_text = score(own.audio, candidates.text)
        if back is not None:
            to_audio = back(candidates.audio, own.text)
        else:  # with no other candidates, one matrix serves both directions
            to_audio = (to_text if alone else score(candidates.audio, own.text)).T
        losses = info_nce(to_text, positives, ignore, temperature) + info_nce(to_audio, positives, ignore, temperature)
        return losses.mean() / 2

    def frame(audio: Views, text: Views) -> Tensor:
        return frame_scores(audio.sequence, audio.mask, text.sequence, text.mask, budget_mb=budget_mb)

    def frame_reversed(audio: Views, text: Views) -> Tensor:
        return frame_scores(text.sequence, text.mask, audio.sequence, audio.mask, budget_mb=budget_mb)

    zero = own.audio.global_.new_zeros((), dtype=torch.float32)
    global_part = both(_global, None) if alpha > 0 else zero
    frame_part = both(frame, frame_reversed if direction == "reversed" else None) if alpha < 1 else zero
    return Parts(alpha * global_part + (1 - alpha) * frame_part, global_part, frame_part)


def _global(audio: Views, text: Views) -> Tensor:
    with torch.autocast(audio.global_.device.type, enabled=False):  # cheap, so never in half precision
        return global_scores(audio.global_.float(), text.global_.float())
