"""Chord labels reduced to major and minor triads: the classes of chord evidence.

Conventions
-----------
Classes 0 .. 11 = C .. B major, 12 .. 23 = C .. B minor, 24 = another chord (diminished, augmented, suspended, power),
25 = no chord. A label belongs to the triad that mir_eval's ``majmin`` compares: the pitch classes up to the fifth, so
``C:maj7`` and ``C:9/3`` are C major, ``C:hdim7`` is another chord.
"""

from fgmcaps.schemas.harte import QUALITIES, parse_chord, pitch_class

OTHER, NO_CHORD, CLASSES = 24, 25, 26
_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJMIN_LABELS = (*(f"{n}:maj" for n in _NAMES), *(f"{n}:min" for n in _NAMES), "X", "N")


def majmin_class(label: str) -> int:
    """Class 0 .. 25 of a Harte label. Raises ChordSyntaxError."""
    chord = parse_chord(label)
    if chord.root is None:
        return NO_CHORD if label == "N" else OTHER
    steps = set(QUALITIES[chord.quality])
    omitted = any(degree.startswith("*") for degree in chord.degrees)
    if omitted or not steps >= {0, 7} or not steps & {3, 4}:
        return OTHER
    return pitch_class(chord.root) + (0 if 4 in steps else 12)
