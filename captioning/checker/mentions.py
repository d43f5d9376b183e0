"""What a caption was found to say: every span of the text belongs to one mention, one word or one mark."""

from dataclasses import dataclass, field
from typing import Literal

from fgmcaps.captioning.checker.chord_names import PitchName

Role = Literal["key", "chord", "skip", "opening", "closing", "start", "end", "mode"]


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch ``text[start:end]`` of the caption."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class TempoMention(Mention):
    """A tempo in beats per minute."""

    bpm: float


@dataclass(frozen=True, slots=True)
class MarkingMention(Mention):
    """An Italian tempo word, as it is spelt in ``fgmcaps.schemas.music`` where it is one of those."""

    marking: str


@dataclass(frozen=True, slots=True)
class SpeedMention(Mention):
    """An adjective of speed with the tempi it may describe, BPM."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MeterMention(Mention):
    """``signature`` such as ``3/4``; or ``beats`` in a bar; or ``family`` such as ``triple``, ``compound duple``."""

    signature: str | None = None
    beats: int | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class PitchMention(Mention):
    """A key or chord name. ``roles`` are the readings that its surroundings allow.

    ``opening`` and ``closing`` names may be told once more beside the list; ``start`` and ``end`` can be no other chord
    than the first, the last.
    """

    pitch: PitchName
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class ModeMention(Mention):
    """``a minor key`` without a tonic."""

    mode: str


@dataclass(frozen=True, slots=True)
class ChordCountMention(Mention):
    """``a four-chord progression``."""

    count: int


@dataclass(frozen=True, slots=True)
class ParsedCaption:
    """All that a caption says, in order of appearance within each kind."""

    text: str
    tempi: tuple[TempoMention, ...] = ()
    markings: tuple[MarkingMention, ...] = ()
    speeds: tuple[SpeedMention, ...] = ()
    meters: tuple[MeterMention, ...] = ()
    pitches: tuple[PitchMention, ...] = ()
    modes: tuple[ModeMention, ...] = ()
    chord_counts: tuple[ChordCountMention, ...] = ()
    numbers: tuple[Mention, ...] = ()
    words: tuple[Mention, ...] = ()
    marks: tuple[Mention, ...] = ()
    terms: tuple[Mention, ...] = field(default=())

    @property
    def keys(self) -> tuple[PitchMention, ...]:
        """Names that can only be keys."""
        return tuple(p for p in self.pitches if p.roles == {"key"})

    @property
    def chords(self) -> tuple[PitchMention, ...]:
        """Names that can be chords."""
        return tuple(p for p in self.pitches if "chord" in p.roles)
