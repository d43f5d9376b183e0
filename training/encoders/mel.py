"""What MuQ needs of torchaudio, where that does not load: a mel spectrogram and decibels.

Same numbers as ``torchaudio.transforms.MelSpectrogram`` with its defaults (HTK mel scale, no area normalisation, power
2, periodic Hann window, centred with reflection); checked in the tests against librosa.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def htk_mel_bank(sample_rate: int, n_fft: int, n_mels: int) -> Tensor:
    """float32[n_fft // 2 + 1, n_mels]: triangles of height 1, evenly spaced on HTK's mel scale from 0 to Nyquist."""
    top = 2595.0 * np.log10(1.0 + sample_rate / 2 / 700.0)
    edges = 700.0 * (10.0 ** (np.linspace(0.0, top, n_mels + 2) / 2595.0) - 1.0)
    bins = np.linspace(0.0, sample_rate / 2, n_fft // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return torch.from_numpy(np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32))


class MelSpectrogram(nn.Module):
    """Power mel spectrogram [..., n_mels, 1 + n // hop_length] of waveforms [..., n]."""

    window: Tensor
    bank: Tensor

    def __init__(self, sample_rate: int = 16_000, n_fft: int = 400, hop_length: int = 200, n_mels: int = 128) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.register_buffer("bank", htk_mel_bank(sample_rate, n_fft, n_mels), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        flat = waveform.reshape(-1, waveform.shape[-1])
        spectrum = torch.stft(
            flat, self.n_fft, self.hop_length, window=self.window, center=True, pad_mode="reflect", return_complex=True
        )
        mel = (spectrum.abs().square().transpose(-1, -2) @ self.bank).transpose(-1, -2)
        return mel.reshape(*waveform.shape[:-1], *mel.shape[-2:])


class AmplitudeToDB(nn.Module):
    """``10 log10`` of a power, at least 1e-10."""

    def forward(self, power: Tensor) -> Tensor:
        return 10.0 * torch.log10(power.clamp(min=1e-10))


def provide_torchaudio() -> None:
    """Let ``import torchaudio`` succeed: the real one where it loads, else a module with the two classes above.

    The stand-in is only there while nothing else has imported torchaudio; it claims no version and no more than it has.
    """
    if "torchaudio" in sys.modules:
        return
    if importlib.util.find_spec("torchaudio") is not None:
        try:
            importlib.import_module("torchaudio")
        except (ImportError, OSError):  # built for another torch: its library does not load
            for name in [n for n in sys.modules if n == "torchaudio" or n.startswith("torchaudio.")]:
                del sys.modules[name]
        else:
            return
    module: Any = ModuleType("torchaudio")
    module.is_stand_in = True
    module.transforms = ModuleType("torchaudio.transforms")
    module.transforms.MelSpectrogram, module.transforms.AmplitudeToDB = MelSpectrogram, AmplitudeToDB
    sys.modules["torchaudio"], sys.modules["torchaudio.transforms"] = module, module.transforms


def withdraw_torchaudio() -> None:
    """Take the stand-in away again, so that others who look for torchaudio find what is really installed."""
    module = sys.modules.get("torchaudio")
    if getattr(module, "is_stand_in", False):
        del sys.modules["torchaudio"], sys.modules["torchaudio.transforms"]
