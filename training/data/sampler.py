"""Which clips make a batch, in an order that is a function of seed and epoch only."""

from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def epoch_batches(tracks: Ints, batch: int, *, seed: int, epoch: int, one_clip_per_track: bool = True) -> list[Ints]:
    """Full batches of positions in ``tracks``, shuffled; what does not fill the last one waits for another epoch.

    Args:
        tracks: int64 [N], the track of each clip.
        batch: Clips a batch; N where there are fewer.
        one_clip_per_track: At most one clip of a track in a batch, as long as enough other tracks are left.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(tracks))
    batch = min(batch, len(tracks))
    if one_clip_per_track:
        order = np.array(_spread(order, tracks, batch), dtype=np.int64)
    return [order[start : start + batch] for start in range(0, len(order) - batch + 1, batch)]


def _spread(order: Ints, tracks: Ints, batch: int) -> list[int]:
    """``order`` with clips whose track is in the batch already put off until the next one."""
    out: list[int] = []
    coming, waiting = deque(int(i) for i in order), deque[int]()
    while coming or waiting:
        seen: set[int] = set()
        put_off: deque[int] = deque()
        filled = 0
        while filled < batch and (waiting or coming):
            item = waiting.popleft() if waiting else coming.popleft()
            if int(tracks[item]) in seen:
                put_off.append(item)
            else:
                seen.add(int(tracks[item]))
                out.append(item)
                filled += 1
        while filled < batch and put_off:  # not enough tracks are left
            out.append(put_off.popleft())
            filled += 1
        waiting = put_off
    return out


def choose_captions(counts: Sequence[int] | Ints, how: str, *, seed: int, epoch: int, step: int) -> list[int]:
    """The caption of each clip in a step: 0, the main one, or any of its ``counts`` captions."""
    if how == "main":
        return [0] * len(counts)
    random = np.random.default_rng([seed, epoch, step, 1])
    return [int(random.integers(n)) for n in counts]


def drop_positions(
    mask: npt.NDArray[np.bool_], share: float, *, seed: int, epoch: int, step: int, stream: int
) -> npt.NDArray[np.bool_]:
    """``mask`` [N, S] with a random ``share`` of its real positions switched off; the first one always stays."""
    if share == 0:
        return mask
    random = np.random.default_rng([seed, epoch, step, stream])
    keep = random.random(mask.shape) >= share
    keep[np.arange(len(mask)), mask.argmax(1)] = True
    return mask & keep
