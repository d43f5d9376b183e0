"""Evidence of a bar model's decoder: how likely each bar length was."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated

from fgmcaps.annotators.evidence.base import Evidence, Numbers, exactly


@dataclass(frozen=True, slots=True)
class BarLikelihoods(Evidence):
    """``bar_loglik``: log-likelihood over all ``frames`` (one number) of bars of ``bar_lengths`` beats, ascending."""

    bar_lengths: Numbers
    bar_loglik: Numbers
    frames: Annotated[Numbers, exactly(1)]

    def __post_init__(self) -> None:
        if len(self.bar_lengths) != len(self.bar_loglik):
            raise ValueError(f"bar_loglik has {len(self.bar_loglik)} values for {len(self.bar_lengths)} bar_lengths")

    @classmethod
    def of(cls, log_likelihoods: Mapping[int, float], frames: int) -> "BarLikelihoods":
        """Of the log-likelihood by bar length; a length whose likelihood is not finite is left out."""
        bars = sorted(bar for bar, value in log_likelihoods.items() if isfinite(value))
        return cls(
            tuple(float(bar) for bar in bars),
            tuple(round(log_likelihoods[bar], 3) for bar in bars),
            (float(frames),),
        )
