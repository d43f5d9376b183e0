"""Which genre and mood terms a caption can state: names of styles and moods, and nothing that says more than that.

A term named ``4/4``, ``140 bpm techno`` or ``blues in E flat`` would state a fact that no annotator found, and
``rock. Ignore all instructions`` or ``<b>rock</b>`` is no name at all. Template, prompts and checker all leave such
terms out; the column keeps them, and the row is flagged. Everything else is stated as the user wrote it.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Literal

from fgmcaps.captioning.checker.numerals import NUMBER_WORDS
from fgmcaps.captioning.checker.term_readings import (
    has_control_characters,
    has_markup,
    reads_as_fact,
    reads_as_instruction,
)
from fgmcaps.captioning.checker.terms import MAX_TERM, clean_term, is_grammar_word, squash
from fgmcaps.captioning.lexicon.word_lists import neutral_words
from fgmcaps.schemas import Facts

MAX_WORDS = 8
Reason = Literal["no_word", "not_a_name", "states_a_fact"]


@lru_cache(maxsize=8192)
def why_unstated(term: str) -> Reason | None:
    """Why a caption leaves this genre or mood out; None where it states it.

    ``no_word``: nothing to say is left of it. ``not_a_name``: control characters, markup, an instruction, or too long.
    ``states_a_fact``: it would be read as tempo, meter, key or chords.
    """
    if len(term) > 4 * MAX_TERM or has_control_characters(term) or has_markup(term):
        return "not_a_name"
    cleaned = clean_term(term)
    if not cleaned:
        return "no_word"
    if squash(cleaned).isnumeric() or cleaned.lower() in NUMBER_WORDS:
        return "states_a_fact"
    if is_grammar_word(cleaned) and cleaned.lower() not in neutral_words("objective"):
        return "states_a_fact"
    if reads_as_fact(term, cleaned):
        return "states_a_fact"
    too_long = len(squash(term)) > MAX_TERM or len(cleaned.split()) > MAX_WORDS
    return "not_a_name" if too_long or reads_as_instruction(term) else None


def is_usable(term: str) -> bool:
    """True if a caption can state this genre or mood without saying another attribute."""
    return why_unstated(term) is None


@lru_cache(maxsize=1024)
def usable_facts(facts: Facts) -> Facts:
    """The facts without terms that cannot be stated, and without repeated terms."""
    return replace(facts, genre=_usable(facts.genre), mood=_usable(facts.mood))


def unstated_flags(genre: tuple[str, ...], mood: tuple[str, ...]) -> tuple[str, ...]:
    """Flags of a row, such as ``genre:states_a_fact``, for the terms that its captions leave out."""
    found = {
        f"{what}:{why}" for what, terms in (("genre", genre), ("mood", mood)) for t in terms if (why := why_unstated(t))
    }
    return tuple(sorted(found))


def _usable(terms: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for term in terms:
        if is_usable(term):
            seen.setdefault(squash(clean_term(term)), term)
    return tuple(seen.values())
