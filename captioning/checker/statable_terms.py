"""Which genre and mood terms a caption can state: all but those that would read as another fact.

A genre named ``4/4``, ``A minor`` or ``Presto`` would be read as meter, key or tempo word, and a term without a letter
or digit says nothing. Template and checker both leave such terms out; everything else the user wrote is stated.
"""

from dataclasses import replace
from functools import lru_cache

from fgmcaps.captioning.checker.numerals import NUMBER_WORDS
from fgmcaps.captioning.checker.parse import parse_caption
from fgmcaps.captioning.checker.terms import clean_term, is_grammar_word, squash
from fgmcaps.captioning.lexicon.word_lists import neutral_words
from fgmcaps.schemas import Facts


@lru_cache(maxsize=8192)
def is_usable(term: str) -> bool:
    """True if a caption can state this genre or mood without saying another attribute."""
    cleaned = clean_term(term)
    if not cleaned or squash(cleaned).isdigit() or cleaned.lower() in NUMBER_WORDS:
        return False
    if is_grammar_word(cleaned) and cleaned.lower() not in neutral_words("objective"):
        return False
    read = parse_caption(cleaned)
    names = [p for p in read.pitches if not p.pitch.lower or (p.pitch.mode and not p.pitch.symbol)]
    if not (read.tempi or read.markings or read.meters or read.modes or names):
        return True
    # "R&B" and "Vitamin C" hold a note name, but are more than one; "4/4 beat" and "key of A minor" are facts.
    return bool(read.numbers) or any(w.text.lower() not in neutral_words("objective") for w in read.words)


@lru_cache(maxsize=1024)
def usable_facts(facts: Facts) -> Facts:
    """The facts without terms that cannot be stated, and without repeated terms."""
    return replace(facts, genre=_usable(facts.genre), mood=_usable(facts.mood))


def _usable(terms: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for term in terms:
        if is_usable(term):
            seen.setdefault(squash(clean_term(term)), term)
    return tuple(seen.values())
