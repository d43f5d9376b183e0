"""The words that the checker knows, read from the text files beside it.

Neutral words state no attribute; judging words are the objectivity lexicon; source words name instruments, voices and
provenance. Any word in none of the lists is unknown, and an unknown word is an addition: the checker's vocabulary is
closed on purpose, since what a caption must not add cannot be listed.
"""

import re
from functools import cache
from importlib.resources import files

FAST, MODERATE, SLOW = (100.0, 1e9), (70.0, 136.0), (0.0, 92.0)

# Speed adjectives by the tempi (BPM, inclusive) that they may describe; wide, since the words are.
SPEED_WORDS: dict[str, tuple[float, float]] = {
    "slow": SLOW,
    "slowly": SLOW,
    "slow-paced": SLOW,
    "moderate": MODERATE,
    "moderately": (70.0, 150.0),
    "medium": MODERATE,
    "mid": MODERATE,
    "midtempo": MODERATE,
    "fast": FAST,
    "quick": FAST,
    "quickly": FAST,
    "rapid": (132.0, 1e9),
    "rapidly": (132.0, 1e9),
    "uptempo": FAST,
    "up-tempo": FAST,
    "downtempo": SLOW,
}
# Words that may stand only right before a tempo, pulse or beat: they say what one tempo for the clip says.
STEADY_WORDS = frozenset({"steady", "constant", "regular", "consistent"})

# Words with a neutral and a judging sense: neutral only where this follows ("moving through", but "a moving piece").
SENSES: dict[str, re.Pattern[str]] = {
    "moving": re.compile(
        r",? (?:through|from|to|at|between|in|on|via|along|into|onto|over|with|by|across"
        r"|around|back|then|steadily) ?"
    ),
    "flowing": re.compile(r" (?:through|from|to|between|into|via) "),
    "touching": re.compile(r" (?:on|upon) "),
}


def _inflect(verb: str) -> set[str]:
    if verb.endswith("e"):
        return {verb, verb + "s", verb + "d", verb[:-1] + "ing"}
    if verb.endswith("y") and verb[-2] not in "aeou":
        return {verb, verb[:-1] + "ies", verb[:-1] + "ied", verb + "ing"}
    s = "es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else "s"
    return {verb, verb + s, verb + "ed", verb + "ing"}


def _lines(name: str) -> list[str]:
    text = files("fgmcaps.captioning.lexicon").joinpath(f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


@cache
def _load(name: str) -> frozenset[str]:
    words: set[str] = set()
    for line in _lines(name):
        for entry in line.split():
            word, _, kind = entry.partition("+")
            words |= _inflect(word) if kind == "v" else {word, word + "s"} if kind == "n" else {word}
    return frozenset(words)


@cache
def neutral_words(style: str) -> frozenset[str]:
    """Lower-case words that a caption of this style may use freely; a word that also judges is not neutral."""
    words = _load("neutral") | _load("casual") if style == "casual" else _load("neutral")
    return words - (_load("subjective") - frozenset(SENSES))


@cache
def connecting_words(style: str, attributes: frozenset[str]) -> tuple[str, ...]:
    """Lower-case words, sorted, that a model held by a grammar may put between the facts ``attributes``.

    The nouns of attributes that the clip lacks are left out: no ``tempo`` where no tempo is stated.
    """
    words = set(_load("connecting")) | (_load("casual_connecting") if style == "casual" else set())
    for line in _lines("attribute_nouns"):
        attribute, *nouns = line.split()
        words = words | set(nouns) if attribute in attributes else words - set(nouns)
    return tuple(sorted(words))


def judging_words() -> frozenset[str]:
    """Lower-case words that judge or evoke."""
    return _load("subjective")


def judges(word: str, following: str) -> bool:
    """True if the lower-case word judges, in a text that goes on with ``following``."""
    sense = SENSES.get(word)
    return word in _load("subjective") and not (sense and sense.match(following))


def source_words() -> frozenset[str]:
    """Lower-case names of instruments, voices, production and provenance."""
    return _load("instruments")
