"""Evidence of other tempi than the one that a tool chose."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from fgmcaps.annotators.evidence.base import Evidence, Number, Numbers, exactly


@dataclass(frozen=True, slots=True)
class TempoLikelihoods(Evidence):
    """``hypothesis_loglik``: nats a second, relative to the likeliest pair (0), of tempi and bar lengths.

    Rows are ``RATIOS`` of the tracker's tempo, columns bars of ``BARS`` beats. A tempo outside the model's range has an
    empty row; where the model lacks only some of its bars the row is shorter and cannot be read.
    """

    RATIOS: ClassVar = (1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0)
    BARS: ClassVar = (2, 3, 4, 6)

    hypothesis_loglik: Annotated[
        tuple[Annotated[Numbers, Field(max_length=len(BARS))], ...],
        exactly(len(RATIOS)),
    ]


@dataclass(frozen=True, slots=True)
class TempoCandidates(Evidence):
    """A tempo tool's own measurements.

    ``raw_bpm``: its tempo as it gives it; ``ticks``: its beats in seconds, empty where the tempo is not believable;
    ``tempo_bpm``, ``tempo_share``: groups of its estimates, the largest first.
    """

    raw_bpm: Number
    ticks: Numbers
    tempo_bpm: Numbers
    tempo_share: Numbers
