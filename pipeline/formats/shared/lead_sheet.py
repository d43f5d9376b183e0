"""Lead-sheet chord symbols, as Chordino writes them, to Harte labels: ``Bm7b5/A`` -> ``B:hdim7/b7``.

Chordino (Mauch and Dixon, ISMIR 2010) writes ``ROOT QUALITY [/ BASS NOTE]`` and ``N``; Harte labels name the bass as a
degree of the scale above the root.
"""

import re

from fgmcaps.schemas.harte import NO_CHORD, pitch_class

_SYMBOL = re.compile(r"(?P<root>[A-G][#b]?)(?P<quality>[^/]*)(?:/(?P<bass>[A-G][#b]?))?")
_QUALITIES = {
    "": "maj",
    "maj": "maj",
    "m": "min",
    "min": "min",
    "7": "7",
    "maj7": "maj7",
    "m7": "min7",
    "min7": "min7",
    "6": "maj6",
    "m6": "min6",
    "9": "9",
    "maj9": "maj9",
    "m9": "min9",
    "11": "11",
    "maj11": "maj11",
    "m11": "min11",
    "13": "13",
    "maj13": "maj13",
    "m13": "min13",
    "dim": "dim",
    "dim7": "dim7",
    "m7b5": "hdim7",
    "aug": "aug",
    "+": "aug",
    "mmaj7": "minmaj7",
    "mM7": "minmaj7",
    "sus2": "sus2",
    "sus4": "sus4",
    "5": "5",
}
_LETTERS = "CDEFGAB"
_MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)


class ChordSymbolError(ValueError):
    """The text is not a chord symbol that Chordino writes."""


def harte_of_symbol(symbol: str) -> str:
    """The Harte label of a lead-sheet symbol; raises ChordSymbolError naming it."""
    if symbol == NO_CHORD:
        return NO_CHORD
    match = _SYMBOL.fullmatch(symbol)
    if match is None or match["quality"] not in _QUALITIES:
        raise ChordSymbolError(f"not a chord symbol such as Am7 or G/D: {symbol!r}")
    label = f"{match['root']}:{_QUALITIES[match['quality']]}"
    if match["bass"] is None or pitch_class(match["bass"]) == pitch_class(match["root"]):
        return label
    return f"{label}/{bass_degree(match['root'], match['bass'])}"


def bass_degree(root: str, bass: str) -> str:
    """The bass note as a degree above the root, by its letter: ``D`` over ``G`` is ``5``, ``Bb`` over ``C`` ``b7``."""
    step = (_LETTERS.index(bass[0]) - _LETTERS.index(root[0])) % 7
    semitones = (pitch_class(bass) - pitch_class(root) - _MAJOR_SCALE[step]) % 12
    if semitones > 6:
        semitones -= 12
    return ("#" * semitones if semitones > 0 else "b" * -semitones) + str(step + 1)
