"""Phrases of single facts, in the several wordings that the template engine picks from.

Each function returns a tuple of wordings; all say exactly the fact. ``with_`` phrases follow a noun, ``verb_`` phrases
follow a subject, ``clause_`` phrases are whole clauses.
"""

from fgmcaps.captioning.checker.chord_names import chord_symbol, chord_words, spoken_note
from fgmcaps.captioning.checker.numerals import spell
from fgmcaps.schemas.music import key_index

_METER_FIGURES = (2, 3, 4, 5, 6, 7, 8, 9, 12, 16)
_SPOKEN_METER = {str(n): spell(n) for n in _METER_FIGURES}
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


def listing(items: list[str], last: str = "and", oxford: bool = True) -> str:
    """``a``, ``a and b``, ``a, b, and c``."""
    if len(items) < 3:
        return f" {last} ".join(items)
    return ", ".join(items[:-1]) + ("," if oxford else "") + f" {last} {items[-1]}"


def key_names(key: str) -> tuple[str, ...]:
    """``F# minor``, ``F-sharp minor``."""
    key_index(key)  # raises for what is not a key
    tonic, mode = key.split()
    return (key, key) if len(tonic) == 1 else (key, f"{spoken_note(tonic)} {mode}")


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


def _beats(signature: str) -> str | None:
    """Beats per bar in words, where the upper figure is that number (simple meters)."""
    n, d = signature.split("/")
    return _SPOKEN_METER.get(n) if d == "4" and int(n) < 8 else None


def _spoken_signature(signature: str) -> str | None:
    n, d = signature.split("/")
    return f"{_SPOKEN_METER[n]}-{_SPOKEN_METER[d]}" if n in _SPOKEN_METER and d in _SPOKEN_METER else None


def with_meter(signature: str) -> tuple[str, ...]:
    """Prepositional phrases of the time signature."""
    out = [f"in {signature}", f"in {signature} time", f"with a {signature} time signature", f"in {signature} meter"]
    if spoken := _spoken_signature(signature):
        out.append(f"in {spoken} time")
    if beats := _beats(signature):
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
    if spoken := _spoken_signature(signature):
        out.append(f"is in {spoken} time")
    if beats := _beats(signature):
        out += [f"has {beats} beats per bar", f"counts {beats} beats to the measure"]
    if signature == "4/4":
        out.append("is in common time")
    return tuple(out)


def clause_meter(signature: str) -> tuple[str, ...]:
    """Clauses of the time signature."""
    out = [f"the time signature is {signature}", f"the meter is {signature}", f"its meter is {signature}"]
    if beats := _beats(signature):
        out += [f"each bar has {beats} beats", f"there are {beats} beats in each bar"]
    return tuple(out)


def speeds(bpm: int) -> tuple[str, ...]:
    """``120 BPM``, ``120 beats per minute``; in words now and then."""
    digits = (f"{bpm} BPM", f"{bpm} beats per minute")
    return digits * 3 + ((f"{spell(bpm)} beats per minute",) if 0 < bpm <= 999 else ())


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
    """The progression in several spellings. ``flat``: without commas and without the word ``and``.

    Spoken names only where the progression is short; ``N`` and ``X`` are left out.
    """
    symbols = [s for s in map(chord_symbol, labels) if s is not None]
    words = [s for s in map(chord_words, labels) if s is not None]
    dashed = ("–".join(symbols), " to ".join(symbols) if len(symbols) < 5 else "–".join(symbols))
    if flat:
        return dashed
    out = [listing(symbols), listing(symbols), listing(symbols, oxford=False), ", ".join(symbols), "–".join(symbols)]
    if len(words) <= 4:
        out += [listing(words), listing(words, oxford=False)]
    if 3 <= len(symbols) <= 5:
        out.append(f"{symbols[0]} to {symbols[1]}, then {listing(symbols[2:])}")
    return tuple(out)


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
