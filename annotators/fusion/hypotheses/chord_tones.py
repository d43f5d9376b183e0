"""Pitch classes and kinds of chords, as the key sees them."""

from fgmcaps.schemas.harte import QUALITIES, parse_chord, pitch_class

_SCALE = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11, "9": 2, "10": 4, "11": 5, "12": 7, "13": 9, "8": 0}
_MAJOR = {"maj", "maj7", "7", "maj6", "9", "maj9", "11", "maj11", "13", "maj13", "aug", "sus4", "sus2", "5", "1"}


def majmin(label: str) -> tuple[int, str] | None:
    """``(root pitch class, "maj" | "min")`` of a label, ``None`` for ``N`` and ``X``.

    By the third: major, or minor (diminished chords too); chords without a third count as major, as deep chroma's 24
    classes leave no third choice.
    """
    chord = parse_chord(label)
    return None if chord.root_pc is None else (chord.root_pc, "maj" if chord.quality in _MAJOR else "min")


def chord_pitch_classes(label: str) -> dict[int, float]:
    """Pitch classes of a Harte label with weights: 1 a tone, the root 1 more (it sounds strongest). ``N``: empty."""
    chord = parse_chord(label)
    if chord.root is None:
        return {}
    root = pitch_class(chord.root)
    tones = {(root + step) % 12: 1.0 for step in QUALITIES[chord.quality]}
    for degree in chord.degrees:
        tone = (root + _semitones(degree.lstrip("*"))) % 12
        if degree.startswith("*"):
            tones.pop(tone, None)
        else:
            tones[tone] = 1.0
    tones[root] = tones.get(root, 0.0) + 1.0
    return tones


def _semitones(degree: str) -> int:
    number = degree.lstrip("#b")
    accidentals = degree[: len(degree) - len(number)]
    return _SCALE[number] + accidentals.count("#") - accidentals.count("b")
