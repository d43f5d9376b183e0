"""Front ends are shared within a clip and never across; batches keep order and group equal lengths only."""

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.frames import Frames, by_length, rounded
from fgmcaps.annotators.kernels.once import OncePerClip


def test_one_computation_for_one_array_and_another_for_an_equal_one() -> None:
    calls: list[int] = []

    def total(samples: npt.NDArray[np.float32]) -> float:
        calls.append(1)
        return float(samples.sum())

    once = OncePerClip(total)
    clip = np.ones(5, np.float32)
    assert once(clip) == once(clip) == 5.0
    assert len(calls) == 1
    assert once(clip.copy()) == 5.0
    assert len(calls) == 2


def test_a_freed_array_is_not_mistaken_for_a_new_one_at_its_address() -> None:
    once = OncePerClip(lambda samples: float(samples.sum()))
    for value in range(50):
        clip = np.full(1000, value, np.float32)
        assert once(clip) == 1000.0 * value
        del clip


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


def test_details_hold_no_nan() -> None:
    assert rounded([0.12345, float("nan"), float("-inf")], 2) == [0.12, 0.0, 0.0]
