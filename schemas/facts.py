"""What a caption may and must say: only values that passed the filter."""

import math
import re
from dataclasses import dataclass

from fgmcaps.schemas.annotation import Labels
from fgmcaps.schemas.clip import TrackMetadata
from fgmcaps.schemas.harte import is_chord_label
from fgmcaps.schemas.music import key_index, tempo_marking


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


MAX_BPM = 999
_SIGNATURE = re.compile(r"[1-9][0-9]?/(?:1|2|4|8|16|32)", re.ASCII)


def facts_of(labels: Labels, metadata: TrackMetadata) -> Facts:
    """The facts of a row: labels that passed the filter plus the user's genre and mood.

    Raises ValueError, naming the attribute, for what is none: a tempo that is not a number of 1 to 999 BPM (0.4, NaN,
    infinity), a time signature that is not such as ``3/4``, a key other than e.g. ``F# minor``, no Harte label.
    """
    bpm = None if labels.tempo_bpm is None else _whole_bpm(labels.tempo_bpm)
    if labels.time_signature is not None and not _SIGNATURE.fullmatch(labels.time_signature):
        raise ValueError(f"time_signature {labels.time_signature!r} is not such as '3/4'")
    if labels.key is not None:
        key_index(labels.key)
    for label in labels.chord_summary:
        if not is_chord_label(label):
            raise ValueError(f"chord_summary: {label!r} is not a chord in Harte syntax")
    return Facts(
        tempo_bpm=bpm,
        tempo_marking=None if bpm is None else tempo_marking(bpm),
        time_signature=labels.time_signature,
        key=labels.key,
        chords=labels.chord_summary,
        genre=metadata.genre,
        mood=metadata.mood,
    )


def _whole_bpm(tempo: float) -> int:
    if isinstance(tempo, bool) or not math.isfinite(tempo) or not 1 <= round(tempo) <= MAX_BPM:
        raise ValueError(f"tempo_bpm {tempo!r} is not a tempo of 1 to {MAX_BPM} BPM")
    return round(tempo)
