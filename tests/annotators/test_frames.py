"""Batches keep the order of the clips and group equal lengths only."""

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.frames import Frames, by_length


def test_batches_hold_equal_lengths_and_come_back_in_order() -> None:
    sizes = [5, 3, 5, 5, 4, 3]
    clips = [np.full(n, i, np.float32) for i, n in enumerate(sizes)]
    stacks: list[tuple[int, ...]] = []

    def work(stack: npt.NDArray[np.float32]) -> list[Frames]:
        stacks.append(stack.shape)
        return [{"id": row[:1]} for row in stack]

    out = by_length(clips, work, at_most=2)
    assert [int(frames["id"][0]) for frames in out] == list(range(6))
    assert sorted(stacks) == [(1, 4), (1, 5), (2, 3), (2, 5)]
