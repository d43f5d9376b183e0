"""Front ends are shared within a clip and never across."""

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.tools.once_per_clip import OncePerClip


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
