"""Keys and tempo markings: the vocabulary of rows, facts and captions (meters: :mod:`fgmcaps.schemas.meter`)."""

import re

from fgmcaps.schemas.harte import pitch_class

# One spelling a key, the one with fewer accidentals (F# major and Gb major tie: F#, D# minor and Eb minor tie: Eb).
_MAJOR = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
KEYS: tuple[str, ...] = tuple(f"{n} major" for n in _MAJOR) + tuple(f"{n} minor" for n in _MINOR)

# Italian tempo words by upper bound in BPM, as MusicBench bins them (Melechovsky et al., NAACL 2024).
TEMPO_MARKINGS: tuple[tuple[float, str], ...] = (
    (40, "Grave"),
    (60, "Largo"),
    (70, "Adagio"),
    (90, "Andante"),
    (110, "Moderato"),
    (140, "Allegro"),
    (160, "Vivace"),
    (210, "Presto"),
    (float("inf"), "Prestissimo"),
)

_KEY = re.compile(r"([A-G][#b]*) (major|minor)")


def key_index(key: str) -> int:
    """0 .. 11 = C .. B major, 12 .. 23 = C .. B minor; any enharmonic spelling. ValueError if it is not a key name."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"not a key name such as 'F# minor': {key!r}")
    return pitch_class(match[1]) + (12 if match[2] == "minor" else 0)


def canonical_key(key: str) -> str:
    """The one spelling that rows use (``D# major`` -> ``Eb major``)."""
    return KEYS[key_index(key)]


def tempo_marking(bpm: float) -> str:
    """Italian tempo word of a tempo in BPM; bins are closed below, open above."""
    if not bpm > 0:
        raise ValueError(f"tempo must be positive, got {bpm}")
    return next(word for bound, word in TEMPO_MARKINGS if bpm < bound)
