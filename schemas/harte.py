"""Chord labels in Harte syntax (Harte et al., ISMIR 2005), the subset that chord recognisers write.

``N`` (no chord), ``X`` (unknown), or ``ROOT[:QUALITY][(DEGREES)][/BASS]``: ``C``, ``F#:min``, ``Bb:7/b7``.

Conventions: roots ``A``-``G`` with any number of ``#`` or ``b``; the quality is a Harte shorthand; bass and degrees are
scale degrees ``1``-``13`` with accidentals. A bare root means ``maj``.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

NO_CHORD = "N"
UNKNOWN_CHORD = "X"

# Semitones above the root of each shorthand (Harte 2005, table 1, and the extensions that JAMS and mir_eval read).
QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "7": (0, 4, 7, 10),
    "dim7": (0, 3, 6, 9),
    "hdim7": (0, 3, 6, 10),
    "minmaj7": (0, 3, 7, 11),
    "maj6": (0, 4, 7, 9),
    "min6": (0, 3, 7, 9),
    "9": (0, 4, 7, 10, 2),
    "maj9": (0, 4, 7, 11, 2),
    "min9": (0, 3, 7, 10, 2),
    "11": (0, 4, 7, 10, 2, 5),
    "maj11": (0, 4, 7, 11, 2, 5),
    "min11": (0, 3, 7, 10, 2, 5),
    "13": (0, 4, 7, 10, 2, 5, 9),
    "maj13": (0, 4, 7, 11, 2, 5, 9),
    "min13": (0, 3, 7, 10, 2, 5, 9),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "5": (0, 7),
    "1": (0,),
}

_DEGREE = r"[#b]*(?:1[0-3]|[1-9])"
_LABEL = re.compile(
    rf"(?P<root>[A-G][#b]*)(?::(?P<quality>[a-z]*[0-9]*(?:maj7)?))?(?:\((?P<degrees>\*?{_DEGREE}(?:,\*?{_DEGREE})*)\))?(?:/(?P<bass>{_DEGREE}))?"
)
_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class ChordSyntaxError(ValueError):
    """The text is not a chord label in the supported Harte subset."""


@dataclass(frozen=True, slots=True)
class Chord:
    """A parsed label. ``root`` is None for ``N`` and ``X``; ``degrees`` and ``bass`` keep their text form."""

    root: str | None
    quality: str
    degrees: tuple[str, ...] = ()
    bass: str | None = None

    @property
    def root_pc(self) -> int | None:
        """Pitch class of the root, 0 = C .. 11 = B; None for ``N`` and ``X``."""
        return None if self.root is None else pitch_class(self.root)

    def __str__(self) -> str:
        if self.root is None:
            return self.quality
        degrees = f"({','.join(self.degrees)})" if self.degrees else ""
        return f"{self.root}:{self.quality}{degrees}" + (f"/{self.bass}" if self.bass else "")


def pitch_class(name: str) -> int:
    """Pitch class of a note name such as ``F#`` or ``Ebb``: 0 = C .. 11 = B."""
    if not re.fullmatch(r"[A-G][#b]*", name):
        raise ValueError(f"not a note name: {name!r}")
    return (_NATURAL[name[0]] + name.count("#") - name[1:].count("b")) % 12


def parse_chord(label: str) -> Chord:
    """Parse a Harte label; raises ChordSyntaxError naming the label."""
    if label in (NO_CHORD, UNKNOWN_CHORD):
        return Chord(None, label)
    match = _LABEL.fullmatch(label)
    if match is None:
        raise ChordSyntaxError(f"not a Harte chord label: {label!r}")
    quality = match["quality"]
    if quality is None:
        quality = "maj"
    elif quality == "":  # Harte writes a root with degrees only, e.g. C:(1,5)
        if not match["degrees"]:
            raise ChordSyntaxError(f"chord label without a quality after the colon: {label!r}")
        quality = "1"
    if quality not in QUALITIES:
        raise ChordSyntaxError(f"unknown chord quality {quality!r} in {label!r}")
    degrees = tuple(match["degrees"].split(",")) if match["degrees"] else ()
    return Chord(match["root"], quality, degrees, match["bass"])


def is_chord_label(label: str) -> bool:
    """True if ``label`` parses."""
    try:
        parse_chord(label)
    except ChordSyntaxError:
        return False
    return True


@lru_cache(maxsize=4096)
def simplify_chord(label: str) -> str:
    """Root and quality only: added degrees and inversions dropped (``C:maj/3`` -> ``C:maj``); ``N`` and ``X`` stay."""
    chord = parse_chord(label)
    return str(Chord(chord.root, chord.quality))
