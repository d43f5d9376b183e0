"""What a caption may and must say: only values that passed the filter."""

from dataclasses import dataclass

from fgmcaps.schemas.annotation import Labels
from fgmcaps.schemas.clip import TrackMetadata
from fgmcaps.schemas.music import tempo_marking


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one clip; None or empty means unknown, and then the caption is silent about it.

    ``tempo_bpm`` is rounded to an integer and ``tempo_marking`` is the word of that integer, so that the two agree.
    ``chords`` is the progression to state, as Harte labels.
    """

    tempo_bpm: int | None = None
    tempo_marking: str | None = None
    time_signature: str | None = None
    key: str | None = None
    chords: tuple[str, ...] = ()
    genre: tuple[str, ...] = ()
    mood: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """True when there is nothing to say."""
        return self == Facts()


def facts_of(labels: Labels, metadata: TrackMetadata) -> Facts:
    """The facts of a row: labels that passed the filter plus the user's genre and mood."""
    bpm = None if labels.tempo_bpm is None else round(labels.tempo_bpm)
    return Facts(
        tempo_bpm=bpm,
        tempo_marking=None if bpm is None else tempo_marking(bpm),
        time_signature=labels.time_signature,
        key=labels.key,
        chords=labels.chord_summary,
        genre=metadata.genre,
        mood=metadata.mood,
    )
