"""Evidence of the signal's own onsets around a tracker's beats."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fgmcaps.annotators.evidence.base import Evidence, Numbers, exactly
from fgmcaps.annotators.evidence.beats import BeatPeriods


@dataclass(frozen=True, slots=True)
class OnsetEvidence(Evidence):
    """Onset strength in ``BANDS`` around the beats (three beats at least).

    - ``onset_between``: for each band the mean on the beat, then at ``PLACES`` of the way to the next one, relative to
      the band's mean;
    - ``onset_low``, ``onset_all``: on each beat, lowest band and sum of bands, relative to their mean;
    - ``onset_lag``: for each band the autocorrelation after ``LAG_RATIOS`` beats.
    """

    BANDS: ClassVar = ("low", "mid", "high")
    PLACES: ClassVar = BeatPeriods.PLACES
    LAG_RATIOS: ClassVar = BeatPeriods.LAG_RATIOS

    onset_between: Annotated[tuple[Annotated[Numbers, exactly(1 + len(PLACES))], ...], exactly(len(BANDS))]
    onset_low: Numbers
    onset_all: Numbers
    onset_lag: Annotated[tuple[Annotated[Numbers, exactly(len(LAG_RATIOS))], ...], exactly(len(BANDS))]
