"""Words that change the fact beside them: hedges, comparisons, alternatives, and places in time or order.

``over 120 BPM``, ``the chords C or G`` and ``ending in 4/4`` name the right values and say something else. The words
that do so have harmless senses too (``over the chords C and G``, ``120 BPM, or Allegro``, ``ends on G``), so they are
known by what stands around them. For that the caption is read as an outline: every mention is one capital letter, every
other word is in lower case::

    A pop track in C major over the chords C and G, at over 120 BPM (Allegro).
    a G track in K over the chords C and C, at over T (W).

Conventions: T tempo, W tempo word, M meter, K key, C chord, B key or chord, G genre or mood, Q count of beats or
chords, N any other number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fgmcaps.captioning.checker.mentions import Mention, ParsedCaption

_A = r"(?:an?|the|its|their|this|these|that) "
_CHORD = "[CB]"
# What makes a name the first of a list, so that the words before it speak of the whole list.
_LISTED = r"(?:(?:, ?| ?[–—→>/‑-] ?| )(?:and |& )?[CB]\b)"
_ONE_CHORD = rf"(?:{_A})?(?:(?:tonic|home|root) )?(?:(?:chord|harmony|triad)(?: of)? )?{_CHORD}\b(?!{_LISTED})"
_START = r"(?:(?:start|begin|open|commenc|initiat)(?:s|e|es|ed|ing|ning|nings)?|began|begun)"
_END = r"(?:(?:end|clos|conclud|finish|terminat|culminat)(?:s|e|es|ed|ing|ings)?)"
_MOTION = (
    r"(?:move|moving|shift|chang|switch|progress|proceed|pass|travel|step|go|going|gone|lead|led|come|coming|came|head"
    r"|return|resolv|land|arriv|fall|fell|rise|ris|descend|ascend|advanc|extend|lapse|turn|develop)(?:e|s|es|ed|ing)?"
)
_TOWARDS = r"(?:to|into|onto|towards?|from|back to|up to|down to|out of)"
_EQUALS = (
    r"(?:set|equals?|equal|equivalent|correspond\w*|amount\w*|fix\w*|tim\w*|belong\w*|adher\w*|stick\w*|accord\w*)"
)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word that alters a fact wherever none of ``harmless`` covers it; ``casual`` are further ones of that style."""

    kind: str
    word: re.Pattern[str]
    harmless: re.Pattern[str] | None = None
    casual: re.Pattern[str] | None = None


def _word(kind: str, word: str, harmless: str = "", casual: str = "") -> _Word:
    return _Word(
        kind,
        re.compile(rf"\b(?:{word})\b"),
        re.compile(harmless) if harmless else None,
        re.compile(casual) if casual else None,
    )


_ORDINAL_GAP = (
    r"(?:(?:come|go|move|land|reach|return|resolv|arriv|end|clos|follow|lead|proceed|progress|pass)(?:e|s|es|ed|ing)?|the|"
    r"an?|its|on|onto|to|with|by|in|at|through|into|back|chord|harmony|triad|of|is|are|being|there|it)"
)
_WORDS = (
    _word(
        "alternative",
        "or",
        rf"\bT ?[,(]* ?or (?:{_A})?W\b|\bW(?: tempo)?,? or (?:{_A})?T\b",
        casual=r"\b[a-z]+ or [a-z]+(?! ?[TMKBCWG]\b)(?<!or so)(?<!or something)(?<!or less)(?<!or more)",
    ),
    _word("hedge", "about", casual=r"\babout T\b|\b(?:how|what|know) about\b"),
    _word(
        "hedge",
        "around",
        r"\b(?:buil[dt]|bas(?:e|ed|es|ing)|cent(?:er|re|ered|red|ers|res|ering|ring)|revolv\w+|circl\w+|cycl\w+|structur\w+"
        r"|organi[sz]\w+|construct\w+|pivot\w*|turn\w*|arrang\w+|rotat\w+|anchor\w*|mov\w+|writ\w+|form\w*|shap\w+|loop\w*)"
        rf" around (?!{_A}?[TMWNQ]\b|{_A}?tempo)|\baround {_A}?(?:[a-z-]+ )?(?:chords?|progression|harmon\w+)\b",
        casual=r"\baround T\b",
    ),
    _word("hedge", "close to|next to|kinda|sorta|ish|kinds? of|sorts? of|in the (?:area|range|region) of"),
    _word("hedge", "range|ranges|ranged|ranging|appears? to|appeared to|appearing to|(?:could|can|would) be|mean"),
    _word("hedge", "main|primary|principal", r"\b(?:main|primary|principal) (?:beats?|pulses?|notes?)\b"),
    _word("hedge", "like", casual=r"\b(?:i'd|i|would) like\b|\bsounds? like [a-z]+(?! [TMKBCWG]\b)"),
    _word("hedge", "some", casual=r"\bsome (?!of\b|[TNQ]\b|chords\b)"),
    _word("comparison", "over", r"\bover (?!and\b|or\b)(?=[a-zCBMG])"),
    _word(
        "comparison",
        "under|underneath|beneath",
        r"\b(?:under|underneath|beneath) (?=(?:an?|it|which|this) )(?!an? [TQ]\b)",
    ),
    _word(
        "comparison", "up|down", rf"\b(?:up|down)(?: (?:to|from|through|by|into))? (?:{_A})?{_CHORD}\b|\bmade up of\b"
    ),
    _word("comparison", "more", r"\bonce more\b", casual=r"\b(?:any|no|want|need) more\b"),
    _word("comparison", "plus", r"\bplus (?=[a-zTMKBCWG])(?!more|others?)"),
    _word("negation", "but", r"(?<!all )(?<!anything )(?<!nothing )(?<!any )(?<!none )(?<!no )(?<!everything )\bbut\b"),
    _word("negation", "out", r"\bout\b(?! of\b)"),
    _word("negation", "off", rf"\b(?:{_START}|kick\w*|set\w*|lead\w*) off\b"),
    _word("negation", "against", r"\bagainst (?=an? |its )"),
    _word("part", "other", r"\beach other\b|\bafter the other\b"),
    _word("part", "another", r"\bone (?:after )?another\b"),
    _word("part", r"(?:one|some|parts?|any|most) of (?:the|its|these)|in (?:places|parts?)|at times|so"),
    _word("part", "once", r"\b(?:once (?:more|again)|at once)\b"),
    _word("part", "here and there"),
    _word("part", "various", casual=r"\bvarious [a-z]+ (?:songs|tracks)\b"),
    _word("place", "towards?", rf"\btowards? (?:{_A})?{_CHORD}\b"),
    _word(
        "place",
        "first",
        rf"\bfirst,?(?: {_ORDINAL_GAP})*,? {_ONE_CHORD}"
        rf"|{_CHORD}\b,? (?:as|is|being|comes|for) (?:{_A})?first\b(?! [a-z]+s\b)",
    ),
    _word(
        "place",
        "last|lastly|final(?:ly)?",
        rf"\b(?:last|lastly|final(?:ly)?),?(?: {_ORDINAL_GAP})*,? {_ONE_CHORD}"
        rf"|{_CHORD}\b,? (?:as|is|being|comes|for) (?:{_A})?(?:last|final)\b(?! [a-z]+s\b)",
    ),
    _word(
        "place",
        rf"{_START}|{_END}|conclusions?",
        rf"\b(?:{_START}|{_END})(?: (?:and|,) (?:{_START}|{_END}))?(?: (?:off|out|up|back|home|again|then))?"
        rf"(?: (?:on|with|at|in|to|from|upon|by))? {_ONE_CHORD}"
        rf"|\b(?:{_START}|{_END}) chord (?:is|being|of) {_ONE_CHORD}|\b(?:{_START}|{_END}) and (?={_START}|{_END})"
        rf"|{_CHORD}\b,? (?:as|is|being|for) (?:{_A})?(?:opening|closing|beginning|ending|start|end)\b(?! [a-z]+s\b)"
        r"|\bfrom (?:the )?(?:start|beginning) to (?:the )?(?:end|finish|close)\b",
    ),
    _word("place", "initially|now|during"),
    _word("order", "after", rf"(?<![CBMTK] )(?<![CBMTK], )\bafter {_ONE_CHORD}|\bone after (?:another|the other)\b"),
    _word("order", "before", rf"{_CHORD}\b[^.;]*\bbefore (?:[a-z]+ ){{0,5}}{_CHORD}\b"),
    _word("order", "next", rf"\bnext,?(?: {_ORDINAL_GAP})*,? {_CHORD}\b"),
    _word("order", "any order|reverse\\w*|backwards?"),
)
# Whole wordings that alter, made of words that are harmless alone.
_WORDINGS = tuple(
    (kind, re.compile(wording))
    for kind, wording in (
        ("place", rf"\b{_MOTION}(?: back)? {_TOWARDS} (?:{_A})?(?:[a-z]+ of )?[TMKW]\b"),
        ("place", rf"\b(?:land|arriv|return|resolv)(?:e|s|es|ed|ing)? (?:[a-z]+ )?(?:at|in|on) (?:{_A})?[TMKW]\b"),
        ("place", r"\bfrom (?:a |the )?(?:[a-z]+ (?:of )?)?[TMW]\b"),
        ("place", rf"(?<!\w)(?<!set )(?<!equal )(?<!equals )\b(?:into|onto) (?:{_A})?(?:[a-z]+ of )?[TMKW]\b"),
        ("place", r"\b(?:then|next|followed by|finally),? (?:(?:in|at|with|to|by) )?(?:an? |the )?[TMKW]\b"),
        (
            "place",
            rf"\b(?:land|arriv|return|resolv|lead|com|switch|chang)(?:e|s|es|ed|ing)?(?: back)? (?:to|at|on|in|into)"
            rf" (?:{_A})?(?:[a-z]+ )?(?:chords|progression|sequence)(?: of)? {_CHORD}\b",
        ),
        ("place", r"\bfor (?:an?|one|the [a-z]+|N) (?:bars?|measures?|beats?|moments?|parts?|sections?)\b"),
        (
            "place",
            rf"\b(?:land|arriv|return|resolv)(?:e|s|es|ed|ing)?(?: back)? (?:to|at|on|in|into) (?:{_A})?{_CHORD}"
            rf"(?:, ?|[–—→/‑-]){_CHORD}\b",
        ),
        ("comparison", r"(?<!\S)[-−‑–—]T\b|\b(?:within|by|past|across|via|upon|lines of) (?:an? |the )?T\b"),
        ("comparison", r"(?<!\w)>\s?[TNMKQ]\b|\b[TMKGQ]\b ?>"),
        ("comparison", rf"\b(?:up )?to (?:{_A})?[TQ]\b"),
        ("alternative", r"\bbetween [TMNQ]\b"),
        (
            "order",
            rf"{_CHORD}\b,? (?:(?:that|which) )?(?:follows|following|succeeding|succeeds|comes after)"
            rf" (?:{_A})?{_CHORD}\b",
        ),
    )
)
_HARMLESS_TO = re.compile(rf"\b{_EQUALS} (?:up )?to (?:{_A})?[TQ]\b")


@dataclass(frozen=True, slots=True)
class Alteration:
    """``text`` changes a fact; ``kind`` says how: hedge, comparison, alternative, negation, part, place, order."""

    kind: str
    text: str


def find_alterations(parsed: ParsedCaption, style: str) -> Iterator[Alteration]:
    """Words and wordings of the caption that change a fact, in no particular order."""
    outline, places = _outline(parsed)

    def text_of(match: re.Match[str]) -> str:
        return parsed.text[places[match.start()][0] : places[match.end() - 1][1]]

    for rule in _WORDS:
        found = list(rule.word.finditer(outline))
        if not found:
            continue
        patterns = [p for p in (rule.harmless, rule.casual if style == "casual" else None) if p is not None]
        harmless = [m.span() for p in patterns for m in p.finditer(outline)]
        for match in found:
            if not any(start <= match.start() and match.end() <= end for start, end in harmless):
                yield Alteration(rule.kind, text_of(match))
    for kind, wording in _WORDINGS:
        for match in wording.finditer(outline):
            if not any(m.end() == match.end() for m in _HARMLESS_TO.finditer(outline)):
                yield Alteration(kind, text_of(match))


def _figure(count: Mention) -> Mention:
    """The number alone: the word ``chord`` after it belongs to the outline."""
    number = re.split(r"[ -](?=[^ -]+$)", count.text)[0]
    return Mention(count.start, count.start + len(number), number)


def _outline(parsed: ParsedCaption) -> tuple[str, list[tuple[int, int]]]:
    """The outline, and for each of its characters the stretch of the caption that it stands for."""
    tagged: list[tuple[Mention, str]] = [
        *((m, "T") for m in parsed.tempi),
        *((m, "W") for m in parsed.markings),
        *((m, "M" if m.beats is None else "Q") for m in parsed.meters),
        *((_figure(m), "Q") for m in parsed.chord_counts),
        *((m, "G") for m in parsed.terms),
        *((m, "N") for m in parsed.numbers),
    ]
    for pitch in parsed.pitches:
        if "skip" not in pitch.roles and "mode" not in pitch.roles:
            both = {"key", "chord"} <= pitch.roles
            tagged.append((pitch, "B" if both else "K" if "key" in pitch.roles else "C"))
    tagged.sort(key=lambda item: (item[0].start, -item[0].end))
    out: list[str] = []
    places: list[tuple[int, int]] = []
    at = 0
    for mention, tag in [*tagged, (Mention(len(parsed.text), len(parsed.text), ""), "")]:
        if mention.start < at:
            continue  # a term inside a term
        out += parsed.text[at : mention.start].lower()
        places += [(i, i + 1) for i in range(at, mention.start)]
        if tag:
            out.append(tag)
            places.append((mention.start, mention.end))
        at = mention.end
    return "".join(out), places
