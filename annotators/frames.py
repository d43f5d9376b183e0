"""Annotators in two steps: networks over many clips at once, then one conclusion a clip."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Annotator, Model, Samples, check_samples
from fgmcaps.schemas import Estimate
from fgmcaps.schemas.estimate import Detail, Value

Frames = Mapping[str, npt.NDArray[Any]]
"""What the networks say, by name: arrays whose first axis is time."""


class FrameAnnotator(Annotator[Model]):
    """A tool that turns a clip into frame-wise scores, and those into an estimate.

    Subclasses write ``_frames`` (batched) and ``_conclude`` in place of ``_estimate``. The scores of a clip must not
    depend on the other clips of the batch.
    """

    def frames(self, clips: Sequence[Samples], sample_rate: int) -> list[Frames]:
        """Frame-wise scores of each clip. Raises as :meth:`annotate` does."""
        for clip in clips:
            check_samples(clip, sample_rate, self.sample_rate, self.info.name)
        if not clips:
            return []
        with self.model_alone() as model:
            return self._frames(model, clips)

    def conclude(self, samples: Samples, frames: Frames) -> Estimate:
        """The estimate that :meth:`annotate` gives for ``samples``, whose :meth:`frames` are given."""
        with self.model_alone() as model:
            value, confidence, details = self._conclude(model, samples, frames)
        info = self.info
        return Estimate(info.name, info.version, self.attribute, value, confidence, details)

    def annotate_batch(self, clips: Sequence[Samples], sample_rate: int | None = None) -> list[Estimate]:
        """Estimates of several clips; the networks run over all of them together."""
        rate = self.sample_rate if sample_rate is None else sample_rate
        return [self.conclude(clip, found) for clip, found in zip(clips, self.frames(clips, rate), strict=True)]

    def _estimate(self, model: Model, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        return self._conclude(model, samples, self._frames(model, [samples])[0])

    @abstractmethod
    def _frames(self, model: Model, clips: Sequence[Samples]) -> list[Frames]:
        """Frame-wise scores of checked clips, which may differ in length."""

    @abstractmethod
    def _conclude(
        self, model: Model, samples: Samples, frames: Frames
    ) -> tuple[Value, float | None, dict[str, Detail]]:
        """Value, the tool's own confidence, and small JSON-able evidence."""


def by_length(
    clips: Sequence[Samples], work: Callable[[npt.NDArray[np.float32]], list[Frames]], at_most: int = 16
) -> list[Frames]:
    """``work`` on stacks float32[k, n] of clips of equal length, ``at_most`` at a time; results in the clips' order."""
    out: list[Frames] = [{}] * len(clips)
    indices = sorted(range(len(clips)), key=lambda i: clips[i].size)
    for _, group in groupby(indices, key=lambda i: clips[i].size):
        same = list(group)
        for start in range(0, len(same), at_most):
            part = same[start : start + at_most]
            for index, found in zip(part, work(np.stack([clips[i] for i in part])), strict=True):
                out[index] = found
    return out
