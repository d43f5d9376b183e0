"""Score a pool: every clip against every caption, in bounded memory.

Captions are embedded once and kept; clips stream through in blocks, so that the frames of a pool never lie in memory
together. A score matrix is float32[A, C]: clips by captions.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgmcaps.training.model.frame_score import BUDGET_MB, frame_scores
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.model.scores import View, fused_scores, global_scores
from fgmcaps.training.model.views import Views

Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all."""

CLIP_BLOCK = 32
TEXT_BLOCK = 256


class Clips(Protocol):
    """What scoring needs of a feature cache."""

    def audio(self, i: int) -> Tensor:
        """Frames of a row: float32[T, d_audio]."""
        ...


@dataclass(frozen=True, slots=True)
class TextViews:
    """Captions in the shared space, in blocks of like length; ``order[n]``: place of the n-th among the inputs."""

    blocks: tuple[Views, ...]
    order: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.order)


@contextmanager
def scoring_mode(model: FigmaModel) -> Iterator[torch.device]:
    """Dropout off and no gradients, and the training mode back at the end; gives the device of the model."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield next(model.parameters()).device
    finally:
        model.train(was_training)


def pad(items: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """float32[B, longest, d] (0 after each end) and bool[B, longest] of ragged float[n_i, d]."""
    lengths = torch.tensor([len(item) for item in items])
    padded = torch.nn.utils.rnn.pad_sequence([item.float() for item in items], batch_first=True)
    return padded, torch.arange(padded.shape[1])[None] < lengths[:, None]


def embed_texts(model: FigmaModel, states: Sequence[Tensor], block: int = TEXT_BLOCK) -> TextViews:
    """Views of captions. ``states``: the text encoder's output, float[L_i, d_text] each."""
    order = sorted(range(len(states)), key=lambda i: len(states[i]))
    blocks = []
    with scoring_mode(model) as device:
        for start in range(0, len(order), block):
            x, mask = pad([states[i] for i in order[start : start + block]])
            blocks.append(model.text_views(x.to(device), mask.to(device)))
    return TextViews(tuple(blocks), np.array(order, dtype=np.int64))


def score(
    model: FigmaModel,
    clips: Clips,
    rows: Sequence[int] | npt.NDArray[np.int64],
    texts: TextViews,
    views: Sequence[View],
    *,
    block: int = CLIP_BLOCK,
    budget_mb: float = BUDGET_MB,
    progress: Progress | None = None,
) -> dict[View, npt.NDArray[np.float32]]:
    """Score matrices float32[A, C] by view: the clips of ``rows`` against ``texts``, in the order of the inputs.

    ``block``: clips at a time; ``budget_mb``: temporary memory of the frame score.
    """
    out = {view: np.empty((len(rows), len(texts)), np.float32) for view in views}
    with scoring_mode(model) as device:
        for start in range(0, len(rows), block):
            x, mask = pad([clips.audio(int(i)) for i in rows[start : start + block]])
            audio = model.audio_views(x.to(device), mask.to(device))
            for view, part in score_block(audio, texts, views, model.config.alpha, budget_mb).items():
                out[view][start : start + block] = part
            if progress is not None:
                progress(min(start + block, len(rows)), len(rows))
    return out


def score_block(
    audio: Views, texts: TextViews, views: Sequence[View], alpha: float, budget_mb: float = BUDGET_MB
) -> dict[View, npt.NDArray[np.float32]]:
    """Scores of one block of clips; global and frame scores are computed once, whatever views ask for them."""
    wants_global, wants_frame = {"global", "fused"} & set(views), {"frame", "fused"} & set(views)
    parts: dict[View, list[Tensor]] = {view: [] for view in views}
    for text in texts.blocks:
        whole = global_scores(audio.global_, text.global_) if wants_global else None
        frame = None
        if wants_frame:
            frame = frame_scores(audio.sequence, audio.mask, text.sequence, text.mask, budget_mb=budget_mb)
        for view in views:
            if view == "fused" and whole is not None and frame is not None:
                parts[view].append(fused_scores(whole, frame, alpha))
            elif view == "global" and whole is not None:
                parts[view].append(whole)
            elif frame is not None:
                parts[view].append(frame)
    back = np.argsort(texts.order)
    return {view: torch.cat(found, 1).float().cpu().numpy()[:, back] for view, found in parts.items()}
