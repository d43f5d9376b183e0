"""Meter hypotheses at a tempo and their evidence.

Conventions
-----------
Beats are those of the given tempo, the felt ones: 6/8 has two, each of three eighths; it differs from 2/4 by what
happens between the beats. A tracker that counts r beats to the felt one (1/2, 3/2, 2, 3 ...) is asked about bars of r
times as many of its own.
"""

from collections.abc import Sequence
from math import log2

from schemas import Estimate

from .evidence import Row, Tracker, trackers_of
from .rhythm_evidence import chord_change_fit, chord_pace, clip_rhythm

METERS: dict[str, int] = {"2/4": 2, "3/4": 3, "4/4": 4, "5/4": 5, "6/8": 2}
"""Time signature -> felt beats in a bar."""


def meter_rows(estimates: Sequence[Estimate], bpm: float) -> list[Row]:
    """Features of each of ``METERS``, in order, at ``bpm``."""
    trackers = trackers_of(estimates)
    whole = clip_rhythm(estimates, trackers)
    whole["octaves"] = log2(bpm / 100.0)
    whole["chord_pace"] = chord_pace(estimates, bpm)
    whole["density"] = whole["onset_density"] * 60.0 / bpm
    beat = 60.0 / bpm
    for beats in (1, 2, 3, 4, 5, 6, 8):
        whole[f"chord_fit{beats}"] = chord_change_fit(estimates, beats * beat)
    for tracker in trackers:
        whole |= _tracker_whole(tracker, bpm)
    rows = []
    for index, (name, beats) in enumerate(METERS.items()):
        row = dict(whole)
        row |= {"meter": float(index), "beats": float(beats), "compound": float(name == "6/8")}
        row["chord_fit"] = chord_change_fit(estimates, beats * beat)
        row["chord_fit_two"] = chord_change_fit(estimates, 2 * beats * beat)
        for tracker in trackers:
            row |= _tracker_row(tracker, bpm, beats)
        rows.append(row)
    return rows


def _tracker_whole(tracker: Tracker, bpm: float) -> Row:
    """The same for all hypotheses: bar lengths compared with one another, in felt beats."""
    name, ratio = tracker.name, tracker.ratio(bpm)
    row = {f"{name}.ratio": log2(ratio), f"{name}.bar_beats": max(tracker.grid.positions, default=0) / ratio}
    for beats in (2, 3, 4, 5, 6):
        length = beats * ratio
        row[f"{name}.contrast{beats}"] = tracker.bar("bar_contrast", length)
        row[f"{name}.down_lag{beats}"] = tracker.bar("downbeat_lag", length)
        row[f"{name}.loglik{beats}"] = tracker.bar_log_likelihood(length)
    for beats in (2, 3, 4):
        row[f"{name}.likelihood{beats}"] = tracker.hypothesis(bpm, beats)
    row[f"{name}.likelihood_eighths"] = tracker.hypothesis(3 * bpm, 6)
    row[f"{name}.likelihood_halves"] = tracker.hypothesis(2 * bpm, 4)
    row[f"{name}.likelihood_waltz"] = tracker.hypothesis(1.5 * bpm, 3)
    for lag in (1 / 3, 1 / 2, 2, 3, 4, 6):
        row[f"{name}.lag{lag:.2g}"] = tracker.lag(lag * ratio)
    return row


def _tracker_row(tracker: Tracker, bpm: float, beats: int) -> Row:
    name, length = tracker.name, beats * tracker.ratio(bpm)
    own = max(tracker.grid.positions, default=0)
    return {
        f"{name}.own": float(abs(own - length) < 0.06 * length),
        f"{name}.contrast": tracker.bar("bar_contrast", length),
        f"{name}.margin": tracker.bar("bar_margin", length),
        f"{name}.down_lag": tracker.bar("downbeat_lag", length),
        f"{name}.loglik": tracker.bar_log_likelihood(length),
    }
