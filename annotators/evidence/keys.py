"""Evidence of key finders and of mean chroma."""

from dataclasses import dataclass
from typing import Annotated

from fgmcaps.annotators.evidence.base import Evidence, Numbers, exactly
from fgmcaps.schemas.music import KEYS


@dataclass(frozen=True, slots=True)
class KeyScores(Evidence):
    """``scores`` of each of :data:`fgmcaps.schemas.music.KEYS`: correlations with a profile, or log-probabilities."""

    scores: Annotated[Numbers, exactly(len(KEYS))]


@dataclass(frozen=True, slots=True)
class MeanChroma(Evidence):
    """``chroma``: strength of the 12 pitch classes from C, mean over the clip."""

    chroma: Annotated[Numbers, exactly(12)]
