"""Beats of another tempo from those of a clip: every second one, or one more between two."""

from collections.abc import Sequence
from math import log2

import numpy as np

_SAME = 0.06  # octaves
Times = tuple[float, ...]


def beats_at(beats: Sequence[float], downbeats: Sequence[float], ratio: float) -> Times | None:
    """Beats ``ratio`` times as fast: 2 or 3 times as many, or every second or third one; None for another ratio.

    Those that stay are the ones that most downbeats are among.
    """
    if len(beats) < 2:
        return None
    for times in (2, 3):
        if abs(log2(ratio / times)) < _SAME:
            steps = np.arange((len(beats) - 1) * times + 1) / times
            return tuple(round(float(t), 4) for t in np.interp(steps, np.arange(len(beats)), beats))
        if abs(log2(ratio * times)) < _SAME:
            first = set(downbeats)
            phases = [sum(beat in first for beat in beats[phase::times]) for phase in range(times)]
            return tuple(beats[int(np.argmax(phases)) :: times])
    return None
