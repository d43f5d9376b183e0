"""Which 10 s of a track become clips: a pure function of the track's loudness envelope."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from fgmcaps.schemas import CLIP_SECONDS

HOP_S = 0.5
EDGE_SHARE = 0.1
"""Share of the possible starts at each end that a chosen clip avoids: intros, fades and applause."""


def choose_windows(
    duration_s: float, rms: npt.NDArray[np.float32], clips_per_track: int | Literal["all"]
) -> tuple[tuple[int, int], ...]:
    """``(start, length)`` in milliseconds, ascending, without overlap.

    ``duration_s`` is the decoded length in seconds, ``rms`` float32[m] the RMS of each 0.5 s of the mono mix.
    ``"all"``: every whole 10 s window from 0; the rest at the end is left out. ``k``: the k loudest non-overlapping
    windows on a 0.5 s grid, away from the ends where the track is long enough; ties go to the earlier window. A track
    shorter than 10 s gives one window, its whole length (whether that is too short is the gate's decision).
    """
    clip_ms, total_ms = round(CLIP_SECONDS * 1000), int(duration_s * 1000)
    if total_ms < clip_ms:
        return ((0, total_ms),)
    if clips_per_track == "all":
        return tuple((start, clip_ms) for start in range(0, total_ms - clip_ms + 1, clip_ms))
    hop_ms, span = round(HOP_S * 1000), round(CLIP_SECONDS / HOP_S)
    positions = (total_ms - clip_ms) // hop_ms + 1
    energy = np.zeros(positions - 1 + span)
    energy[: min(len(rms), len(energy))] = np.nan_to_num(np.asarray(rms, np.float64)[: len(energy)]) ** 2
    loudness = np.convolve(energy, np.ones(span), mode="valid")
    edge = int(positions * EDGE_SHARE)
    # Clips near the ends are a last resort: they follow all others, loudest first.
    inner = np.array([edge <= i < positions - edge for i in range(positions)])
    order = sorted(range(positions), key=lambda i: (not inner[i], -round(float(loudness[i]), 9), i))
    chosen: list[int] = []
    for i in order:
        if len(chosen) == clips_per_track:
            break
        if all(abs(i - j) >= span for j in chosen):
            chosen.append(i)
    return tuple((i * hop_ms, clip_ms) for i in sorted(chosen))
