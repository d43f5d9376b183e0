"""Beats and their places in the bar: felt, as rows count them, and written, as others number them. Pure.

A row's beats are the felt ones (see :mod:`fgmcaps.schemas.meter`). Only in compound meters (6/8, 12/8) do the two
differ: each felt beat there is three written ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fgmcaps.schemas import Labels
from fgmcaps.schemas.meter import METERS, Meter


@dataclass(frozen=True, slots=True)
class Beat:
    """``time`` in seconds from the clip's start; ``position`` in the bar from 1, None where it is unknown."""

    time: float
    position: int | None


def felt_beats(labels: Labels) -> list[Beat]:
    """Every felt beat with its place among the felt beats of its bar.

    Beats before the first downbeat are counted back from it where the number of beats in a bar is known; without
    downbeats every position is None.
    """
    downbeats = set(labels.downbeats)
    first = next((i for i, time in enumerate(labels.beats) if time in downbeats), None)
    if first is None:
        return [Beat(time, None) for time in labels.beats]
    out: list[Beat] = []
    position: int | None = None
    for i, time in enumerate(labels.beats):
        if i < first:
            position = None if labels.beat_count is None else (i - first) % labels.beat_count + 1
        else:
            position = 1 if time in downbeats else (position or 0) + 1
        out.append(Beat(time, position))
    return out


def meter_of(labels: Labels) -> Meter | None:
    """The meter of the time signature; None where it is unknown."""
    return METERS.get(labels.time_signature or "")


def written_positions(labels: Labels) -> list[Beat]:
    """The felt beats with their places among the written beats of their bar: 1 and 4 in 6/8."""
    meter = meter_of(labels)
    division = 1 if meter is None else meter.division
    return [Beat(b.time, None if b.position is None else _written(b.position, division)) for b in felt_beats(labels)]


def written_beats(labels: Labels, duration_s: float) -> list[Beat]:
    """Every written beat with its place in the bar: 1 to 6 in 6/8.

    Those between two felt beats lie at equal distances; those after the last felt beat go on at the last distance, to
    the end of the clip. Without positions or with a single beat the felt beats are all that is known.
    """
    beats, meter = written_positions(labels), meter_of(labels)
    if meter is None or meter.division == 1 or len(beats) < 2 or beats[0].position is None:
        return beats
    gaps = [after.time - beat.time for beat, after in pairwise(beats)]
    return [
        Beat(time, (beat.position or 0) + step)
        for beat, gap in zip(beats, [*gaps, gaps[-1]], strict=True)
        for step in range(meter.division)
        if (time := beat.time + gap * step / meter.division) <= duration_s or not step
    ]


def is_felt(position: int, meter: Meter) -> bool:
    """Whether a felt beat begins at this place among the written beats of a bar."""
    return (position - 1) % meter.division == 0


def meter_of_bar(positions: Sequence[int]) -> Meter | None:
    """The meter of a whole bar whose beats are numbered so: all written beats, or the felt ones among them.

    1 to 6 and (1, 4) are 6/8, (1, 2) is 2/4.
    """
    for meter in METERS.values():
        written = range(1, meter.written + 1)
        if list(positions) in (list(written), [p for p in written if is_felt(p, meter)]):
            return meter
    return None


def _written(position: int, division: int) -> int:
    return (position - 1) * division + 1
