"""The facts of a clip as pieces of text, any one spelling of which states the fact wherever it stands in a sentence.

A piece brings the words that say what its value is (``in C major``, ``the chords C, G``), since ``C major`` alone may
be a key or a chord. Whatever connecting words stand around the pieces, the checker reads the same facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from fgmcaps.captioning.checker.statable_terms import usable_facts
from fgmcaps.captioning.checker.terms import clean_term
from fgmcaps.captioning.spellings.values import (
    beats_in_bar,
    dashed_chords,
    key_names,
    listed_chords,
    listing,
    sounding,
    speeds,
    spoken_signature,
    symbols,
)
from fgmcaps.schemas import Facts

ATTRIBUTES = ("mood", "genre", "key", "meter", "tempo", "chords")
_MANY_CHORDS = 6


@dataclass(frozen=True, slots=True)
class Stated:
    """One fact (``attribute`` is one of ATTRIBUTES) and the spellings that a caption may choose from."""

    attribute: str
    spellings: tuple[str, ...]


def stated_facts(facts: Facts, style: str) -> tuple[Stated, ...]:
    """What a caption of this style has to say, in the order of ATTRIBUTES; empty where nothing can be stated."""
    known = usable_facts(facts)
    known = replace(known, chords=sounding(known.chords))
    say = {
        "mood": _terms(known.mood, style),
        "genre": _terms(known.genre, style),
        "key": _key(known.key, style),
        "meter": _meter(known.time_signature, style),
        "tempo": _tempo(known.tempo_bpm, known.tempo_marking, style),
        "chords": _chords(known.chords, style),
    }
    return tuple(Stated(name, say[name]) for name in ATTRIBUTES if say[name])


def _terms(terms: Sequence[str], style: str) -> tuple[str, ...]:
    names = [clean_term(term) for term in terms]
    if not names:
        return ()
    if style == "keywords":
        return (", ".join(names),)
    if style == "objective":
        return tuple(dict.fromkeys((listing(names), ", ".join(names))))
    return tuple(dict.fromkeys((" ".join(names), ", ".join(names), listing(names))))


def _key(key: str | None, style: str) -> tuple[str, ...]:
    if key is None:
        return ()
    names = key_names(key)
    if style == "keywords":
        return tuple(form.format(name) for name in names for form in ("key of {}", "{}", "{} key"))
    forms = ["in {}", "in the key of {}", "the key of {}"]
    if style == "objective":
        forms += ["the key is {}", "its key is {}"]
    return tuple(form.format(name) for name in names for form in forms)


def _meter(signature: str | None, style: str) -> tuple[str, ...]:
    if signature is None:
        return ()
    out = [signature]
    if style == "objective":
        if spoken := spoken_signature(signature):
            out.append(f"{spoken} time")
        if signature == "4/4":
            out.append("common time")
        if beats := beats_in_bar(signature):
            out += [f"with {beats} beats per bar", f"with {beats} beats to the bar", f"has {beats} beats per bar"]
    elif style == "keywords":
        out.append(f"{signature} time")
    return tuple(out)


def _tempo(bpm: int | None, marking: str | None, style: str) -> tuple[str, ...]:
    if bpm is None:
        if marking is None:
            return ()
        return (f"{marking} tempo", f"marked {marking}", f"marking is {marking}")[: 1 if style != "objective" else None]
    figures = speeds(bpm)
    if style == "casual":
        figures = (f"{bpm} bpm", f"{bpm} BPM", f"around {bpm} bpm", f"about {bpm} bpm")
    if style != "objective":
        words = () if marking is None or style == "casual" else (f"{marking}, {bpm} BPM", f"{marking} {bpm} BPM")
        return (*figures[: 4 if style == "casual" else 1], *words)
    if marking is None:
        return figures
    forms = (
        "{word} tempo of {figure}",
        "{figure} ({word})",
        "{word} at {figure}",
        "{figure}, marked {word}",
        "{word} pace of {figure}",
        "{word} ({figure})",
    )
    return tuple(form.format(word=marking, figure=figure) for form, figure in product(forms, figures))


def _chords(labels: tuple[str, ...], style: str) -> tuple[str, ...]:
    names = symbols(labels)
    if not names:
        return ()
    if len(names) == 1:
        return _one_chord(labels, style)
    if style == "keywords":
        return tuple(form.format("-".join(names)) for form in ("chords {}", "{} progression", "{} chords"))
    if style == "casual":
        plain = (" ".join(names), "-".join(names), ", ".join(names))
        forms = ("chords {}", "chord progression {}")
        return (*(form.format(text) for form, text in product(forms, plain)), f"{'-'.join(names)} chords")
    lists = listed_chords(labels)
    if style == "short" or len(names) > _MANY_CHORDS:
        lists = lists[:1] if style == "objective" else (", ".join(names),)
    out = [form.format(text) for form, text in product(("chords {}", "chord progression {}"), lists)]
    dashed = dashed_chords(labels)
    out += [form.format(text) for form, text in product(("chords {}", "chord progression {}"), dashed[:1])]
    out += [f"{dashed[0]} progression", f"{dashed[0]} chord progression"]
    if style == "objective":
        more = ("through {}", "through the chords {}", "chord sequence {}", "progression of {}", "chords are {}")
        out += [form.format(text) for form, text in product(more, (*lists[:1], *dashed))]
    return tuple(dict.fromkeys(out))


def _one_chord(labels: tuple[str, ...], style: str) -> tuple[str, ...]:
    name = symbols(labels)[0]
    if style in ("keywords", "casual"):
        return (f"chord {name}", f"{name} chord")
    if style == "short":
        return (f"chord {name}", f"only chord {name}")
    return (f"on the chord {name}", f"only chord is {name}", f"{name} as its only chord", f"on the chord of {name}")
