"""Form of a caption: what can be judged without knowing the facts' values.

One or two sentences of plain text, inside length bounds; no lists, markup, quotes, labels, prefixes, placeholders,
refusals, control characters or letters of another alphabet.
"""

import re
import unicodedata

from fgmcaps.captioning.checker.chord_names import find_pitch_name
from fgmcaps.captioning.checker.terms import MASK, clean_term, find_terms
from fgmcaps.schemas import Facts, Verdict

STYLES = ("objective", "short", "keywords", "casual")
# Characters, before what long progressions and long genre or mood terms add.
LENGTHS: dict[str, tuple[int, int]] = {
    "objective": (10, 500),
    "short": (4, 300),
    "keywords": (2, 300),
    "casual": (4, 400),
}
_FREE_CHORDS, _CHORD_LENGTH = 6, 36
_MARKS = frozenset(".,;:-–—()→>/&='’+#♯♭°øØΔ△♩‑!?")
_I = re.IGNORECASE
_PREFIX = re.compile(
    r"^\s*(?:here(?:'s|’s| is| are)\b|sure\b|certainly\b|of course\b|okay\b|absolutely\b|(?:the |music "
    r"|objective |short |final )*caption\b"
    r"|(?:description|answer|output|response|result|summary|note|keywords|query|text)\s*:|based on (?:the|these) )",
    _I,
)
_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) sorry|i apologi[sz]e|sorry,|i can(?:not|'t|’t)|i(?:'m| am) (?:unable|not able)|as an "
    r"ai|language model|cannot (?:hear|listen|provide|describe)"
    r"|unable to)\b",
    _I,
)
_PLACEHOLDER = re.compile(
    r"\[[^\]]{0,30}\]|\{\w{0,30}\}|<[^>]{0,30}>|\bn/a\b|\btbd\b|\btodo\b|\bxxx+\b|\bunknown\b|\bunspecified\b|\bundetermined\b|\bundefined\b|\bnull\b|\bnone\b|\bnan\b"
    r"|\bnot (?:specified|given|stated|provided|known|available|applicable|mentioned|determined|detected)\b"
    r"|\bplaceholder\b|\binsert\b|\blorem\b",
    _I,
)
_PLAIN = re.compile(rf"[A-Za-z0-9 .,;:()>/&='’+#♯♭–—→!?{MASK}-]*")
_LIST_ITEM = re.compile(r"^\s*(?:[-•–—>#]|\d{1,2}[.)])\s")
_TERM_PAIR = re.compile(rf"({MASK}+) and ({MASK}+)")
_NEWLINE = re.compile(r"[\n\r\u2028\u2029\u0085]")
_TRAILER = re.compile(
    r"\b(?:let me know|feel free|hope (?:this|that)|would you like|another version|as requested|i hope)\b", _I
)
_LABEL = re.compile(
    r"(?:^|[.;,]\s|\s[-–]\s)(?:genre|mood|tempo|key|meter|time signature|chords|chord progression|style|bpm"
    r"|progression|marking|time)s?\s*:",
    _I,
)
_DANGLING = re.compile(
    r"(?:\b(?:and|or|with|in|at|of|the|an?|to|by|from|for|then|as|is|its|into|through|via|over)|[,;:–—/&(-])\s*[.]?$"
)
_SENTENCE_END = re.compile(r"[.!?]+(?=[\s)]|$)")
_ABBREVIATION = re.compile(r"\b(?:b\.p\.m|approx|maj|min|e\.g|i\.e|vs)\.$", _I)
_MUSIC_WORDS = re.compile(r"[^\W\d_]{2,}")


def check_form(text: str, facts: Facts, style: str) -> Verdict | None:
    """The first rule of form that ``text`` breaks, or None. ValueError for an unknown style."""
    if style not in STYLES:
        raise ValueError(f"unknown caption style {style!r}; known: {', '.join(STYLES)}")
    limit = LENGTHS[style][1] + _allowance(facts)
    if len(text) > limit:
        return _bad("length", (f"{len(text)} characters",), f"longer than {limit} characters")
    if len(text.strip()) < LENGTHS[style][0]:
        return _bad("length", (f"{len(text)} characters",), f"shorter than {LENGTHS[style][0]} characters")
    spans, _ = find_terms(text, (*facts.genre, *facts.mood))
    shown = list(text)
    for start, end in spans:
        shown[start:end] = MASK * (end - start)
    plain = "".join(shown)
    for pair in _TERM_PAIR.finditer(plain):
        first, second = text[pair.start(1) : pair.end(1)], text[pair.start(2) : pair.end(2)]
        if first.casefold() == second.casefold():
            return _bad("repetition", (f"{first} and {second}",), "a genre or mood joined to itself")
    placeholder = _PLACEHOLDER.search(plain)
    if placeholder and not _NEWLINE.search(plain):
        return _bad("placeholder", (placeholder[0],), "a placeholder instead of a value")
    return _check_characters(plain) or _check_text(plain, style)


def count_sentences(text: str) -> int:
    """Sentences of a text whose last one may lack its full stop."""
    ends = [m.end() for m in _SENTENCE_END.finditer(text) if not _ABBREVIATION.search(text[: m.end()])]
    return len(ends) + (1 if not ends or text[ends[-1] :].strip(" )") else 0)


def _allowance(facts: Facts) -> int:
    terms = sum(len(clean_term(t)) + 6 for t in (*facts.genre, *facts.mood))
    return terms + _CHORD_LENGTH * max(0, len(facts.chords) - _FREE_CHORDS)


def _bad(rule: str, words: tuple[str, ...], message: str) -> Verdict:
    return Verdict(False, f"form.{rule}", words, message)


def _check_characters(text: str) -> Verdict | None:
    newline = _NEWLINE.search(text)
    if newline:
        return _bad("newline", (repr(newline[0]),), "a caption is one line")
    for c in "" if _PLAIN.fullmatch(text) else text:
        category = unicodedata.category(c)
        if category in ("Cc", "Cf", "Cs", "Cn") or (category.startswith("Z") and c != " "):
            return _bad("characters", (f"U+{ord(c):04X}",), "control or invisible character")
        if c in '"“”„«»‟':
            return _bad("quotes", (c,), "quotation marks")
        if c in "[]{}<|*_`~\\^@$%":
            return _bad("markup", (c,), "markup or brackets")
        if ord(c) > 127 and c not in _MARKS and c != MASK:
            return _bad("characters", (c,), "letter or sign outside plain English text")
    quoted = re.search(r"(?<![^\W_])['‘’](?=\w)[^'’]*['’](?!\w)", text)
    if quoted:
        return _bad("quotes", (quoted[0],), "quotation marks")
    return None


def _check_text(text: str, style: str) -> Verdict | None:
    for rule, pattern, message in (
        ("refusal", _REFUSAL, "a refusal instead of a caption"),
        ("prefix", _PREFIX, "the caption starts with a preamble"),
        ("trailer", _TRAILER, "talks to the reader"),
        ("list", _LIST_ITEM, "a list item"),
    ):
        found = pattern.search(text)
        if found:
            return _bad(rule, (found[0].strip(),), message)
    if text.count("(") != text.count(")") or re.search(r"[,;:]{2}|\.\.|[(]\s*[)]|\s[,.;](?:\s|$)", text):
        return _bad("punctuation", (), "stray or unbalanced punctuation")
    repeated = re.search(r"\b([^\W\d_]{2,})\s+\1\b", text, _I)
    if repeated and find_pitch_name(text, repeated.start()) is None:
        return _bad("repetition", (repeated[0],), "a word twice in a row")
    if style == "keywords":
        return None
    if _DANGLING.search(text.rstrip()):
        return _bad("truncated", (text.split()[-1],), "the text breaks off")
    if "!" in text or ("?" in text and style != "casual"):
        return _bad("punctuation", ("!" if "!" in text else "?",), "exclamation or question")
    if count_sentences(text) > 2:
        return _bad("sentences", (), "more than two sentences")
    return _check_prose(text) if style == "objective" else None


def _check_prose(text: str) -> Verdict | None:
    labels = _LABEL.findall(text)
    if len(labels) > 1:
        return _bad("list", (), "a list of labelled values instead of sentences")
    stripped = text.rstrip(" ")
    if not stripped.endswith((".", ".)")):
        return _bad("sentence", (stripped.split()[-1],), "no full stop at the end")
    first = stripped.lstrip("(")[0]
    if first.isalpha() and not first.isupper() and first != MASK:
        return _bad("sentence", (stripped.split()[0],), "no capital at the start")
    letters = [c for c in text if c.isalpha()]
    if len(letters) > 20 and sum(c.isupper() for c in letters) > 0.6 * len(letters):
        return _bad("case", (), "all capitals")
    small = [w for w in _MUSIC_WORDS.findall(text) if w.lower() in _GLUE]
    if not small and stripped.count(",") > 1:
        return _bad("sentence", (), "a list of words instead of a sentence")
    return None


_GLUE_WORDS = (
    "an the this that its it is are has in at of with and to from by for on through over while whose which moves runs "
    "uses using featuring follows set played between into then as"
)
_GLUE = frozenset(_GLUE_WORDS.split())
