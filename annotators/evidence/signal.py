"""Evidence of the signal itself: how far the labels of a clip can be trusted."""

from dataclasses import dataclass
from typing import Annotated

from fgmcaps.annotators.evidence.base import Evidence, Number, Numbers, exactly


@dataclass(frozen=True, slots=True)
class SignalEvidence(Evidence):
    """Measurements of one clip.

    - ``percussive_share``: share of the energy that medians over pitch explain better than medians over time;
    - ``harmonic_chroma``, ``bass_chroma``: 12 values from C, summing to 1, of the harmonic part from C3 up and below
      D#3 (root magnitude, so that loud notes do not drown the rest); ``chroma_entropy``: of the first, over log 12;
    - ``onset_density``: onsets a second; ``flatness``, ``level_deviation_db``: as the gate measures them;
    - ``level_dbfs``; ``sounding_share``: frames within 40 dB of the loudest.
    """

    percussive_share: Number
    harmonic_chroma: Annotated[Numbers, exactly(12)]
    bass_chroma: Annotated[Numbers, exactly(12)]
    chroma_entropy: Number
    onset_density: Number
    flatness: Number
    level_deviation_db: Number
    level_dbfs: Number
    sounding_share: Number
