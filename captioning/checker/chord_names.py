"""Chord names as people write them (``Am7``, ``B-flat major seventh``, ``C/E``, ``C:min7/b3``) and what they sound.

Conventions
-----------
- Two names are the same chord when root, set of intervals and bass are the same pitch classes: ``A#`` equals ``Bb``,
  ``Bm7b5`` equals ``B half-diminished``, ``A7sus4`` equals ``A:sus4(b7)``. Inversions count: ``C/E`` is not ``C``.
- A bare root is a major triad, ``7`` and ``seventh`` mean the dominant seventh, ``sus`` means ``sus4``.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from fgmcaps.schemas.harte import QUALITIES, ChordSyntaxError, parse_chord, pitch_class

_SEMITONES = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11, 8: 0, 9: 2, 10: 4, 11: 5, 12: 7, 13: 9}

NOTE = r"(?:[A-Ga-g](?:[#♯]{1,2}|[b♭]{1,2})?(?:[ -](?:[Ss]harp|[Ff]lat)\b)?)"


@dataclass(frozen=True, slots=True)
class Sound:
    """What a chord name says: pitch classes 0 .. 11; ``intervals`` above the root; ``bass`` above the root."""

    root: int
    intervals: frozenset[int]
    bass: int = 0


@dataclass(frozen=True, slots=True)
class PitchName:
    """A chord or key name found in a text, ``end`` exclusive.

    ``mode`` is ``major`` or ``minor`` where the name can be a key; ``bare`` marks a lone root; ``symbol`` a name such
    as ``Am`` without the word; ``lower`` a name written in lower case.
    """

    start: int
    end: int
    sound: Sound
    mode: str | None
    bare: bool
    symbol: bool
    lower: bool


@lru_cache(maxsize=1024)
def note_pitch_class(text: str) -> int:
    """Pitch class of ``F#``, ``f♯``, ``F-sharp``, ``B flat``: 0 = C .. 11 = B."""
    name = text[0].upper()
    tail = text[1:].lower().replace("♯", "#").replace("♭", "b")
    if "sharp" in tail:
        tail = "#"
    elif "flat" in tail:
        tail = "b"
    return pitch_class(name + tail)


def degree_semitones(degree: str) -> int:
    """Semitones above the root, modulo 12, of a Harte degree such as ``b7``."""
    number = int(degree.lstrip("#b*"))
    return (_SEMITONES[number] + degree.count("#") - degree.count("b")) % 12


@lru_cache(maxsize=4096)
def sound_of_label(label: str) -> Sound | None:
    """Sound of a Harte label; None for ``N`` and ``X``; ChordSyntaxError for anything else that does not parse."""
    chord = parse_chord(label)
    if chord.root_pc is None:
        return None
    intervals = set(QUALITIES[chord.quality])
    for degree in chord.degrees:
        if degree.startswith("*"):
            intervals.discard(degree_semitones(degree))
        else:
            intervals.add(degree_semitones(degree))
    bass = degree_semitones(chord.bass) if chord.bass else 0
    return Sound(chord.root_pc, frozenset(intervals), bass)


# Written suffixes by quality, longest first when matched. Source: common lead-sheet practice (Brandt & Roemer 1976).
_SYMBOLS: dict[str, tuple[str, ...]] = {
    "maj": ("maj", "Maj", "MAJ", "M"),
    "min": ("m", "min", "Min", "mi"),
    "dim": ("dim", "°", "Dim"),
    "aug": ("aug", "+", "Aug"),
    "maj7": ("maj7", "Maj7", "M7", "ma7", "Δ7", "Δ", "△7", "△", "major7", "maj.7", "MAJ7"),
    "min7": ("m7", "min7", "mi7", "Min7", "minor7"),
    "7": ("7", "dom7"),
    "dim7": ("dim7", "°7", "o7", "Dim7"),
    "hdim7": ("m7b5", "m7♭5", "min7b5", "min7♭5", "m7(b5)", "m7(♭5)", "ø7", "ø", "hdim7", "m7-5"),
    "minmaj7": (
        "mM7",
        "m(maj7)",
        "mmaj7",
        "mMaj7",
        "MinMaj7",
        "minMaj7",
        "minmaj7",
        "min(maj7)",
        "m(M7)",
        "m/maj7",
        "mΔ7",
        "mΔ",
    ),
    "maj6": ("6", "maj6", "M6"),
    "min6": ("m6", "min6"),
    "9": ("9",),
    "maj9": ("maj9", "Maj9", "M9", "Δ9"),
    "min9": ("m9", "min9"),
    "11": ("11",),
    "maj11": ("maj11", "M11"),
    "min11": ("m11", "min11"),
    "13": ("13",),
    "maj13": ("maj13", "M13"),
    "min13": ("m13", "min13"),
    "sus2": ("sus2",),
    "sus4": ("sus4", "sus"),
    "5": ("5",),
}
# Suffixes with alterations, as intervals.
_ALTERED: dict[str, tuple[int, ...]] = {
    "7sus4": (0, 5, 7, 10),
    "7sus": (0, 5, 7, 10),
    "7sus2": (0, 2, 7, 10),
    "9sus4": (0, 2, 5, 7, 10),
    "9sus": (0, 2, 5, 7, 10),
    "maj7sus4": (0, 5, 7, 11),
    "sus2sus4": (0, 2, 5, 7),
    "add9": (0, 4, 7, 2),
    "(add9)": (0, 4, 7, 2),
    "add2": (0, 4, 7, 2),
    "add11": (0, 4, 7, 5),
    "add4": (0, 4, 7, 5),
    "madd9": (0, 3, 7, 2),
    "m(add9)": (0, 3, 7, 2),
    "madd2": (0, 3, 7, 2),
    "madd11": (0, 3, 7, 5),
    "6/9": (0, 4, 7, 9, 2),
    "69": (0, 4, 7, 9, 2),
    "6add9": (0, 4, 7, 9, 2),
    "m6/9": (0, 3, 7, 9, 2),
    "m69": (0, 3, 7, 9, 2),
    "7b5": (0, 4, 6, 10),
    "7(b5)": (0, 4, 6, 10),
    "7#5": (0, 4, 8, 10),
    "aug7": (0, 4, 8, 10),
    "+7": (0, 4, 8, 10),
    "7b9": (0, 4, 7, 10, 1),
    "7(b9)": (0, 4, 7, 10, 1),
    "7#9": (0, 4, 7, 10, 3),
    "7(#9)": (0, 4, 7, 10, 3),
    "7#11": (0, 4, 7, 10, 6),
    "7b13": (0, 4, 7, 10, 8),
    "maj7#5": (0, 4, 8, 11),
    "augmaj7": (0, 4, 8, 11),
    "maj7#11": (0, 4, 7, 11, 6),
    "maj7b5": (0, 4, 6, 11),
    "maj9#11": (0, 4, 7, 11, 2, 6),
    "m7add11": (0, 3, 7, 10, 5),
}
# Spoken qualities by quality; each also matches with hyphens for spaces and with "7th" for "seventh".
_SPOKEN: dict[str, tuple[str, ...]] = {
    "maj": ("major", "maj", "major triad"),
    "min": ("minor", "min", "minor triad"),
    "dim": ("diminished", "dim", "diminished triad"),
    "aug": ("augmented", "aug", "augmented triad"),
    "maj7": ("major seventh", "major seven", "maj7", "maj 7"),
    "min7": ("minor seventh", "minor seven", "min7", "min 7"),
    "7": ("dominant seventh", "dominant seven", "seventh", "dominant"),
    "dim7": ("diminished seventh", "fully diminished seventh", "dim7"),
    "hdim7": ("half-diminished seventh", "half-diminished", "minor seventh flat five", "minor seven flat five"),
    "minmaj7": ("minor-major seventh", "minor/major seventh", "minor major seventh", "minor with major seventh"),
    "maj6": ("major sixth", "sixth", "major six"),
    "min6": ("minor sixth", "minor six"),
    "9": ("dominant ninth", "ninth"),
    "maj9": ("major ninth", "major nine"),
    "min9": ("minor ninth", "minor nine"),
    "11": ("dominant eleventh", "eleventh"),
    "maj11": ("major eleventh",),
    "min11": ("minor eleventh",),
    "13": ("dominant thirteenth", "thirteenth"),
    "maj13": ("major thirteenth",),
    "min13": ("minor thirteenth",),
    "sus2": ("suspended second", "suspended two", "sus2", "sus 2"),
    "sus4": ("suspended fourth", "suspended four", "suspended", "sus4", "sus 4", "sus"),
    "5": ("power chord", "fifth", "power"),
    "1": ("unison",),
}
_SPOKEN_ALTERED: dict[str, tuple[int, ...]] = {
    "dominant seventh suspended fourth": (0, 5, 7, 10),
    "seventh suspended fourth": (0, 5, 7, 10),
    "augmented seventh": (0, 4, 8, 10),
    "added ninth": (0, 4, 7, 2),
    "add nine": (0, 4, 7, 2),
    "minor added ninth": (0, 3, 7, 2),
    "major seventh sharp eleven": (0, 4, 7, 11, 6),
    "seventh flat nine": (0, 4, 7, 10, 1),
    "seventh sharp nine": (0, 4, 7, 10, 3),
}


_FIGURES = {
    "second": "2nd|2", "fourth": "4th|4", "fifth": "5th", "sixth": "6th|6", "seventh": "7th|7", "ninth": "9th|9",
    "eleventh": "11th|11", "thirteenth": "13th|13",
}  # fmt: skip


def _spoken_pattern(phrase: str) -> str:
    parts: list[str] = []
    for word in re.split(r"[ -]", phrase):
        ordinal = _FIGURES.get(word)
        # A figure is a degree only where a quality word stands before it and no meter follows ("in A minor 7/4").
        figure = ordinal if ordinal and parts else None
        parts.append(rf"(?:{word}|(?:{figure})(?![\d/]|[ -]?beat|[ -]?bpm))" if figure else re.escape(word))
    return "[ -]".join(parts)


_SYMBOL_SOUNDS = {s: frozenset(QUALITIES[q]) for q, names in _SYMBOLS.items() for s in names}
_SYMBOL_SOUNDS |= {s: frozenset(i) for s, i in _ALTERED.items()}
_SYMBOL_SOUNDS |= {
    s.replace("b", "♭").replace("#", "♯"): i for s, i in list(_SYMBOL_SOUNDS.items()) if "b" in s or "#" in s
}
_SYMBOL_MODES = {s: {"maj": "major", "min": "minor"}[q] for q in ("maj", "min") for s in _SYMBOLS[q]} | {"": "major"}
_SPOKEN_MODES = {"major": "major", "maj": "major", "minor": "minor", "min": "minor"}
_SPOKEN_SOUNDS = [(p, frozenset(QUALITIES[q])) for q, names in _SPOKEN.items() for p in names]
_SPOKEN_SOUNDS += [(p, frozenset(i)) for p, i in _SPOKEN_ALTERED.items()]
_SPOKEN_SOUNDS.sort(key=lambda item: -len(item[0]))

_HARTE = re.compile(r"[A-G][#b]*:[a-z]*\d*(?:maj7)?(?:\([*#b\d,]+\))?(?:/[#b]*\d+)?(?![A-Za-z0-9#])")
_ROOT = re.compile(NOTE)
_SYMBOL = re.compile("|".join(re.escape(s) for s in sorted(_SYMBOL_SOUNDS, key=len, reverse=True)))
_SPOKEN_RE = re.compile(
    rf"[ -](?:{'|'.join(f'({_spoken_pattern(p)})' for p, _ in _SPOKEN_SOUNDS)})(?![A-Za-z0-9])", re.IGNORECASE
)
_AFTER = re.compile(r"(?![A-Za-z0-9#♯♭])")
_SLASH = re.compile(rf"/({NOTE})(?![A-Za-z0-9#♯♭/])")
_OVER = re.compile(
    rf"(?: chord)?(?: (?:over|with) an? ({NOTE})[ -]bass(?: note)?"
    rf"| over (?:an? )?(?!an? )({NOTE})(?! (?:major|minor|chord))"
    rf"| with (?:an? )?({NOTE}) in the bass| on ({NOTE}) bass)(?![A-Za-z0-9#♯♭])"
)
_INVERSION = re.compile(r"(?: chord)?(?:,)? (?:in|\()\s?(first|second|third|1st|2nd|3rd) inversion\)?")


def find_pitch_name(text: str, start: int) -> PitchName | None:
    """The chord or key name that begins at ``start``, or None. The character before must not be a letter or digit."""
    if start and (text[start - 1].isalnum() or text[start - 1] in "#♯♭"):
        return None
    harte = _HARTE.match(text, start)
    if harte:
        try:
            sound = sound_of_label(harte[0])
        except ChordSyntaxError:
            sound = None
        if sound is not None:
            return PitchName(start, harte.end(), sound, None, False, True, False)
    root = _ROOT.match(text, start)
    if root is None:
        return None
    found = _with_quality(text, root)
    if found is None and len(root[0]) > 1 and root[0][1] in " -b♭":
        # "B flat" may fail where a plain "B" reads, and "Bb" only looks like a flat in e.g. "Bbb".
        bare = re.compile(r"[A-Ga-g]").match(text, start)
        found = _with_quality(text, bare) if bare else None
    return found


def _with_quality(text: str, root: re.Match[str]) -> PitchName | None:
    pc, at, lower = note_pitch_class(root[0]), root.end(), root[0][0].islower()
    spoken = _SPOKEN_RE.match(text, at)
    if spoken and spoken.lastindex:
        phrase, intervals = _SPOKEN_SOUNDS[spoken.lastindex - 1]
        end, bass = _bass(text, spoken.end(), pc, intervals)
        mode = _SPOKEN_MODES.get(phrase) if not bass else None
        return PitchName(root.start(), end, Sound(pc, intervals, bass), mode, False, False, lower)
    symbol = _SYMBOL.match(text, at)
    ends = [(symbol.end(), _SYMBOL_SOUNDS[symbol[0]], symbol[0])] if symbol else []
    if symbol:  # a shorter suffix may be right where the longest one runs into letters
        shorter = [symbol[0][:k] for k in range(len(symbol[0]) - 1, 0, -1)]
        ends += [(at + len(s), _SYMBOL_SOUNDS[s], s) for s in shorter if s in _SYMBOL_SOUNDS]
    ends.append((at, frozenset(QUALITIES["maj"]), ""))
    for end, intervals, suffix in ends:
        if _AFTER.match(text, end) and not text.startswith(("'", "’"), end):
            stop, bass = _bass(text, end, pc, intervals)
            known = _SYMBOL_MODES.get(suffix) if not bass else None
            bare = suffix == "" and stop == end
            return PitchName(root.start(), stop, Sound(pc, intervals, bass), known, bare, True, lower)
    return None


def _bass(text: str, at: int, root: int, intervals: frozenset[int]) -> tuple[int, int]:
    """``(end, bass above the root)`` after an optional inversion at ``at``."""
    slash = _SLASH.match(text, at)
    if slash:
        return slash.end(), (note_pitch_class(slash[1]) - root) % 12
    over = _OVER.match(text, at)
    if over:
        note = next(group for group in over.groups() if group)
        return over.end(), (note_pitch_class(note) - root) % 12
    inversion = _INVERSION.match(text, at)
    if inversion:
        wanted = {"f": (3, 4), "1": (3, 4), "s": (6, 7, 8), "2": (6, 7, 8), "t": (9, 10, 11), "3": (9, 10, 11)}
        tones = [t for t in wanted[inversion[1][0]] if t in intervals]
        if tones:
            return inversion.end(), tones[-1]
    return at, 0


# --- writing -----------------------------------------------------------------------------------------------------

_LONG = {q: names[0] for q, names in _SPOKEN.items()} | {"5": "power chord", "1": "unison"}
_FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def spoken_note(note: str) -> str:
    """``Bb`` -> ``B-flat``, ``F#`` -> ``F-sharp``; double accidentals are respelled first."""
    if len(note) > 2:
        note = _FLATS[pitch_class(note)]
    return note[0] + {"": "", "#": "-sharp", "b": "-flat"}[note[1:]]


def chord_symbol(label: str) -> str | None:
    """Lead-sheet name of a Harte label (``A:min7`` -> ``Am7``, ``C:maj/3`` -> ``C/E``); None for ``N`` and ``X``.

    A label that no lead-sheet name says exactly (rare added degrees) is returned as it is: Harte syntax is a name too.
    """
    sound = sound_of_label(label)
    if sound is None:
        return None
    chord = parse_chord(label)
    assert chord.root is not None
    suffix = "" if sound.intervals == frozenset(QUALITIES["maj"]) else _suffix_of(sound.intervals)
    if suffix is None:
        return label
    return chord.root + suffix + (f"/{_bass_note(chord.root, sound)}" if sound.bass else "")


def chord_words(label: str) -> str | None:
    """Spoken name (``A:min7`` -> ``A minor seventh``, ``C:maj/3`` -> ``C major over E``); None for ``N`` and ``X``."""
    sound = sound_of_label(label)
    if sound is None:
        return None
    chord = parse_chord(label)
    assert chord.root is not None
    quality = next((q for q, i in QUALITIES.items() if frozenset(i) == sound.intervals), None)
    if quality is None:
        return chord_symbol(label)
    over = f" over {spoken_note(_bass_note(chord.root, sound))}" if sound.bass else ""
    return f"{spoken_note(chord.root)} {_LONG[quality]}{over}"


def _suffix_of(intervals: frozenset[int]) -> str | None:
    for quality, names in _SYMBOLS.items():
        if frozenset(QUALITIES[quality]) == intervals:
            return names[0]
    return next((s for s, i in _ALTERED.items() if frozenset(i) == intervals), None)


def _bass_note(root: str, sound: Sound) -> str:
    names = _SHARPS if "#" in root or root in {"D", "E", "A", "B", "G"} else _FLATS
    return names[(sound.root + sound.bass) % 12]
