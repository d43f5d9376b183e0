"""Scores of clips against captions: global, frame, and the two fused."""

from typing import Literal, get_args

from torch import Tensor

from fgmcaps.training.model.frame_score import BUDGET_MB, frame_scores
from fgmcaps.training.model.views import Views

View = Literal["global", "frame", "fused"]
VIEWS: tuple[View, ...] = get_args(View)

__all__ = ["VIEWS", "View", "frame_scores", "fused_scores", "global_scores", "score_matrix"]


def global_scores(audio: Tensor, text: Tensor) -> Tensor:
    """Cosine of every clip and every caption: float [B, C] from unit vectors [B, d] and [C, d]."""
    return audio @ text.T


def fused_scores(global_: Tensor, frame: Tensor, alpha: float) -> Tensor:
    """``alpha`` x global + (1 - ``alpha``) x frame, as the loss weighs them; all [B, C]."""
    return alpha * global_ + (1 - alpha) * frame


def score_matrix(audio: Views, text: Views, view: View, *, alpha: float = 0.6, budget_mb: float = BUDGET_MB) -> Tensor:
    """Scores [B, C] of clips against captions in one view; a larger score is a better match."""
    if view == "global":
        return global_scores(audio.global_, text.global_)
    frame = frame_scores(audio.sequence, audio.mask, text.sequence, text.mask, budget_mb=budget_mb)
    return frame if view == "frame" else fused_scores(global_scores(audio.global_, text.global_), frame, alpha)
