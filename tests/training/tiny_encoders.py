"""Encoders small enough to count on: every feature is a formula a test can write down."""

import os
import signal
import time
import zlib
from typing import Any, ClassVar

import torch

from fgmcaps.training.encoders.base import AudioEncoder, TextEncoder


class TinyAudio(AudioEncoder):
    """Frames of 960 samples: mean, loudest sample, energy, and 1; minus the training mean where ``fitted``.

    ``misbehave``: what happens at the n-th call of frames(): ``nan``, ``huge``, ``kill``, ``memory``.
    """

    name: ClassVar[str] = "tiny-audio"
    licence: ClassVar[str] = "Apache-2.0"
    revision = "1"
    sample_rate = 24_000
    frame_rate = 25.0
    dim = 4

    def __init__(
        self, scale: float = 1.0, fitted: bool = False, misbehave: str = "", call: int = 0, sleep: float = 0.0
    ):
        self.scale, self.fitted, self.misbehave, self.call, self.sleep = scale, fitted, misbehave, call, sleep
        self.mean: torch.Tensor | None = None
        self.calls = 0
        self.ready = False

    def settings(self) -> dict[str, Any]:
        return {"scale": self.scale, "fitted": self.fitted}

    def setup(self, device="cpu") -> None:
        self.ready = True

    def raw(self, audio, lengths):
        counts = (lengths // 960).clamp(min=1)
        time_ = int(counts.max())
        audio = torch.nn.functional.pad(audio, (0, max(0, time_ * 960 - audio.shape[1])))[:, : time_ * 960]
        cut = audio.view(len(audio), time_, 960)
        parts = [cut.mean(-1), cut.abs().amax(-1), cut.square().mean(-1), torch.ones(cut.shape[:2])]
        return torch.stack(parts, -1) * self.scale, torch.arange(time_)[None] < counts[:, None]

    def frames(self, audio, lengths):
        assert self.ready
        time.sleep(self.sleep)
        out, mask = self.raw(audio, lengths)
        if self.mean is not None:
            out = out - self.mean
        if self.calls == self.call:
            if self.misbehave == "nan":
                out[0, 3, 1] = float("nan")
            elif self.misbehave == "huge":
                out[0, 3, 1] = 1e6
            elif self.misbehave == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif self.misbehave == "memory":
                raise torch.OutOfMemoryError("no memory")
        self.calls += 1
        return out * mask[..., None], mask

    @property
    def needs_fit(self) -> bool:
        return self.fitted and self.mean is None

    def fit(self, batches) -> None:
        frames = [out[mask] for out, mask in (self.raw(*batch) for batch in batches)]
        if frames:
            self.mean = torch.cat(frames).mean(0)

    @property
    def state(self):
        return {} if self.mean is None else {"mean": self.mean.numpy()}

    def load_state(self, state) -> None:
        self.mean = torch.from_numpy(state["mean"])


class TinyText(TextEncoder):
    """One token a word, at most ``max_tokens``: its length, its CRC-32 in 0 .. 1, and 1."""

    name: ClassVar[str] = "tiny-text"
    licence: ClassVar[str] = "Apache-2.0"
    revision = "1"
    dim = 3
    max_tokens = 64

    def settings(self) -> dict[str, Any]:
        return {}

    def setup(self, device="cpu") -> None:
        pass

    def pieces(self, texts):
        return [text.split()[: self.max_tokens] for text in texts]

    def tokens(self, texts):
        words = self.pieces(texts)
        out = torch.zeros(len(texts), max(map(len, words)), 3)
        mask = torch.zeros(out.shape[:2], dtype=torch.bool)
        for i, line in enumerate(words):
            for j, word in enumerate(line):
                out[i, j] = torch.tensor([len(word), zlib.crc32(word.encode()) / 2**32, 1.0])
                mask[i, j] = True
        return out, mask
