"""Run an encoder over any number of clips or captions: windows, batches, and each item's own frames back."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgmcaps.training.data.audio import MIN_SECONDS, windows
from fgmcaps.training.encoders.base import AudioEncoder, TextEncoder

LongAudio = Literal["windows", "first"]
"""What happens to audio longer than an encoder takes: consecutive windows joined, or the first window alone."""


def pad_clips(clips: Sequence[npt.NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
    """``audio`` float32[B, n] (0 after each end) and ``lengths`` int64[B] of clips float32[n_i]."""
    lengths = torch.tensor([len(clip) for clip in clips], dtype=torch.int64)
    audio = torch.zeros(len(clips), int(lengths.max()))
    for line, clip in zip(audio, clips, strict=True):
        line[: len(clip)] = torch.from_numpy(clip)
    return audio, lengths


def encode_clips(
    encoder: AudioEncoder,
    clips: Sequence[npt.NDArray[np.float32]],
    batch_size: int = 16,
    long: LongAudio = "windows",
) -> list[Tensor]:
    """Frames float32[T_i, dim] of each clip (float32[n_i] at the encoder's sample rate), on the CPU.

    Audio longer than ``encoder.max_seconds`` is cut into consecutive windows whose frames are joined (``windows``), or
    cut off (``first``).
    """
    window = round(encoder.max_seconds * encoder.sample_rate)
    parts: list[tuple[int, npt.NDArray[np.float32]]] = []
    for number, clip in enumerate(clips):
        spans = windows(len(clip), window, round(MIN_SECONDS * encoder.sample_rate))
        parts += [(number, clip[a:b]) for a, b in spans if long == "windows" or a == 0]
    out: list[list[Tensor]] = [[] for _ in clips]
    for start in range(0, len(parts), batch_size):
        numbers, pieces = zip(*parts[start : start + batch_size], strict=True)
        with torch.no_grad():
            frames, mask = encoder.frames(*pad_clips(pieces))
        frames, mask = frames.float().cpu(), mask.cpu()
        for number, one, real in zip(numbers, frames, mask, strict=True):
            out[number].append(one[real])
    return [joined[0] if len(joined) == 1 else torch.cat(joined) for joined in out]


def encode_texts(encoder: TextEncoder, texts: Sequence[str], batch_size: int = 64) -> list[Tensor]:
    """Token states float32[L_i, dim] of each text, on the CPU. Texts of like length share a batch."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out: list[Tensor] = [torch.empty(0)] * len(texts)
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        with torch.no_grad():
            states, mask = encoder.tokens([texts[i] for i in chosen])
        states, mask = states.float().cpu(), mask.cpu()
        for i, one, real in zip(chosen, states, mask, strict=True):
            out[i] = one[real]
    return out
