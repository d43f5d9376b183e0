"""The template engine: facts to text by a clause grammar, without a model and without chance.

A caption is a frame (one sentence or two; what stands in front), an order of the facts and a wording of each. All
choices are drawn from a hash of (seed, style, clip id, facts): the same input gives the same text on every machine.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from fgmcaps.captioning.checker.chord_names import chord_symbol
from fgmcaps.captioning.checker.form import STYLES
from fgmcaps.captioning.checker.statable_terms import usable_facts
from fgmcaps.captioning.checker.terms import clean_term
from fgmcaps.captioning.engines import phrases
from fgmcaps.captioning.spellings import values
from fgmcaps.schemas import Facts, to_json

TEMPLATE_VERSION = "template.v1"

# What is said of a clip of which nothing is known: a sentence that states no attribute.
EMPTY_CAPTIONS = {
    "objective": "A clip of music.",
    "short": "A music clip.",
    "keywords": "music",
    "casual": "some music",
}

_NOUNS = ("piece", "track", "clip", "excerpt", "recording")
T = TypeVar("T")


class _Dice:
    """Reproducible choices: counter-mode SHA-256, so that no library's generator can change them."""

    def __init__(self, text: str) -> None:
        self._key, self._count = text.encode("utf-8", "surrogatepass"), 0

    def below(self, n: int) -> int:
        self._count += 1
        digest = hashlib.sha256(self._key + self._count.to_bytes(4, "big")).digest()
        return int.from_bytes(digest[:8], "big") % n

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def shuffle(self, items: Sequence[T]) -> list[T]:
        out, left = [], list(items)
        while left:
            out.append(left.pop(self.below(len(left))))
        return out


@dataclass(frozen=True, slots=True)
class TemplateEngine:
    """Writes captions from facts. ``seed`` chooses another set of wordings for a whole dataset."""

    seed: int = 0

    def write(self, clip_id: str, facts: Facts, style: str = "objective") -> str:
        """The caption of one clip in one of ``objective``, ``short``, ``keywords``, ``casual``.

        Says every fact and nothing else. Empty facts give a fixed sentence that states no attribute
        (``A clip of music.``). Raises ValueError for an unknown style.
        """
        if style not in STYLES:
            raise ValueError(f"unknown caption style {style!r}; known: {', '.join(STYLES)}")
        stated = usable_facts(facts)
        stated = replace(stated, chords=values.sounding(stated.chords))
        if stated.empty:
            return EMPTY_CAPTIONS[style]
        dice = _Dice(f"{self.seed}|{style}|{clip_id}|{to_json(facts)}")
        writers = {"objective": _objective, "short": _short, "keywords": _keywords, "casual": _casual}
        return writers[style](_Wording(stated, dice))


class _Wording:
    """One draw of words for the facts of one clip."""

    def __init__(self, facts: Facts, dice: _Dice) -> None:
        self.facts, self.dice = facts, dice
        self.labels = facts.chords
        self.key = dice.pick(values.key_names(facts.key)) if facts.key else ""
        self.speed = dice.pick(phrases.speeds(facts.tempo_bpm)) if facts.tempo_bpm is not None else None
        self.genre, self.mood = [clean_term(t) for t in facts.genre], [clean_term(t) for t in facts.mood]

    def attributes(self) -> list[str]:
        """The known ones of key, meter, tempo and chords, in that order."""
        facts = self.facts
        tempo = facts.tempo_bpm or facts.tempo_marking
        known = {"key": facts.key, "meter": facts.time_signature, "tempo": tempo, "chords": self.labels}
        return [name for name, value in known.items() if value]

    def say(self, form: str, attribute: str, flat: bool = False) -> str:
        """``with``, ``verb`` or ``clause`` wording of an attribute; ``flat`` keeps commas out of it."""
        facts = self.facts
        if attribute == "key":
            options = _wordings(form, "key")(self.key)
        elif attribute == "meter":
            options = _wordings(form, "meter")(facts.time_signature)
        elif attribute == "tempo":
            options = _wordings(form, "tempo")(self.speed, facts.tempo_marking)
        else:
            listed = self.dice.pick(phrases.chord_lists(self.labels, flat))
            options = _wordings(form, "chords")(listed, len(self.labels))
        plain = [o for o in options if "," not in o] if flat else list(options)
        return self.dice.pick(plain or list(options))

    def noun_phrase(self) -> str:
        """``happy pop track``, ``clip of calm folk music``, ``rock piece with a dark mood`` (no article)."""
        genre, mood, noun = values.listing(self.genre), values.listing(self.mood), self.dice.pick(_NOUNS)
        before = f"{mood} {genre}".strip()
        if not before:
            return self.dice.pick(("piece of music", "music clip", f"{noun} of music", noun))
        options = [f"{before} {noun}", f"{before} {noun}", f"{noun} of {before} music"]
        if mood:
            options.append(f"{genre} {noun} with {phrases.article(mood)} {mood} mood".strip())
        if genre and not mood:
            options.append(f"{noun} in the {genre} {'genre' if len(self.genre) == 1 else 'genres'}")
        return self.dice.pick(options)


def _wordings(form: str, attribute: str) -> Callable[..., tuple[str, ...]]:
    wording: Callable[..., tuple[str, ...]] = getattr(phrases, f"{form}_{attribute}")
    return wording


def _sentence(text: str) -> str:
    """First letter up, full stop, no comma before a stop."""
    text = text.strip().rstrip(",;")
    for mark in (".", ";", ","):
        text = text.replace(f",{mark}", mark)
    return text[:1].upper() + text[1:] + "."


def _order(w: _Wording) -> list[str]:
    """A random order of the attributes; the progression goes last two times in three, where it reads best."""
    order = w.dice.shuffle(w.attributes())
    if "chords" in order and w.dice.below(3):
        order = [a for a in order if a != "chords"] + ["chords"]
    return order


def _with_all(w: _Wording, attributes: list[str]) -> str:
    """``in C major, in 4/4, at 120 BPM, with the chords ...``."""
    said = [w.say("with", a, flat=i < len(attributes) - 1) for i, a in enumerate(attributes)]
    glue = w.dice.pick((", ", ", ", " and "))
    if len(said) == 2 and glue == " and " and said[0].split()[0] == said[1].split()[0]:
        return " and ".join(said)
    if len(said) > 1 and w.dice.below(2):
        return f"{said[0]} " + ", ".join(said[1:])
    return ", ".join(said)


def _predicates(w: _Wording, attributes: list[str]) -> str:
    """``is in C major, has a 4/4 time signature, and moves through ...``."""
    said = [w.say("verb", a, flat=i < len(attributes) - 1) for i, a in enumerate(attributes)]
    return values.listing(said)


def _clauses(w: _Wording, attributes: list[str]) -> str:
    """``the key is C major, the meter is 4/4, and the chords are ...``."""
    said = [w.say("clause", a, flat=i < len(attributes) - 1) for i, a in enumerate(attributes)]
    return values.listing(said)


def _a(noun_phrase: str) -> str:
    return f"{phrases.article(noun_phrase)} {noun_phrase}"


def _one_phrase(w: _Wording) -> str:
    return _sentence(f"{_a(w.noun_phrase())} {_with_all(w, _order(w))}")


def _one_statement(w: _Wording) -> str:
    subject = w.dice.pick((f"this {w.noun_phrase()}", f"the {w.noun_phrase()}"))
    return _sentence(f"{subject} {_predicates(w, _order(w))}")


def _fronted(w: _Wording) -> str:
    order = _order(w)
    front, others = order[0], order[1:]
    if front == "chords" or not others:
        return _one_statement(w)
    phrase = w.say("with", front, flat=True)
    return _sentence(f"{phrase}, this {w.noun_phrase()} {_predicates(w, others)}")


def _two_phrases(w: _Wording) -> str:
    order = _order(w)
    if len(order) < 2:
        return _one_phrase(w)
    cut = 1 + w.dice.below(len(order) - 1)
    subject = w.dice.pick(("it", "the music", "the clip"))
    first = _sentence(f"{_a(w.noun_phrase())} {_with_all(w, order[:cut])}")
    return first + " " + _sentence(f"{subject} {_predicates(w, order[cut:])}")


def _statement_and_clauses(w: _Wording) -> str:
    order = _order(w)
    if len(order) < 2:
        return _one_statement(w)
    cut = 1 + w.dice.below(len(order) - 1)
    first = f"this {w.noun_phrase()} {_predicates(w, order[:cut])}"
    second = _clauses(w, order[cut:])
    if w.dice.below(2):
        return _sentence(f"{first}; {second}")
    return f"{_sentence(first)} {_sentence(second)}"


def _phrase_and_clauses(w: _Wording) -> str:
    order = _order(w)
    if len(order) < 2:
        return _one_phrase(w)
    cut = 1 + w.dice.below(len(order) - 1)
    first = f"{_a(w.noun_phrase())} {_with_all(w, order[:cut])}"
    return _sentence(f"{first}; {_clauses(w, order[cut:])}")


def _which(w: _Wording) -> str:
    order = _order(w)
    if len(order) < 2:
        return _one_statement(w)
    if w.dice.below(2):
        return _sentence(f"{_a(w.noun_phrase())} that {_predicates(w, order)}")
    body, tail = _with_all(w, order[:-1]), w.say("verb", order[-1])
    return _sentence(f"{_a(w.noun_phrase())} {body}, which {tail}")


_FRAMES = (
    _one_phrase,
    _one_phrase,
    _one_statement,
    _fronted,
    _two_phrases,
    _statement_and_clauses,
    _phrase_and_clauses,
    _which,
)


def _objective(w: _Wording) -> str:
    if not w.attributes():
        noun_phrase = w.noun_phrase()
        return _sentence(w.dice.pick((_a(noun_phrase), f"this is {_a(noun_phrase)}")))
    return w.dice.pick(_FRAMES)(w)


def _brief(w: _Wording, attribute: str) -> str:
    """The shortest wording of an attribute."""
    if attribute == "key":
        return w.key
    if attribute == "meter":
        return str(w.facts.time_signature)
    if attribute == "tempo":
        speed = None if w.facts.tempo_bpm is None else f"{w.facts.tempo_bpm} BPM"
        return " ".join(part for part in (w.facts.tempo_marking, speed) if part)
    listed = "–".join(s for s in map(chord_symbol, w.labels) if s)
    return f"chord {listed}" if len(w.labels) == 1 else w.dice.pick((f"chords {listed}", f"{listed} progression"))


def _short(w: _Wording) -> str:
    before = " ".join((*w.mood, *w.genre))
    parts = [_brief(w, a) for a in w.dice.shuffle([a for a in w.attributes() if a != "key"])]
    head = f"{before} {w.dice.pick(('music', 'piece', 'track', 'clip'))}".strip()
    if w.key:
        head += f" in {w.key}"
    return _sentence(", ".join([head, *parts]))


def _keywords(w: _Wording) -> str:
    parts = [*w.genre, *w.mood]
    parts += [
        f"key of {w.key}" if a == "key" and w.dice.below(2) else _brief(w, a) for a in w.dice.shuffle(w.attributes())
    ]
    return ", ".join(parts)


def _casual(w: _Wording) -> str:
    start = w.dice.pick(("looking for", "i want", "need", "find me", "show me", "", "", "got any"))
    noun = w.dice.pick(("song", "track", "tune", "music"))
    before = " ".join((*w.mood, *w.genre))
    counted = noun != "music" and start != "got any" and bool(start)
    head = f"{before} {noun}".strip()
    head = f"{phrases.article(head)} {head}" if counted else head
    bpm = w.facts.tempo_bpm
    chords = f"chord{'s' * (len(w.labels) > 1)} {' '.join(s for s in map(chord_symbol, w.labels) if s)}"
    said = {
        "key": w.dice.pick((f"in {w.key}", f"in the key of {w.key}")),
        "meter": w.dice.pick((f"in {w.facts.time_signature}", f"in {w.facts.time_signature} time")),
        "tempo": w.dice.pick((f"at {bpm} bpm", f"around {bpm} bpm"))
        if bpm is not None
        else f"{w.facts.tempo_marking} tempo",
        "chords": w.dice.pick((f"with the {chords}", chords, f"that uses the {chords}")),
    }
    order = w.dice.shuffle([a for a in w.attributes() if a != "chords"]) + ["chords"] * bool(w.labels)
    glue = w.dice.pick((" ", ", "))
    return glue.join([f"{start} {head}".strip(), *(said[a] for a in order)])
