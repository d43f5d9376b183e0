"""The reference that labels are judged against: the truth of a clip, from a score, a chart or a human annotator."""

from dataclasses import dataclass

from fgmcaps.schemas.estimate import ChordSpan


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """Reference annotation of one clip; None where an attribute is not known.

    Times in seconds from the clip's start; ``tempo_bpm`` counts the felt beat (the dotted quarter in 6/8);
    ``time_signature`` e.g. ``6/8``; ``key`` a name of ``fgmcaps.schemas.music.KEYS``; chord labels in Harte syntax.
    ``group``: clips of one group (a style family, an artist) must not be split between fitting and judging.
    """

    tempo_bpm: float | None = None
    beats: tuple[float, ...] | None = None
    downbeats: tuple[float, ...] | None = None
    time_signature: str | None = None
    key: str | None = None
    chords: tuple[ChordSpan, ...] | None = None
    group: str = ""

    @property
    def empty(self) -> bool:
        """True when nothing is known."""
        return all(
            value is None
            for value in (self.tempo_bpm, self.beats, self.downbeats, self.time_signature, self.key, self.chords)
        )
