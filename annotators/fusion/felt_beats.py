"""From the beats that a tracker numbers, the written ones, to the beats that are felt."""

from dataclasses import dataclass

from fgmcaps.schemas import BeatGrid
from fgmcaps.schemas.meter import Meter, meter_of_written


@dataclass(frozen=True, slots=True)
class FeltBeats:
    """Felt beats and downbeats in seconds.

    ``meter``: None where no meter is written with so many beats; ``division``: the tracker's beats in a felt one.
    """

    meter: Meter | None
    division: int
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]


def felt_beats(grid: BeatGrid) -> FeltBeats:
    """The felt beats of a tracker that numbers the written ones: where it counts to 6 (6/8) those numbered 1 and 4."""
    meter = meter_of_written(max(grid.positions, default=0))
    division = 1 if meter is None else meter.division
    numbered = zip(grid.times, grid.positions, strict=True)
    beats = grid.times if division == 1 else tuple(time for time, number in numbered if number % division == 1)
    return FeltBeats(meter, division, beats, grid.downbeats)
