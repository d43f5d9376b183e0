"""Time signatures: how many beats a bar is written with, and how many are felt.

Conventions
-----------
The *written* beats are the upper number: six in 6/8. The *felt* beats are those that a listener taps: two in 6/8, each
a dotted quarter of three eighths. Tempo, ``beats`` and ``beat_count`` of a row all count the felt beat.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature; ``written`` and ``felt`` are beats in a bar."""

    signature: str
    written: int
    felt: int

    @property
    def division(self) -> int:
        """Written beats in a felt one: 3 in compound meters, else 1."""
        return self.written // self.felt


METERS: dict[str, Meter] = {
    meter.signature: meter
    for meter in (
        Meter("2/4", 2, 2),
        Meter("3/4", 3, 3),
        Meter("4/4", 4, 4),
        Meter("5/4", 5, 5),
        Meter("6/8", 6, 2),
        Meter("7/4", 7, 7),
        Meter("12/8", 12, 4),
    )
}
"""Every time signature that a row may have."""

TIME_SIGNATURES: tuple[str, ...] = tuple(METERS)


def meter_of_written(beats: int) -> Meter | None:
    """The meter that is written with so many beats, as MusicBench counts them; None where there is none."""
    return next((meter for meter in METERS.values() if meter.written == beats), None)
