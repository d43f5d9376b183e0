"""The evidence in estimates, for the fitted models: numbers by name, NaN where a tool or a figure is absent.

A model is a list of named features; what a tool did not say is NaN, which the trees route on its own way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import log2, nan

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.fusion.chords import without_start_frame
from fgmcaps.annotators.fusion.tempo import pulse
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Tempo

Floats = npt.NDArray[np.float64]
Row = dict[str, float]

TRACKERS = ("madmom_downbeat", "beatnet")
LAGS = (1 / 3, 1 / 2, 2 / 3, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0, 6.0)
"""Of the autocorrelation in ``lag_ratio``, in beat periods (:mod:`fgmcaps.annotators.evidence.beats`)."""
BARS = (2, 3, 4, 5, 6, 7)
"""Bar lengths in beats of ``bar_contrast``, ``bar_margin`` and ``downbeat_lag``."""
TEMPO_RATIOS, TEMPO_BARS = (1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0), (2, 3, 4, 6)
"""Rows and columns of ``hypothesis_loglik`` (:mod:`fgmcaps.annotators.evidence.tempo_hypotheses`)."""
_NEAR = 0.06  # octaves; a ratio this close to a named one is that one


@dataclass(frozen=True, eq=False)
class Tracker:
    """A beat tracker's answer: tempo in BPM from its steady intervals, beats and what it says of them."""

    name: str
    bpm: float
    regularity: float
    grid: BeatGrid
    estimate: Estimate
    _read: dict[str, Floats] = field(default_factory=dict, repr=False)

    def numbers(self, name: str) -> Floats:
        """A list of its details (empty if it is not there), read once: hypotheses ask for the same ones again."""
        if name not in self._read:
            self._read[name] = numbers(self.estimate, name)
        return self._read[name]

    def ratio(self, bpm: float) -> float:
        """Its beats in a beat of a tempo of ``bpm``."""
        return self.bpm / bpm

    def lag(self, ratio: float) -> float:
        """Autocorrelation of its beat activation at ``ratio`` of its beat periods; NaN where it was not taken."""
        values = self.numbers("lag_ratio")
        index = nearest(ratio, LAGS)
        return nan if index is None or index >= values.size else float(values[index])

    def bar(self, what: str, length: float) -> float:
        """``what`` (``bar_contrast`` ...) for bars of ``length`` of its beats; NaN unless that is 2 .. 7."""
        values = self.numbers(what)
        index = nearest(length, BARS)
        return nan if index is None or index >= values.size else float(values[index])

    def bar_log_likelihood(self, length: float) -> float:
        """Log-likelihood per frame x 100 of bars of ``length`` beats less that of the likeliest; NaN if not decoded."""
        lengths, logs = self.numbers("bar_lengths"), self.numbers("bar_loglik")
        if lengths.size != logs.size or lengths.size == 0:
            return nan
        index = nearest(length, tuple(lengths.tolist()))
        frames = number(self.estimate, "frames")
        return nan if index is None else float(100 * (logs[index] - logs.max()) / (frames if frames > 0 else 1000.0))

    def hypothesis(self, bpm: float, beats: int | None = None) -> float:
        """Log-likelihood in nats a second of ``bpm`` with bars of ``beats``, 0 for the best of all.

        None: the likeliest bars. NaN for a tempo or bar length that was not asked for.
        """
        table = self.estimate.details.get("hypothesis_loglik")
        row = nearest(bpm / self.bpm, TEMPO_RATIOS)
        if not isinstance(table, list) or row is None or row >= len(table):
            return nan
        values = table[row]
        if not isinstance(values, list) or len(values) != len(TEMPO_BARS):
            return nan
        if beats is None:
            return max(values)
        return values[TEMPO_BARS.index(beats)] if beats in TEMPO_BARS else nan


def trackers_of(estimates: Sequence[Estimate]) -> list[Tracker]:
    """Beat trackers that found three beats or more, the most trusted first."""
    by_name = {e.annotator: e for e in estimates if isinstance(e.value, BeatGrid)}
    names = [*(n for n in TRACKERS if n in by_name), *(n for n in by_name if n not in TRACKERS)]
    found = []
    for name in names:
        grid = by_name[name].value
        assert isinstance(grid, BeatGrid)
        steady = pulse(grid.times)
        if steady is not None and steady[0] > 0:
            found.append(Tracker(name, steady[0], steady[1], grid, by_name[name]))
    return found


def tempo_of(estimates: Sequence[Estimate], name: str) -> tuple[Estimate | None, float]:
    """A tempo tool's estimate and its BPM; NaN if it named none."""
    found = next((e for e in estimates if e.annotator == name and isinstance(e.value, Tempo)), None)
    bpm = found.value.bpm if found is not None and isinstance(found.value, Tempo) else None
    return found, nan if bpm is None else bpm


def spans_by_tool(estimates: Sequence[Estimate]) -> dict[str, tuple[ChordSpan, ...]]:
    """Chord spans of each recogniser that gave any."""
    return {
        e.annotator: tuple(without_start_frame(e.value.spans))
        for e in estimates
        if isinstance(e.value, ChordSequence) and e.value.spans
    }


def changes(spans: Sequence[ChordSpan]) -> Floats:
    """Times in seconds at which one chord follows another."""
    return np.array([s.start for s in spans[1:]], dtype=np.float64)


def audio_of(estimates: Sequence[Estimate]) -> Mapping[str, float]:
    """What :mod:`fgmcaps.annotators.evidence.signal` measured, from whichever estimate carries it."""
    names = ("percussive_share", "chroma_entropy", "onset_density", "flatness", "level_deviation_db", "sounding_share")
    out = dict.fromkeys(names, nan)
    for estimate in estimates:
        if "percussive_share" in estimate.details:
            return {name: number(estimate, name) for name in names}
    return out


def number(estimate: Estimate | None, name: str) -> float:
    """A number of the details; NaN if it is not there."""
    value = None if estimate is None else estimate.details.get(name)
    return float(value) if isinstance(value, float | int) else nan


def numbers(estimate: Estimate | None, name: str) -> Floats:
    """A list of the details; empty if it is not there."""
    value = None if estimate is None else estimate.details.get(name)
    plain = isinstance(value, list) and all(isinstance(v, float | int) for v in value)
    return np.asarray(value, dtype=np.float64) if plain else np.zeros(0)


def at(values: Floats, index: int) -> float:
    """``values[index]``; NaN beyond either end."""
    return float(values[index]) if 0 <= index < values.size else nan


@lru_cache(maxsize=4096)
def nearest(value: float, named: tuple[float, ...]) -> int | None:
    """Index of the entry of ``named`` within 4 % of ``value``; None if there is none."""
    if not value > 0:
        return None
    gaps = [abs(log2(value / n)) for n in named]
    least = min(gaps)
    return gaps.index(least) if least <= _NEAR else None


def table_of(rows: Sequence[Row], features: Sequence[str]) -> Floats:
    """Rows as float64[rows, features]; a feature that a row lacks is NaN."""
    return np.array([[row.get(name, nan) for name in features] for row in rows], dtype=np.float64).reshape(
        len(rows), len(features)
    )
