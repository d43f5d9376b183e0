"""Evidence of a beat tracker, from its beat and downbeat activations."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fgmcaps.annotators.evidence.base import Evidence, Number, Numbers, exactly


@dataclass(frozen=True, slots=True)
class BeatActivations(Evidence):
    """``beat_activation``, ``downbeat_activation``: on each beat, any beat and a downbeat.

    ``tempo_bpm``, ``tempo_strength``: peaks of the autocorrelation, BPM and height, strongest first.
    """

    beat_activation: Numbers
    downbeat_activation: Numbers
    tempo_bpm: Numbers
    tempo_strength: Numbers


@dataclass(frozen=True, slots=True)
class BeatPeriods(Evidence):
    """How the activations repeat, in beats of the tracker (three beats at least).

    - ``bar_contrast``, ``bar_margin``, ``bar_phase``: how well bars of ``BARS`` beats fit, and where they begin
      (:func:`fgmcaps.annotators.measure.beats.bar_phases`);
    - ``between``: mean activation at ``PLACES`` of the way to the next beat, relative to on the beat;
    - ``every``: how much stronger every 2nd, 3rd and 4th (``EVERY``) beat is than the others, best phase;
    - ``lag_ratio``: autocorrelation of any beat after ``LAG_RATIOS`` beats;
    - ``downbeat_lag``: autocorrelation of the downbeats after ``BARS`` beats;
    - ``irregularity``: standard deviation of the beat intervals over their median.
    """

    BARS: ClassVar = (2, 3, 4, 5, 6, 7)
    PLACES: ClassVar = (0.25, 1 / 3, 0.5, 2 / 3, 0.75)
    EVERY: ClassVar = (2, 3, 4)
    LAG_RATIOS: ClassVar = (1 / 3, 1 / 2, 2 / 3, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0, 6.0)

    bar_contrast: Annotated[Numbers, exactly(len(BARS))]
    bar_margin: Annotated[Numbers, exactly(len(BARS))]
    bar_phase: Annotated[Numbers, exactly(len(BARS))]
    between: Annotated[Numbers, exactly(len(PLACES))]
    every: Annotated[Numbers, exactly(len(EVERY))]
    lag_ratio: Annotated[Numbers, exactly(len(LAG_RATIOS))]
    downbeat_lag: Annotated[Numbers, exactly(len(BARS))]
    irregularity: Number
