"""madmom's logarithmic filtered spectrogram and its rise, over many clips at once.

madmom steps through the frames in Python; here a batch of clips is one Fourier transform. Filterbanks, windows and
parameters are read from madmom's own processors (BSD code), so the values are the same up to the order of sums.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

_BLOCK = 2**17  # samples of frames at once on a processor: they and their transform stay in its cache


class LogSpectrum:
    """One resolution: frames centred on every hop, zeros beyond the ends, ``log10(1 + filterbank)``, and the rise.

    ``chain``: madmom's ``SequentialProcessor`` of framing, STFT, filterbank, logarithm and difference, after its first
    use (it builds its filterbank then). Raises ValueError for parameters that no model here was trained with.
    """

    def __init__(self, chain: Any, device: str = "cpu") -> None:
        framing, stft, filtering, logarithm, rise = chain.processors
        if (framing.origin, framing.end, stft.fft_size, stft.circular_shift) != (0, "normal", None, False):
            raise ValueError("madmom's framing differs from what this spectrogram computes")
        if (logarithm.mul, logarithm.add, rise.diff_max_bins, rise.positive_diffs) != (1, 1, None, True):
            raise ValueError("madmom's logarithm or difference differs from what this spectrogram computes")
        if framing.hop_size != int(framing.hop_size):
            raise ValueError(f"a hop of {framing.hop_size} samples is not whole")
        self._size, self._hop, self._lag = int(framing.frame_size), int(framing.hop_size), int(rise.diff_frames)
        self._window = torch.from_numpy(np.asarray(stft.fft_window, np.float32)).to(device)
        filterbank = np.ascontiguousarray(np.asarray(filtering.filterbank, np.float32))
        # Above the last filter nothing is read; most of the cost of a magnitude is its square root.
        self._bins = int(np.flatnonzero(filterbank.any(axis=1))[-1]) + 1
        self._filterbank = torch.from_numpy(filterbank[: self._bins]).to(device)

    def __call__(self, signals: Tensor) -> Tensor:
        """float32[clips, n] -> float32[clips, frames, 2 x bands]: the spectrum's bands, then their rise."""
        frames = -(-signals.shape[1] // self._hop)
        padded = torch.nn.functional.pad(signals, (self._size // 2, self._size))
        cut = padded.unfold(1, self._size, self._hop)[:, :frames]
        block = max(1, _BLOCK // (self._size * len(signals))) if signals.device.type == "cpu" else frames
        spectrum = torch.cat([self._bands(part) for part in torch.split(cut, block, dim=1)], dim=1)
        rise = torch.zeros_like(spectrum)
        rise[:, self._lag :] = (spectrum[:, self._lag :] - spectrum[:, : -self._lag]).clamp_(min=0)
        return torch.cat((spectrum, rise), dim=2)

    def _bands(self, frames: Tensor) -> Tensor:
        magnitude = torch.fft.rfft(frames * self._window)[..., : self._bins].abs()
        return torch.log10(magnitude @ self._filterbank + 1)
