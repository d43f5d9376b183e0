"""Meter hypotheses at a tempo and their evidence.

Conventions
-----------
Beats are those of the given tempo, the felt ones: 6/8 has two, each of three eighths; it differs from 2/4 by what
happens between the beats. A tracker that counts r beats to the felt one (1/2, 3/2, 2, 3 ...) is asked about bars of r
times as many of its own. ``lead``: a figure less the best of the other meters'.
"""

from collections.abc import Sequence
from math import isnan, nan

from fgmcaps.annotators.evidence.onsets import OnsetEvidence
from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence
from fgmcaps.annotators.fusion.features import Row
from fgmcaps.annotators.fusion.hypotheses.rhythm_features import bar_accents, phase_fit
from fgmcaps.annotators.fusion.tracker import Tracker
from fgmcaps.schemas.meter import METERS

FELT_BEATS: dict[str, int] = {name: METERS[name].felt for name in ("2/4", "3/4", "4/4", "5/4", "6/8")}
"""Felt beats in a bar of each time signature that the models were fitted for, in their order."""


def meter_rows(clip: ClipEvidence, bpm: float) -> list[Row]:
    """Features of each of ``FELT_BEATS``, in order, at ``bpm``."""
    times, beat, trackers = clip.chord_times, 60.0 / bpm, clip.trackers
    rows: list[Row] = []
    for name, beats in FELT_BEATS.items():
        row = {
            "beats": float(beats),
            "compound": float(METERS[name].division == 3),
            "chord_fit": phase_fit(times, beats * beat),
            "chord_fit_two": phase_fit(times, 2 * beats * beat),
            "chord_fit_half": phase_fit(times, beats * beat / 2),
        }
        for tracker in trackers:
            row |= _tracker_row(tracker, bpm, beats)
        rows.append(row)
    _add_leads(rows, ["chord_fit"] + [f"{t.name}.{what}" for t in trackers for what in _LED])
    _add_shapes(rows, trackers, bpm)
    for tracker in trackers:
        eighths = tracker.tempo_log_likelihood(3 * bpm, 6) - tracker.tempo_log_likelihood(bpm, 2)
        waltz = tracker.tempo_log_likelihood(1.5 * bpm, 3) - tracker.tempo_log_likelihood(bpm, 2)
        for row in rows:
            row |= {f"{tracker.name}.eighths": eighths, f"{tracker.name}.waltz": waltz}
    return rows


def _add_shapes(rows: Sequence[Row], trackers: Sequence[Tracker], bpm: float) -> None:
    """``shape``: for 6/8 and 3/4 by how much the bar falls rather into halves or thirds than into the other.

    ``grouping``: for 4/4 and 2/4 how much more the onsets come again after four beats than after two, or the reverse.
    """
    for row, (name, beats) in zip(rows, FELT_BEATS.items(), strict=True):
        halves = [row[f"{t.name}.{band}_half_third"] for t in trackers for band in OnsetEvidence.BANDS]
        four = [
            t.onset_lag(band, 4 * t.ratio(bpm)) - t.onset_lag(band, 2 * t.ratio(bpm))
            for t in trackers
            for band in OnsetEvidence.BANDS
        ]
        row["shape"] = _mean(halves) * (1 if name == "6/8" else -1) if name in ("6/8", "3/4") else nan
        row["grouping"] = _mean(four) * (1 if beats == 4 else -1) if name in ("4/4", "2/4") else nan


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if not isnan(v)]
    return sum(known) / len(known) if known else nan


_LED = ("contrast", "down_lag", "loglik", "bar_likelihood", "low_bar", "all_bar", "down_bar")


def _tracker_row(tracker: Tracker, bpm: float, beats: int) -> Row:
    name, length = tracker.name, beats * tracker.ratio(bpm)
    return {
        f"{name}.own": float(abs(tracker.own_bar - length) < 0.06 * length),
        f"{name}.contrast": tracker.bar_contrast(length),
        f"{name}.margin": tracker.bar_margin(length),
        f"{name}.down_lag": tracker.downbeat_lag(length),
        f"{name}.loglik": tracker.bar_log_likelihood(length),
        f"{name}.bar_likelihood": tracker.tempo_log_likelihood(bpm, beats),
        **bar_accents(tracker, bpm, beats),
    }


def _add_leads(rows: Sequence[Row], names: Sequence[str]) -> None:
    """Lead of each hypothesis over those with another bar length."""
    for name in names:
        values = [row[name] for row in rows]
        for row in rows:
            others = [
                v for v, other in zip(values, rows, strict=True) if other["beats"] != row["beats"] and not isnan(v)
            ]
            row[f"{name}.lead"] = row[name] - max(others) if others else nan
