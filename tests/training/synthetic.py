"""A model and features without an encoder: unit vectors in, unit vectors out, so that every score is known by hand."""

from types import SimpleNamespace

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from fgmcaps.training.model.views import Views


class IdentityModel(torch.nn.Module):
    """Frames and tokens go through unchanged (normalised); the global view is the mean frame and the first token."""

    def __init__(self, alpha=0.6):
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.config = SimpleNamespace(alpha=alpha, frame_stride=1)

    def audio_views(self, x, mask):
        mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return Views(F.normalize(mean, dim=-1), F.normalize(x, dim=-1), mask)

    def text_views(self, x, mask):
        return Views(F.normalize(x[:, 0], dim=-1), F.normalize(x, dim=-1), mask)


class SyntheticFeatures:
    """Clips of ragged frames and captions of ragged tokens that resemble their own clip by ``signal``."""

    def __init__(self, clips, dim=16, signal=1.0, captions=1, seed=0, same=()):
        rng = np.random.default_rng(seed)
        centre = rng.normal(size=(clips, dim))
        self._audio, self._text = [], []
        for i in range(clips):
            frames = signal * centre[i] + rng.normal(size=(int(rng.integers(3, 9)), dim))
            tokens = [signal * centre[i] + rng.normal(size=(int(rng.integers(2, 7)), dim)) for _ in range(captions)]
            self._audio.append(torch.tensor(frames, dtype=torch.float32))
            self._text.append([torch.tensor(t, dtype=torch.float32) for t in tokens])
        self.track = np.arange(clips) // 2
        self.ids = [f"clip-{i}" for i in range(clips)]
        self.caption_count = np.full(clips, captions)
        self._caption = {(i, k): i * captions + k for i in range(clips) for k in range(captions)}
        for a, b in same:
            self._caption[(b, 0)] = self._caption[(a, 0)]
            self._text[b][0] = self._text[a][0]

    def audio(self, i):
        return self._audio[i]

    def text(self, i, k=0):
        return self._text[i][k]

    def caption_id(self, i, k=0):
        return self._caption[(i, k)]
