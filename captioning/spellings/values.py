"""Spellings of the bare values: a key's name, a tempo, a meter, a progression.

Each function returns a tuple of spellings, the likeliest first; the checker reads every one of them as the fact.
"""

from collections.abc import Sequence

from fgmcaps.captioning.checker.chord_names import chord_symbol, chord_words, sound_of_label, spoken_note
from fgmcaps.captioning.checker.numerals import spell
from fgmcaps.schemas.music import key_index

_SPOKEN_FIGURES = {str(n): spell(n) for n in (2, 3, 4, 5, 6, 7, 8, 9, 12, 16)}
_MAX_SPOKEN_CHORDS = 4


def key_names(key: str) -> tuple[str, ...]:
    """``F# minor``, ``F-sharp minor``; ValueError for what is not a key."""
    key_index(key)
    tonic, mode = key.split()
    return (key,) if len(tonic) == 1 else (key, f"{spoken_note(tonic)} {mode}")


def speeds(bpm: int) -> tuple[str, ...]:
    """``120 BPM``, ``120 beats per minute``, and the number in words."""
    spoken = (f"{spell(bpm)} beats per minute",) if 0 < bpm <= 999 else ()
    return (f"{bpm} BPM", f"{bpm} beats per minute", *spoken)


def beats_in_bar(signature: str) -> str | None:
    """Beats per bar in words, where the upper figure is that number (simple meters)."""
    n, d = signature.split("/")
    return _SPOKEN_FIGURES.get(n) if d == "4" and int(n) < 8 else None


def spoken_signature(signature: str) -> str | None:
    """``six-eight``; None for figures that nobody says."""
    n, d = signature.split("/")
    return f"{_SPOKEN_FIGURES[n]}-{_SPOKEN_FIGURES[d]}" if n in _SPOKEN_FIGURES and d in _SPOKEN_FIGURES else None


def sounding(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels that sound (no ``N``, no ``X``), a repeated chord once."""
    known = [(label, sound) for label in labels if (sound := sound_of_label(label)) is not None]
    return tuple(label for i, (label, sound) in enumerate(known) if i == 0 or known[i - 1][1] != sound)


def symbols(labels: tuple[str, ...]) -> list[str]:
    """Lead-sheet names of the chords that sound."""
    return [s for s in map(chord_symbol, labels) if s is not None]


def dashed_chords(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The progression without commas and without the word ``and``: ``C–G–Am``, ``C to G to Am``."""
    names = symbols(labels)
    return ("–".join(names), " to ".join(names) if len(names) < 5 else "–".join(names))


def listed_chords(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The progression as a list: ``C, G, and Am``, ``C, G and Am``, ``C, G, Am``, in symbols and, if short, spoken."""
    names = symbols(labels)
    words = [s for s in map(chord_words, labels) if s is not None]
    out = [listing(names), listing(names, oxford=False), ", ".join(names)]
    if len(words) <= _MAX_SPOKEN_CHORDS:
        out += [listing(words), listing(words, oxford=False)]
    if 3 <= len(names) <= 5:
        out.append(f"{names[0]} to {names[1]}, then {listing(names[2:])}")
    return tuple(out)


def listing(items: list[str], last: str = "and", oxford: bool = True) -> str:
    """``a``, ``a and b``, ``a, b, and c``."""
    if len(items) < 3:
        return f" {last} ".join(items)
    return ", ".join(items[:-1]) + ("," if oxford else "") + f" {last} {items[-1]}"
