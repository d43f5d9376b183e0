"""Phrases of single facts, in the several wordings that the template engine picks from.

Each function returns a tuple of wordings; all say exactly the fact. ``with_`` phrases follow a noun, ``verb_`` phrases
follow a subject, ``clause_`` phrases are whole clauses.
"""

from fgmcaps.captioning.spellings import values
from fgmcaps.captioning.spellings.values import beats_in_bar, spoken_signature

_AN_LETTERS = frozenset("AEFHILMNORSX")
_HARD_VOWELS = ("uni", "use", "usu", "uk", "eu", "one", "once", "ou")
_SILENT_H = ("hour", "honest", "honour", "honor", "heir")


def article(phrase: str) -> str:
    """``a`` or ``an`` before the phrase, by its sound as far as spelling tells."""
    word = phrase.split()[0] if phrase.split() else ""
    lower = word.lower()
    if lower[:1].isdigit():
        return "an" if lower.startswith(("8", "11", "18")) else "a"
    if len(word) == 1 or (word[1:2] and not word[1].islower()):  # R&B, EDM, E minor, F#m
        return "an" if word[0].upper() in _AN_LETTERS else "a"
    if lower.startswith(_SILENT_H):
        return "an"
    return "an" if lower[:1] in "aeiou" and not lower.startswith(_HARD_VOWELS) else "a"


def with_key(name: str) -> tuple[str, ...]:
    """Prepositional phrases of the key."""
    return (f"in {name}", f"in {name}", f"in the key of {name}", f"in the key of {name}")


def verb_key(name: str) -> tuple[str, ...]:
    """Predicates of the key."""
    return (
        f"is in {name}",
        f"is in the key of {name}",
        f"is set in {name}",
        f"has {name} as its key",
        f"stays in {name}",
    )


def clause_key(name: str) -> tuple[str, ...]:
    """Clauses of the key."""
    return (f"the key is {name}", f"its key is {name}", f"the tonality is {name}")


def with_meter(signature: str) -> tuple[str, ...]:
    """Prepositional phrases of the time signature."""
    out = [f"in {signature}", f"in {signature} time", f"with a {signature} time signature", f"in {signature} meter"]
    if spoken := spoken_signature(signature):
        out.append(f"in {spoken} time")
    if beats := beats_in_bar(signature):
        out += [f"with {beats} beats per bar", f"with {beats} beats to the bar", f"with {beats} beats in each measure"]
    if signature == "4/4":
        out.append("in common time")
    return tuple(out)


def verb_meter(signature: str) -> tuple[str, ...]:
    """Predicates of the time signature."""
    out = [
        f"is in {signature}",
        f"is in {signature} time",
        f"has a {signature} time signature",
        f"uses a {signature} meter",
    ]
    if spoken := spoken_signature(signature):
        out.append(f"is in {spoken} time")
    if beats := beats_in_bar(signature):
        out += [f"has {beats} beats per bar", f"counts {beats} beats to the measure"]
    if signature == "4/4":
        out.append("is in common time")
    return tuple(out)


def clause_meter(signature: str) -> tuple[str, ...]:
    """Clauses of the time signature."""
    out = [f"the time signature is {signature}", f"the meter is {signature}", f"its meter is {signature}"]
    if beats := beats_in_bar(signature):
        out += [f"each bar has {beats} beats", f"there are {beats} beats in each bar"]
    return tuple(out)


def speeds(bpm: int) -> tuple[str, ...]:
    """``120 BPM``, ``120 beats per minute``; in words now and then."""
    figures, words = values.speeds(bpm)[:2], values.speeds(bpm)[2:]
    return figures * 3 + words


def with_tempo(speed: str | None, marking: str | None) -> tuple[str, ...]:
    """Prepositional phrases of the tempo and its Italian word."""
    if marking is None:
        return (f"at {speed}", f"at a tempo of {speed}", f"with a tempo of {speed}")
    a = article(marking)
    if speed is None:
        return (f"at {a} {marking} tempo", f"with {a} {marking} tempo", f"with the tempo marking {marking}")
    return (
        f"at {a} {marking} tempo of {speed}",
        f"at {speed}, {a} {marking} tempo,",
        f"at {speed} ({marking})",
        f"at a tempo of {speed} ({marking})",
        f"with {a} {marking} tempo of {speed}",
        f"with a tempo of {speed}, or {marking},",
    )


def verb_tempo(speed: str | None, marking: str | None) -> tuple[str, ...]:
    """Predicates of the tempo and its Italian word."""
    if marking is None:
        return (f"has a tempo of {speed}", f"moves at {speed}", f"runs at {speed}", f"is played at {speed}")
    a = article(marking)
    if speed is None:
        return (f"has {a} {marking} tempo", f"moves at {a} {marking} tempo", f"is marked {marking}")
    return (
        f"has {a} {marking} tempo of {speed}",
        f"moves at {speed} ({marking})",
        f"runs at {a} {marking} tempo of {speed}",
        f"is played at {speed} ({marking})",
        f"proceeds at {speed} ({marking})",
    )


def clause_tempo(speed: str | None, marking: str | None) -> tuple[str, ...]:
    """Clauses of the tempo and its Italian word."""
    if marking is None:
        return (f"the tempo is {speed}", f"its tempo is {speed}")
    if speed is None:
        return (f"the tempo is {marking}", f"the tempo marking is {marking}")
    return (
        f"the tempo is {speed} ({marking})",
        f"its tempo is {marking} at {speed}",
        f"the tempo marking is {marking} at {speed}",
    )


def chord_lists(labels: tuple[str, ...], flat: bool) -> tuple[str, ...]:
    """The progression in several spellings, the usual ones more than once. ``flat``: no commas and no ``and``."""
    if flat:
        return values.dashed_chords(labels)
    listed, dashed = values.listed_chords(labels), values.dashed_chords(labels)[0]
    return (listed[0], *listed[:3], dashed, *listed[3:])


def with_chords(listed: str, count: int) -> tuple[str, ...]:
    """Prepositional phrases of the progression."""
    if count == 1:
        return (f"on the chord {listed}", f"with {listed} as its only chord", f"built on the chord {listed}")
    return (
        f"with the chord progression {listed}",
        f"with the chords {listed}",
        f"built on the chords {listed}",
        f"moving through {listed}",
        f"following the progression {listed}",
        f"with a chord sequence of {listed}",
    )


def verb_chords(listed: str, count: int) -> tuple[str, ...]:
    """Predicates of the progression."""
    if count == 1:
        return (f"stays on the chord {listed}", f"has {listed} as its only chord", f"is built on the chord {listed}")
    return (
        f"moves through {listed}",
        f"follows the chord progression {listed}",
        f"is built on the chords {listed}",
        f"uses the chords {listed}",
        f"goes through the chords {listed}",
        f"has the chord sequence {listed}",
    )


def clause_chords(listed: str, count: int) -> tuple[str, ...]:
    """Clauses of the progression."""
    if count == 1:
        return (f"the only chord is {listed}", f"the harmony stays on the chord {listed}")
    return (
        f"the chords are {listed}",
        f"the chord progression is {listed}",
        f"the harmony moves through {listed}",
        f"its chords are {listed}",
        f"the progression runs {listed}",
    )
