"""Chords of transcriptions as MMA plays them, with the label of what then sounds."""

import re
from dataclasses import dataclass

from benchmarks.truth.harmony import note_name
from fgmcaps.schemas.harte import QUALITIES, pitch_class

# Quality in the annotation -> (MMA's name, Harte shorthand of what MMA plays).
_PLAYED = {
    "maj": ("", "maj"),
    "min": ("m", "min"),
    "7": ("7", "7"),
    "min7": ("m7", "min7"),
    "maj7": ("M7", "maj7"),
    "dim": ("dim", "dim"),
    "hdim7": ("m7b5", "hdim7"),
    "dim7": ("dim7", "dim7"),
    "aug": ("aug", "aug"),
    "maj6": ("6", "maj6"),
    "min6": ("m6", "min6"),
    "9": ("9", "9"),
    "maj9": ("M9", "maj9"),
    "min9": ("m9", "min9"),
    "11": ("11", "11"),
    "min11": ("m11", "min11"),
    "13": ("13", "13"),
    "maj13": ("M13", "maj13"),
    "min13": ("m13", "min13"),
    "sus4": ("sus4", "sus4"),
    "sus2": ("sus2", "sus2"),
    "5": ("5", "5"),
    "1": ("5", "5"),
    "minmaj7": ("mM7", "minmaj7"),
}
_WITH_DEGREES = {
    ("maj", "9"): ("add9", "maj9"),
    ("sus4", "b7"): ("7sus", "sus4"),
    ("sus4", "b7,9"): ("7sus", "sus4"),
    ("7", "#9"): ("7#9", "7"),
    ("7", "b9"): ("7b9", "7"),
    ("5", "b7"): ("5", "5"),
    ("maj6", "9"): ("6/9", "maj6"),
}
_LABEL = re.compile(
    r"(?P<root>[A-G][#b]*):(?P<quality>[a-z]*\d*(?:maj7)?)(?:\((?P<degrees>[^)]*)\))?(?:/(?P<bass>\S+))?$"
)
_DEGREES = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11, "9": 2, "11": 5, "13": 9}
_BASS_NAMES = {1: "b9", 2: "9", 3: "b3", 4: "3", 5: "11", 6: "b5", 7: "5", 8: "b13", 9: "13", 10: "b7", 11: "7"}


@dataclass(frozen=True, slots=True)
class Played:
    """A chord for MMA: ``root`` pitch class, MMA's name of the quality, Harte's shorthand, bass in semitones above."""

    root: int
    mma: str
    quality: str
    bass: int = 0

    def mma_name(self, flats: bool) -> str:
        """E.g. ``Am7/E``."""
        slash = f"/{note_name(self.root + self.bass, flats)}" if self.bass else ""
        return note_name(self.root, flats) + self.mma + slash

    def harte_name(self, flats: bool) -> str:
        """E.g. ``A:min7/5``."""
        slash = f"/{_BASS_NAMES[self.bass]}" if self.bass else ""
        return f"{note_name(self.root, flats)}:{self.quality}{slash}"

    @property
    def told_by(self) -> tuple[int, ...]:
        """Pitch classes that must sound for the chord to be what it is: root and third (or fourth, or fifth)."""
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality][:2])


def played(label: str) -> Played | None:
    """What MMA plays for a label of the annotation; None for ``N`` and for what it has no chord for."""
    found = _LABEL.match(label)
    if found is None:
        return None
    root, quality = pitch_class(found["root"]), found["quality"]
    degrees = found["degrees"] or ""
    names = _WITH_DEGREES.get((quality, degrees)) or _PLAYED.get(quality)
    if names is None:
        return None
    bass = 0
    if found["bass"]:
        step = found["bass"]
        number = step.lstrip("#b")
        if number not in _DEGREES:
            return None
        bass = (_DEGREES[number] + step.count("#") - step.count("b")) % 12
    return Played(root, *names, bass)
