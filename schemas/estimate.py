"""One annotator's estimate for one clip, before any fusion or filter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

Attribute = Literal["beats", "tempo", "key", "chords"]
Detail = float | str | list[float] | list[str] | list[list[float]]


@dataclass(frozen=True, slots=True)
class BeatGrid:
    """Beats in seconds from the clip's start, ascending, and the number of each beat in its bar.

    ``positions[i]`` is 1 for a downbeat, 2, 3, ... inside the bar, 0 where the tool does not
    number them; same length as ``times``.
    """

    times: tuple[float, ...]
    positions: tuple[int, ...]
    kind: Literal["beats"] = "beats"

    def __post_init__(self) -> None:
        if len(self.times) != len(self.positions):
            raise ValueError(f"{len(self.times)} beats but {len(self.positions)} bar positions")
        if any(b <= a for a, b in zip(self.times, self.times[1:], strict=False)):
            raise ValueError("beat times must ascend")

    @property
    def downbeats(self) -> tuple[float, ...]:
        """Times of the beats that are number 1."""
        return tuple(t for t, p in zip(self.times, self.positions, strict=True) if p == 1)


@dataclass(frozen=True, slots=True)
class Tempo:
    """Tempo in beats per minute; ``None`` where the tool found none."""

    bpm: float | None
    kind: Literal["tempo"] = "tempo"


@dataclass(frozen=True, slots=True)
class Key:
    """Canonical key name (``fgmcaps.schemas.music.KEYS``); ``None`` where the tool found none."""

    name: str | None
    kind: Literal["key"] = "key"


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """One chord: seconds from the clip's start, Harte label, and where the tool gives one a confidence in 0 .. 1."""

    start: float
    end: float
    label: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class ChordSequence:
    """Chords in time order, without overlap; ``N`` where no chord sounds."""

    spans: tuple[ChordSpan, ...]
    kind: Literal["chords"] = "chords"


Value = Annotated[BeatGrid | Tempo | Key | ChordSequence, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One tool's value for one attribute of one clip.

    ``confidence`` is the tool's own figure as it gives it (its range is the tool's, it is not calibrated), or None.
    ``details`` holds the evidence that fusion reads (classes of ``fgmcaps.annotators.evidence``). Times in seconds.
    """

    annotator: str
    version: str
    attribute: Attribute
    value: Value
    confidence: float | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """Provenance of a tool or model that touched the data. ``licence`` covers code and weights, the stricter one."""

    name: str
    version: str
    licence: str
    url: str = ""
