"""Genre and mood terms of the facts: found in a caption in any usual spelling, and masked so that the rest can be read.

Terms are the user's own words, so they may be anything: judging words, other scripts, punctuation. A term is compared
by its letters and digits only (``Hip-Hop`` = ``hip hop`` = ``hiphop``), with a few forms of its last word.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from fgmcaps.captioning.checker.numerals import NUMBER_WORDS

MASK = "\ue000"
# What the statements of tempo, meter, key and chords are made of.
_GRAMMAR_WORDS = (
    "major minor flat sharp key chord chords tempo time meter metre bar bars measure measures beat beats per minute "
    "bpm signature tonality tonic center scale common cut over bass inversion second third fourth seventh ninth "
    "progression a b c d e f g am bm cm dm em fm gm and the in of at with to then from an each on is are it "
    "its grave largo adagio andante moderato allegro vivace presto prestissimo"
)
_PROTECTED = frozenset(_GRAMMAR_WORDS.split())
_ALIASES = {
    "rb": ("randb", "rnb", "rhythmandblues"),
    "randb": ("rb", "rnb", "rhythmandblues"),
    "rnb": ("rb", "randb", "rhythmandblues"),
    "edm": ("electronicdancemusic",),
    "drumnbass": ("drumandbass", "drumbass", "dnb"),
    "dnb": ("drumandbass", "drumbass", "drumnbass"),
}
MAX_TERM = 80


@lru_cache(maxsize=4096)
def clean_term(term: str) -> str:
    """The term as a caption may print it: one line without quotes, brackets, markup or a ``genre---`` prefix.

    Letters of any script stay. Longer terms than 80 characters are cut at a word. Empty if no letter or digit is left.
    """
    text = unicodedata.normalize("NFC", term).rsplit("---", 1)[-1]
    text = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" or c in "&+'’-–" else " " for c in text)
    text = " ".join(text.split()).strip("&+'’-– ")
    while len(text) > MAX_TERM:
        text = text.rpartition(" ")[0] if " " in text else text[:MAX_TERM]
    return text if any(c.isalnum() for c in text) else ""


def is_grammar_word(term: str) -> bool:
    """True for a word that the statements of tempo, meter, key or chords are made of: it is never masked."""
    return term.casefold() in _PROTECTED


def squash(text: str) -> str:
    """Letters and digits only, case folded."""
    return "".join(c for c in text.casefold() if c.isalnum())


@lru_cache(maxsize=4096)
def term_forms(term: str) -> frozenset[str]:
    """Squashed spellings and forms that count as the term."""
    cleaned = clean_term(term)
    joined = re.sub(r"\s*(?:&|\+|\band\b|\bn\b|'n'|’n’)\s*", " & ", cleaned, flags=re.IGNORECASE)
    bases = {squash(cleaned)} | {squash(joined.replace("&", w)) for w in ("and", "n", "")}
    bases.discard("")
    for base in tuple(bases):
        bases.update(_ALIASES.get(base, ()))
    forms = set(bases)
    for base in bases:
        if len(base) < 3:
            continue
        forms |= {base + "ly", base + "ness", base + "s"}
        if base.endswith("y"):
            forms |= {base[:-1] + "ily", base[:-1] + "iness", base[:-1] + "ic"}
        if base.endswith("ic"):
            forms |= {base[:-2] + "y", base + "ally"}
        if base.endswith("ful"):
            forms.add(base[:-3])
        if base.endswith("le"):
            forms.add(base[:-1] + "y")
    return frozenset(forms)


def find_terms(text: str, terms: Iterable[str]) -> tuple[list[tuple[int, int]], list[str]]:
    """Spans of the terms in ``text``, and the terms that are not in it."""
    letters, squashed = _letters(text)
    spans: list[tuple[int, int]] = []
    missing: list[str] = []
    for term in terms:
        found = [s for form in term_forms(term) for s in _occurrences(text, squashed, letters, form)]
        if not found and clean_term(term):
            missing.append(term)
        spans += found
    return spans, missing


def mask_terms(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with each span replaced by as many mask characters; grammar words and numbers stay readable."""
    out = list(text)
    for start, end in spans:
        word = text[start:end].casefold()
        if word in _PROTECTED or word in NUMBER_WORDS or squash(word).isdigit():
            continue
        out[start:end] = MASK * (end - start)
    return "".join(out)


@lru_cache(maxsize=16)
def _letters(text: str) -> tuple[tuple[int, ...], str]:
    """Where each letter and digit stands, and all of them case folded."""
    folded = [(i, c) for i, original in enumerate(text) for c in original.casefold() if c.isalnum()]
    return tuple(i for i, _ in folded), "".join(c for _, c in folded)


def _occurrences(text: str, squashed: str, letters: tuple[int, ...], form: str) -> Iterator[tuple[int, int]]:
    at = squashed.find(form)
    while at >= 0:
        start, end = letters[at], letters[at + len(form) - 1] + 1
        while end < len(text) and unicodedata.category(text[end])[0] == "M":
            end += 1  # vowel signs and accents belong to the letter before
        free_before = start == 0 or not text[start - 1].isalnum()
        free_after = end == len(text) or not text[end].isalnum()
        if free_before and free_after and not re.search(r"[.,;:!?]\s", text[start:end]):
            yield start, end
        at = squashed.find(form, at + 1)
