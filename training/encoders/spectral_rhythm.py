"""Rhythm of clips: onset strength in bands, and how it repeats at log-spaced lags (a tempogram of the whole clip).

Ellis (2007) and Grosche, Mueller (2011) describe onset strength and tempograms. All functions are batched; ``valid``
marks the frames inside each clip, so that padding changes nothing.
"""

import torch
from torch import Tensor
from torch.nn import functional

STEADY = 1e-4
"""Variance of onset strength or chroma under which nothing happens."""


def onset_strength(log_mel: Tensor, valid: Tensor, lag: int = 2) -> Tensor:
    """Half-wave rectified rise of each mel band over ``lag`` frames: float32[B, T, bands], 0 outside the clip."""
    before = functional.pad(log_mel[:, :-lag], (0, 0, lag, 0))
    rise = (log_mel - before).clamp(min=0)
    rise[:, :lag] = 0  # what came before the clip is not known
    return rise * valid[..., None]


def autocorrelation(signal: Tensor, valid: Tensor, count: int) -> Tensor:
    """Unbiased autocorrelation at lags 0 .. count - 1 of mean-free signals: float32[B, count, channels].

    ``signal``: [B, T, channels], ``valid``: bool[B, T]. Lags over 3/4 of a clip rest on too few samples: 0.
    """
    real = valid[..., None].float()
    n = real.sum(dim=1)  # [B, 1]
    centred = (signal - (signal * real).sum(dim=1, keepdim=True) / n[:, None]) * real
    size = 1 << (signal.shape[1] + count - 1).bit_length()
    spectrum = torch.fft.rfft(centred, size, dim=1)
    raw = torch.fft.irfft(spectrum.real**2 + spectrum.imag**2, size, dim=1)[:, :count]
    lags = torch.arange(count, device=signal.device)[None, :, None]
    pairs = n[:, None] - lags
    return torch.where(lags <= 0.75 * n[:, None], raw / pairs.clamp(min=1), 0.0)


def at_lags(acf: Tensor, reader: Tensor) -> Tensor:
    """An autocorrelation [B, count, channels] on a grid of lags: [B, channels, lags]; see ``lag_reader``."""
    return acf.transpose(1, 2)[..., reader].amax(dim=-1)


def normalised(acf: Tensor) -> Tensor:
    """An autocorrelation divided by its value at lag 0; that of a steady signal, which is only noise, stays near 0."""
    return acf / (acf[:, :1] + STEADY)


def tempo_salience(acf: Tensor, period: Tensor, per_octave: int, lags: Tensor) -> Tensor:
    """How likely each lag is the beat: softmax over the log-spaced lags, float32[B, lags].

    ``acf``: [B, lags] overall repetition; ``period``: [B, lags] repetition of the whole pattern. A beat repeats at
    2, 3 and 4 times its lag as well; lags near 0.5 s (120 BPM) are felt as beats most easily (Parncutt, 1994).
    """
    comb = acf + sum((0.5 * shifted(period, steps) for steps in (per_octave, 2 * per_octave)), torch.zeros_like(acf))
    prior = -0.5 * (torch.log2(lags / 0.52) / 0.75) ** 2
    score = 8.0 * comb + prior
    score = score.masked_fill((lags < 0.24) | (lags > 1.6), float("-inf"))
    return torch.softmax(score, dim=-1)


def shifted(values: Tensor, steps: int) -> Tensor:
    """``values[..., i + steps]`` with 0 outside."""
    size = values.shape[-1]
    if steps >= 0:
        return functional.pad(values[..., min(steps, size) :], (0, min(steps, size)))
    return functional.pad(values[..., : max(size + steps, 0)], (min(-steps, size), 0))


def at_multiples(acf: Tensor, salience: Tensor, steps: list[int]) -> Tensor:
    """Repetition at multiples of the beat, averaged over what the beat may be: float32[B, channels, len(steps)].

    ``acf``: [B, channels, lags] on the log-spaced lags; a multiple is a shift by ``steps`` there. This is what makes
    meter visible at any tempo: bars of three repeat at 3 beats, bars of four at 4.
    """
    return torch.stack([(shifted(acf, s) * salience[:, None]).sum(dim=-1) for s in steps], dim=-1)
