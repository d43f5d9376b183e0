"""Features of rhythm, read in the beats of a hypothesis, whatever a tracker counted."""

from collections.abc import Sequence
from math import log2, nan

import numpy as np

from fgmcaps.annotators.evidence.onsets import OnsetEvidence
from fgmcaps.annotators.fusion.features import Floats, Row, at, nearest
from fgmcaps.annotators.fusion.tracker import Tracker


def subdivision(tracker: Tracker, bpm: float) -> Row:
    """How strong the places between two beats of ``bpm`` are, relative to on the beat.

    ``half``: half way; ``third``, ``two_thirds``; ``quarter``: at 1/4 and 3/4. From the tracker's beat activation and
    from onsets in three bands. NaN where the tracker measured no such place.
    """
    row: Row = {}
    ratio, on = tracker.ratio(bpm), tracker.on_beat
    between, every = ((), ()) if tracker.periods is None else (tracker.periods.between, tracker.periods.every)
    level = float(on.mean()) if on.size else nan
    row |= _places(tracker.name, between, ratio, _weaker(every, level, 0), _weaker(every, level, 1))
    if tracker.onsets is not None:
        for band, values in zip(OnsetEvidence.BANDS, tracker.onsets.onset_between, strict=True):
            beat = max(values[0], 0.05)
            row |= _places(f"{tracker.name}.{band}", [value / beat for value in values[1:]], ratio, nan, nan)
    return row


def accents(tracker: Tracker, bpm: float) -> Row:
    """Whether onsets of three bands come again after a beat of ``bpm``, and how much more than after half or two.

    And whether the low onsets on the tracker's beats (the kick, the bass) come every 2nd, 3rd, 4th beat of ``bpm``.
    """
    row: Row = {}
    name, ratio = tracker.name, tracker.ratio(bpm)
    for band in OnsetEvidence.BANDS:
        half, beat, two = (tracker.onset_lag(band, ratio * beats) for beats in (0.5, 1.0, 2.0))
        row[f"{name}.{band}_beat"] = beat
        row[f"{name}.{band}_beat_half"] = beat - half
        row[f"{name}.{band}_two_beat"] = two - beat
    for label, on_beats in (("low", tracker.low_onsets), ("all", tracker.all_onsets)):
        for beats in (2, 3, 4):
            row[f"{name}.{label}_every{beats}"] = again(on_beats, beats * ratio)
    return row


def bar_accents(tracker: Tracker, bpm: float, beats: int) -> Row:
    """Whether onsets come again after a bar of ``beats`` at ``bpm``, and whether rather after its half or its third.

    The last distinguishes 6/8 from 3/4 with bars of the same length.
    """
    name, length = tracker.name, tracker.ratio(bpm) * beats
    row: Row = {f"{name}.lag_half_third": tracker.lag(length / 2) - tracker.lag(length / 3)}
    for band in OnsetEvidence.BANDS:
        whole, half, third = (tracker.onset_lag(band, length / part) for part in (1, 2, 3))
        row[f"{name}.{band}_half_third"] = half - third
        row[f"{name}.{band}_whole_half"] = whole - half
    for label, values in (("low", tracker.low_onsets), ("all", tracker.all_onsets), ("down", tracker.on_downbeat)):
        row[f"{name}.{label}_bar"] = again(values, length)
    return row


def again(values: Floats, lag: float) -> float:
    """Correlation of ``values`` (one a beat) with themselves ``lag`` beats on; NaN unless that is 1 .. half of them."""
    steps = round(lag)
    if steps < 1 or abs(lag - steps) > 0.06 * lag or 2 * steps > values.size:
        return nan
    centred = values - values.mean()
    power = float(centred @ centred) * (values.size - steps) / values.size
    return float(centred[:-steps] @ centred[steps:]) / power if power > 1e-9 else nan


def _places(name: str, between: Sequence[float], ratio: float, other2: float, other3: float) -> Row:
    """``between``: strength at 1/4, 1/3, 1/2, 2/3, 3/4 of a tracker's beat; ``ratio`` of them make the hypothesis's."""
    quarter, third, half, late, three = (at(between, i) for i in range(5))
    found = {"half": nan, "third": nan, "two_thirds": nan, "quarter": nan}
    match nearest(ratio, (1.0, 2.0, 1 / 2, 3.0)):
        case 0:
            found = {"half": half, "third": third, "two_thirds": late, "quarter": (quarter + three) / 2}
        case 1:  # the tracker counts twice as fast: its other beats are half way
            found = {"half": other2, "third": late, "two_thirds": third, "quarter": half}
        case 2:  # half as fast: the hypothesis's beats are the tracker's and those half way
            found = {"half": (quarter + three) / 2, "third": nan, "two_thirds": nan, "quarter": nan}
        case 3:  # it counts the thirds
            found = {"half": half, "third": other3, "two_thirds": other3, "quarter": nan}
    return {f"{name}.{place}": value for place, value in found.items()}


def _weaker(every: Sequence[float], level: float, index: int) -> float:
    """The other beats' activation relative to the strongest phase's; from ``every`` (2nd, 3rd): the difference."""
    gap = at(every, index)
    share = 1 / (index + 2)
    strong = level + (1 - share) * gap
    return (strong - gap) / strong if strong > 1e-6 else nan


def phase_fit(times: Floats, period: float) -> float:
    """How well ``times`` keep to one place in a period of seconds: 0 .. 1, NaN below two.

    Length of the mean of exp(2 pi i t / period): 1 if all fall on one phase.
    """
    return float(np.abs(np.mean(np.exp(2j * np.pi * times / period)))) if times.size >= 2 else nan


def drift(times: Sequence[float]) -> float:
    """Octaves between the tempo of the first and of the second half of beats; 0 below six: a change of tempo inside."""
    gaps = np.diff(np.asarray(times, dtype=np.float64))
    if gaps.size < 5:
        return 0.0
    half = gaps.size // 2
    return abs(log2(float(np.median(gaps[:half])) / float(np.median(gaps[half:]))))


def pace(times: Floats, bpm: float) -> float:
    """Octaves of the median time between ``times`` over a beat; NaN below two."""
    gaps = np.diff(times)
    gaps = gaps[gaps > 0.1]
    return log2(float(np.median(gaps)) * bpm / 60.0) if gaps.size else nan
