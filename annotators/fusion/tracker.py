"""A beat tracker's beats and evidence, read in beats of a hypothesis."""

from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np

from fgmcaps.annotators.evidence.bars import BarLikelihoods
from fgmcaps.annotators.evidence.beats import BeatActivations, BeatPeriods
from fgmcaps.annotators.evidence.onsets import OnsetEvidence
from fgmcaps.annotators.evidence.tempi import TempoLikelihoods
from fgmcaps.annotators.fusion.features import Floats, near_value, nearest
from fgmcaps.annotators.fusion.tempo import pulse
from fgmcaps.schemas import BeatGrid, Estimate

_FRAMES = 1000.0
"""Frames of 10 s at 100 frames/s. Log-likelihoods count as of so many, whatever the tracker's rate and the clip's
length: the models were fitted so."""


@dataclass(frozen=True, eq=False)
class Tracker:
    """A tracker that found three beats or more.

    ``bpm``, ``regularity``: of its steady intervals (:func:`fgmcaps.annotators.fusion.tempo.pulse`); a kind of
    evidence that it did not give is None.
    """

    name: str
    bpm: float
    regularity: float
    grid: BeatGrid
    activations: BeatActivations | None = None
    periods: BeatPeriods | None = None
    onsets: OnsetEvidence | None = None
    bars: BarLikelihoods | None = None
    tempi: TempoLikelihoods | None = None

    @cached_property
    def on_beat(self) -> Floats:
        """Activation of any beat on each beat; empty where it is not known, like the three below."""
        return np.asarray(() if self.activations is None else self.activations.beat_activation, dtype=np.float64)

    @cached_property
    def on_downbeat(self) -> Floats:
        """Activation of a downbeat on each beat."""
        return np.asarray(() if self.activations is None else self.activations.downbeat_activation, dtype=np.float64)

    @cached_property
    def low_onsets(self) -> Floats:
        """Onset strength of the lowest band on each beat."""
        return np.asarray(() if self.onsets is None else self.onsets.onset_low, dtype=np.float64)

    @cached_property
    def all_onsets(self) -> Floats:
        """Onset strength of all bands on each beat."""
        return np.asarray(() if self.onsets is None else self.onsets.onset_all, dtype=np.float64)

    @property
    def own_bar(self) -> int:
        """Beats in its own bars, the largest number of a beat; 0 where it does not number them."""
        return max(self.grid.positions, default=0)

    def ratio(self, bpm: float) -> float:
        """Its beats in a beat of a tempo of ``bpm``."""
        return self.bpm / bpm

    def lag(self, beats: float) -> float:
        """Autocorrelation of its beat activation after ``beats`` of its beats; NaN where it was not measured."""
        return nan if self.periods is None else near_value(self.periods.lag_ratio, BeatPeriods.LAG_RATIOS, beats)

    def onset_lag(self, band: str, beats: float) -> float:
        """Autocorrelation of a band's onsets after ``beats`` of its beats; NaN where it was not measured."""
        if self.onsets is None:
            return nan
        values = self.onsets.onset_lag[OnsetEvidence.BANDS.index(band)]
        return near_value(values, OnsetEvidence.LAG_RATIOS, beats)

    def bar_contrast(self, beats: float) -> float:
        """How much stronger the downbeats of bars of ``beats`` of its beats are; NaN for other than 2 .. 7."""
        return nan if self.periods is None else near_value(self.periods.bar_contrast, BeatPeriods.BARS, beats)

    def bar_margin(self, beats: float) -> float:
        """How far the best place of such bars leads the next; NaN for other than 2 .. 7."""
        return nan if self.periods is None else near_value(self.periods.bar_margin, BeatPeriods.BARS, beats)

    def downbeat_lag(self, beats: float) -> float:
        """Autocorrelation of its downbeat activation after ``beats`` of its beats; NaN for other than 2 .. 7."""
        return nan if self.periods is None else near_value(self.periods.downbeat_lag, BeatPeriods.BARS, beats)

    def bar_log_likelihood(self, beats: float) -> float:
        """Log-likelihood of bars of ``beats`` of its beats less that of the likeliest, in hundredths of a nat a frame.

        NaN for bars that were not decoded.
        """
        if self.bars is None or not self.bars.bar_lengths:
            return nan
        found = near_value(self.bars.bar_loglik, self.bars.bar_lengths, beats)
        return 100 * (found - max(self.bars.bar_loglik)) / _FRAMES

    def tempo_log_likelihood(self, bpm: float, beats: int | None = None) -> float:
        """Log-likelihood in nats a second of ``bpm`` with bars of ``beats``, 0 for the best of all.

        None: the likeliest bars. NaN for a tempo or bar length that was not asked for.
        """
        row = nearest(bpm / self.bpm, TempoLikelihoods.RATIOS)
        if self.tempi is None or row is None:
            return nan
        values = self.tempi.hypothesis_loglik[row]
        if len(values) != len(TempoLikelihoods.BARS):
            return nan
        if beats is None:
            return max(values)
        return values[TempoLikelihoods.BARS.index(beats)] if beats in TempoLikelihoods.BARS else nan


def tracker_of(estimate: Estimate) -> Tracker | None:
    """The tracker of an estimate of beats; None below three beats. Raises EvidenceError."""
    grid, name, details = estimate.value, estimate.annotator, estimate.details
    steady = pulse(grid.times) if isinstance(grid, BeatGrid) else None
    if not isinstance(grid, BeatGrid) or steady is None or not steady[0] > 0:
        return None
    return Tracker(
        name,
        *steady,
        grid,
        BeatActivations.from_details(details, name),
        BeatPeriods.from_details(details, name),
        OnsetEvidence.from_details(details, name),
        BarLikelihoods.from_details(details, name),
        TempoLikelihoods.from_details(details, name),
    )
