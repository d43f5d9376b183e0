"""Pitch content of clips: whitened pitch bands, tuning, chroma, bass chroma, likeness to chords and keys."""

import math

import torch
from torch import Tensor
from torch.nn import functional

FLOOR = 1e-2
"""Magnitude of a band (of a clip with RMS 1) under which nothing is heard: about 85 dB below the loudest."""
FAINT = 0.05
"""Chroma shorter than this is mostly noise and stays short."""


def whiten(bands: Tensor, per_semitone: int) -> Tensor:
    """What stands out of its neighbourhood: log bands minus their local mean over an octave, rectified.

    Broadband sound (drums) is flat over an octave and vanishes; ``bands``: [B, T, bands] magnitudes.
    """
    logs = torch.log(bands + FLOOR)
    width = 12 * per_semitone
    lines = logs.flatten(0, 1)[:, None]
    flat = functional.avg_pool1d(lines, width + 1, stride=1, padding=width // 2, count_include_pad=False)
    return (logs - flat[:, 0].view_as(logs)).clamp(min=0)


def tuning_offset(bands: Tensor, valid: Tensor, per_semitone: int) -> Tensor:
    """Deviation of each clip from A4 = 440 Hz in semitones, -0.5 .. 0.5: the phase of the mean over all semitones."""
    energy = (bands.square() * valid[..., None]).sum(dim=1).view(bands.shape[0], -1, per_semitone).sum(dim=1)
    place = (torch.arange(per_semitone, device=bands.device) - (per_semitone - 1) / 2) / per_semitone
    angle = 2 * math.pi * place
    return torch.atan2((energy * angle.sin()).sum(dim=1), (energy * angle.cos()).sum(dim=1)) / (2 * math.pi)


def semitones(bands: Tensor, offset: Tensor, per_semitone: int) -> Tensor:
    """Bands gathered into semitones of the clip's own tuning: [B, T, bands / per_semitone]."""
    count = bands.shape[-1]
    places = (torch.arange(count, device=bands.device) - (per_semitone - 1) / 2) / per_semitone
    notes = torch.arange(count // per_semitone, device=bands.device)
    distance = places[None, :, None] - notes[None, None, :] - offset[:, None, None]
    weights = torch.cos(math.pi * distance).clamp(min=0).square() * (distance.abs() < 0.5)
    return torch.bmm(bands, weights.to(bands.dtype))


def fold(notes: Tensor, lowest: int, centre: float, width: float) -> Tensor:
    """Chroma [B, T, 12] (C first) of semitones [B, T, notes] weighted by a Gaussian over MIDI pitch."""
    midi = torch.arange(notes.shape[-1], device=notes.device) + lowest
    weighted = notes * torch.exp(-0.5 * ((midi - centre) / width) ** 2)
    lead = lowest % 12
    padded = functional.pad(weighted, (lead, -(notes.shape[-1] + lead) % 12))
    return padded.view(*notes.shape[:2], -1, 12).sum(dim=2)


def smooth(values: Tensor, valid: Tensor, width: int) -> Tensor:
    """Mean over ``width`` (odd) frames around each, frames outside the clip left out: [B, T, channels]."""
    real = valid[..., None].to(values.dtype)
    stacked = torch.cat([values * real, real], dim=-1).transpose(1, 2)
    sums = functional.avg_pool1d(stacked, width, stride=1, padding=width // 2, count_include_pad=True).transpose(1, 2)
    mean: Tensor = sums[..., :-1] / sums[..., -1:].clamp(min=1e-6)
    return mean


def unit(values: Tensor) -> Tensor:
    """Nearly unit length along the last axis; what is faint stays short."""
    length: Tensor = values.norm(dim=-1, keepdim=True)
    return values / (length + FAINT)


def chord_likeness(chroma: Tensor, bass: Tensor, templates: Tensor, sharpness: float) -> Tensor:
    """Softmax over chords of the cosine with each template, plus the bass on its root: [B, T, chords]."""
    roots = unit(bass).repeat(1, 1, templates.shape[0] // 12)
    return torch.softmax(sharpness * (unit(chroma) @ templates.T + 0.25 * roots), dim=-1)


def key_likeness(chroma: Tensor, bass: Tensor, templates: Tensor, sharpness: float) -> Tensor:
    """Softmax over 24 keys of the correlation of mean chroma with each profile, the bass on the tonic helping."""
    centred = unit(chroma - chroma.mean(dim=-1, keepdim=True))
    tonic = unit(bass - bass.mean(dim=-1, keepdim=True)).repeat(1, 2)
    return torch.softmax(sharpness * (centred @ templates.T + 0.2 * tonic), dim=-1)
