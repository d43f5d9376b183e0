"""Chord progressions whose key can be heard: functional harmony as a seeded walk from the tonic and back.

A degree is written as (semitones above the tonic, quality), the quality in Harte's shorthand.
"""

from dataclasses import dataclass

import numpy as np

from fgmcaps.schemas.harte import QUALITIES

# Degree name -> (semitones above the tonic, triad, seventh chord). Secondary dominants carry the name of their target.
MAJOR = {
    "I": (0, "maj", "maj7"),
    "ii": (2, "min", "min7"),
    "iii": (4, "min", "min7"),
    "IV": (5, "maj", "maj7"),
    "V": (7, "maj", "7"),
    "vi": (9, "min", "min7"),
    "vii": (11, "dim", "hdim7"),
    "V/V": (2, "7", "7"),
    "V/ii": (9, "7", "7"),
    "V/vi": (4, "7", "7"),
    "V/IV": (0, "7", "7"),
    "Vsus": (7, "sus4", "sus4"),
}
MINOR = {
    "i": (0, "min", "min7"),
    "ii": (2, "dim", "hdim7"),
    "III": (3, "maj", "maj7"),
    "iv": (5, "min", "min7"),
    "V": (7, "maj", "7"),
    "v": (7, "min", "min7"),
    "VI": (8, "maj", "maj7"),
    "VII": (10, "maj", "7"),
    "vii": (11, "dim", "dim7"),
    "V/iv": (0, "7", "7"),
}
# Where a degree goes, with weights: textbook root motion (Piston, Harmony, table of usual root progressions).
MAJOR_NEXT = {
    "I": {"IV": 6, "V": 5, "vi": 5, "ii": 3, "iii": 2, "V/ii": 1, "V/vi": 1, "V/IV": 1, "V/V": 1},
    "ii": {"V": 7, "Vsus": 1, "IV": 1, "vii": 1, "V/V": 1},
    "iii": {"vi": 5, "IV": 4, "ii": 1},
    "IV": {"V": 5, "I": 3, "ii": 2, "vii": 1, "V/V": 1},
    "V": {"I": 5, "vi": 3, "IV": 1},
    "Vsus": {"V": 1},
    "vi": {"IV": 4, "ii": 3, "V": 2, "iii": 1, "V/V": 1},
    "vii": {"I": 4, "iii": 1},
    "V/V": {"V": 1},
    "V/ii": {"ii": 1},
    "V/vi": {"vi": 1},
    "V/IV": {"IV": 1},
}
MINOR_NEXT = {
    "i": {"iv": 6, "V": 4, "VI": 5, "VII": 3, "ii": 2, "III": 1, "V/iv": 1},
    "ii": {"V": 5, "vii": 1},
    "III": {"VI": 3, "iv": 2},
    "iv": {"V": 5, "i": 3, "VII": 2, "ii": 2},
    "V": {"i": 5, "VI": 2},
    "v": {"i": 3, "VI": 2, "iv": 1},
    "VI": {"VII": 3, "iv": 3, "V": 3, "ii": 1},
    "VII": {"i": 3, "VI": 2, "III": 1},
    "vii": {"i": 1},
    "V/iv": {"iv": 1},
}
_SHARP = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_MMA_QUALITY = {
    "maj": "",
    "min": "m",
    "7": "7",
    "maj7": "M7",
    "min7": "m7",
    "dim": "dim",
    "hdim7": "m7b5",
    "dim7": "dim7",
    "sus4": "sus4",
    "maj6": "6",
    "9": "9",
    "maj9": "M9",
    "min9": "m9",
}
_DEGREE_OF_SEMITONE = {3: "b3", 4: "3", 5: "4", 6: "b5", 7: "5", 9: "bb7", 10: "b7", 11: "7"}


@dataclass(frozen=True, slots=True)
class Chord:
    """Root pitch class, Harte quality and, for an inversion, the bass in semitones above the root (else 0)."""

    root: int
    quality: str
    bass: int = 0


def progression(rng: np.random.Generator, minor: bool, length: int) -> list[str]:
    """A loop of ``length`` >= 2 degrees: the tonic first, and no other key can claim it.

    It holds a dominant (in minor with the leading note, or a natural v / VII without III) that leads back to the tonic.
    """
    table, tonic = (MINOR_NEXT, "i") if minor else (MAJOR_NEXT, "I")
    natural = minor and length > 2 and rng.random() < 0.3
    while True:
        loop = [tonic]
        while len(loop) < length:
            following = table[loop[-1]]
            if natural:
                following = {
                    "v" if d == "V" else d: w for d, w in following.items() if d not in ("III", "vii", "ii", "V/iv")
                }
                following = following or {"i": 1}
            weights = np.array(list(following.values()), float)
            loop.append(str(rng.choice(list(following), p=weights / weights.sum())))
        closes = loop[-1] == tonic or tonic in table[loop[-1]]
        if closes and key_is_audible(loop, minor):
            return loop


def key_is_audible(loop: list[str], minor: bool) -> bool:
    """The loop has a dominant function, a stable tonic, and is no plain shuttle between two chords a fourth apart."""
    tonic = "i" if minor else "I"
    dominant = {"V", "vii"} | ({"v", "VII"} if minor else set())
    if not dominant & set(loop) or (minor and "III" in loop and not {"V", "vii"} & set(loop)):
        return False
    pairs = zip(loop, loop[1:] + loop[:1], strict=True)
    return any(a in dominant | {"IV", "iv"} and b == tonic for a, b in pairs) and loop.count(tonic) <= max(
        1, len(loop) // 2
    )


def defines_key(loop: list[Chord], tonic: int, minor: bool) -> bool:
    """The chords' notes leave one key with this tonic: in major its tritone (4 and 7), in minor the leading note or,
    where that is not used, the tritone 2 and b6 of the natural scale."""
    notes = {(chord.root + step - tonic) % 12 for chord in loop for step in QUALITIES[chord.quality]}
    return {3, 11} <= notes or {2, 8} <= notes if minor else {5, 11} <= notes


def realise(
    rng: np.random.Generator, loop: list[str], tonic: int, minor: bool, sevenths: float, inversions: float
) -> list[Chord]:
    """Degrees to chords: each takes its seventh, and its bass off the root, with the given probabilities."""
    degrees = MINOR if minor else MAJOR
    chords = []
    for place, name in enumerate(loop):
        semitones, triad, seventh = degrees[name]
        quality = seventh if rng.random() < (max(sevenths, 0.5) if name == "V" else sevenths) else triad
        if len(loop) == 2 and name == "V":
            quality = "7"
        if sevenths > 0.5 and rng.random() < 0.15:
            quality = {"maj7": "maj9", "min7": "min9", "7": "9" if not minor else "7"}.get(quality, quality)
        if sevenths > 0.2 and rng.random() < 0.05 and name in ("I", "IV"):
            quality = "maj6"
        bass = 0
        if place and quality in ("maj", "min", "7", "maj7", "min7", "dim") and rng.random() < inversions:
            bass = int(rng.choice(QUALITIES[quality][1:]))
        chords.append(Chord((tonic + semitones) % 12, quality, bass))
    return chords


def note_name(pitch: int, flats: bool) -> str:
    """A pitch class spelt with flats or with sharps."""
    return (_FLAT if flats else _SHARP)[pitch % 12]


def prefers_flats(tonic: int, minor: bool) -> bool:
    """Flat or sharp spelling of a key's chords, by its signature (F# major and D# minor: sharp)."""
    return (tonic + (3 if minor else 0)) % 12 in (0, 5, 10, 3, 8, 1)


def mma_name(chord: Chord, flats: bool) -> str:
    """The chord as MMA writes it, e.g. ``Am7/E``."""
    slash = f"/{note_name(chord.root + chord.bass, flats)}" if chord.bass else ""
    return note_name(chord.root, flats) + _MMA_QUALITY[chord.quality] + slash


def harte_name(chord: Chord, flats: bool) -> str:
    """The chord in Harte syntax, e.g. ``A:min7/5``."""
    slash = f"/{_DEGREE_OF_SEMITONE[chord.bass]}" if chord.bass else ""
    return f"{note_name(chord.root, flats)}:{chord.quality}{slash}"
