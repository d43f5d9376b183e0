"""The checker: a caption says all the given facts, nothing else, without judging, in good form.

Every word of a caption must be accounted for: part of a fact, or a listed neutral word. Anything else is an addition,
so that an instrument, an artist or a lyric is refused without a list of all instruments, artists and lyrics.
"""

import re
from collections.abc import Iterator, Sequence

from fgmcaps.captioning.checker.alterations import find_alterations
from fgmcaps.captioning.checker.chord_names import Sound, sound_of_label
from fgmcaps.captioning.checker.form import check_form
from fgmcaps.captioning.checker.mentions import Mention, MeterMention, ParsedCaption
from fgmcaps.captioning.checker.parse import parse_caption
from fgmcaps.captioning.checker.progression import collapse, held_places, is_key, shortest_period, states_exactly
from fgmcaps.captioning.checker.statable_terms import usable_facts
from fgmcaps.captioning.checker.terms import find_terms
from fgmcaps.captioning.lexicon.word_lists import STEADY_WORDS, judges, neutral_words, source_words
from fgmcaps.schemas import Facts, Verdict
from fgmcaps.schemas.music import key_index, tempo_marking

# Raised when the checker accepts or refuses other captions than the version before: captions of two never mix.
CHECKER_VERSION = "checker.v3"

_CHANGE = re.compile(
    r"\b(?:key|tempo|meter|metre|time signature)s? (?:changes?|shifts?)\b|\b(?:changes?|changing|shifts?"
    r"|shifting) (?:of )?(?:key|tempo|meter)\b",
    re.IGNORECASE,
)
_REPEATING = re.compile(r"\b(?:alternat|repeat|cycl|loop|vamp|back and forth|recur)", re.IGNORECASE)
_STEADY_SPAN = 40


def check_caption(text: str, facts: Facts, style: str = "objective") -> Verdict:
    """Judge ``text`` against ``facts``.

    Rules, in the order in which one is named: ``form.*`` (length, newline, characters, quotes, markup, refusal, prefix,
    placeholder, list, sentences ...), ``subjective``, ``language``, ``contradiction.*`` and ``addition.*`` (tempo,
    marking, speed, meter, key, chords, number, source, word, change, mark), ``alteration.*`` (hedge, comparison,
    alternative, negation, part, place, order: see :mod:`fgmcaps.captioning.checker.alterations`), and ``missing.*``
    (genre, mood, tempo, marking, meter, key, chords). ``Verdict.words`` are the words of the caption, or the missing
    values.

    With empty facts any sentence that states nothing is right, e.g. "A clip of music.".
    ``short``, ``keywords`` and ``casual`` may leave the tempo word out where the BPM is said, since it follows from it.
    Raises ValueError for an unknown style and ``fgmcaps.schemas.harte.ChordSyntaxError`` for facts whose chords do not
    parse.
    """
    facts = usable_facts(facts)
    form = check_form(text, facts, style)
    if form is not None:
        return form
    parsed = parse_caption(text, (*facts.genre, *facts.mood))
    verdicts = (
        *_tempo(parsed, facts, style),
        *_meter(parsed, facts),
        *_pitches(parsed, facts),
        *_alterations(parsed, style),
        *_rest(parsed, style),
        *_terms(text, facts),
    )
    order = ("subjective", "language", "contradiction", "addition", "alteration", "missing")
    return min(verdicts, key=lambda v: order.index(v.rule.partition(".")[0]), default=Verdict(True))


def find_judgements(text: str) -> tuple[str, ...]:
    """Words of any text that judge, in order. A ``minor`` key and ``moving through C`` are not judgements."""
    parsed = parse_caption(text)
    return tuple(w.text for w in parsed.words if judges(w.text.lower(), text[w.end :]))


def _bad(rule: str, words: Sequence[str], message: str) -> Verdict:
    return Verdict(False, rule, tuple(words), message)


def _wrong(what: str, given: object, mentions: Sequence[Mention]) -> Verdict:
    words = [m.text for m in mentions]
    if given is None:
        return _bad(f"addition.{what}", words, f"states a {what} that the facts lack")
    return _bad(f"contradiction.{what}", words, f"the facts say {given}")


def _tempo(parsed: ParsedCaption, facts: Facts, style: str) -> Iterator[Verdict]:
    bpm = facts.tempo_bpm
    wrong = [t for t in parsed.tempi if bpm is None or t.bpm != bpm]
    if wrong:
        yield _wrong("tempo", bpm, wrong)
    if bpm is not None and not parsed.tempi:
        yield _bad("missing.tempo", (f"{bpm} BPM",), "the tempo is not stated")
    marking = facts.tempo_marking or (tempo_marking(bpm) if bpm else None)
    off = [m for m in parsed.markings if marking is None or m.marking.lower() != marking.lower()]
    if off:
        yield _wrong("marking", marking, off)
    optional = bpm is not None and style != "objective"
    if facts.tempo_marking and not parsed.markings and not optional:
        yield _bad("missing.marking", (facts.tempo_marking,), "the tempo word is not stated")
    slow = [s for s in parsed.speeds if bpm is None or not s.low <= bpm <= s.high]
    if slow:
        yield _wrong("speed", bpm, slow)


def _meter(parsed: ParsedCaption, facts: Facts) -> Iterator[Verdict]:
    given = facts.time_signature
    wrong = [m for m in parsed.meters if given is None or not _meter_agrees(m, given)]
    if wrong:
        yield _wrong("meter", given, wrong)
    if given is not None and not any(m.signature or m.beats == int(given.split("/")[0]) for m in parsed.meters):
        yield _bad("missing.meter", (given,), "the time signature is not stated")


def _meter_agrees(mention: MeterMention, given: str) -> bool:
    n, d = (int(x) for x in given.split("/"))
    compound = n > 3 and n % 3 == 0
    if mention.signature is not None:
        return mention.signature == given
    if mention.beats is not None:
        return mention.beats == n or (compound and mention.beats == n // 3)
    size = {2: "duple", 3: "triple", 4: "quadruple"}.get(n // 3 if compound else n)
    kind = "compound" if compound else "simple"
    return mention.family in {size, kind, f"{kind} {size}"} and d > 0


def _pitches(parsed: ParsedCaption, facts: Facts) -> Iterator[Verdict]:
    given = [s for s in map(sound_of_label, facts.chords) if s is not None]
    sounds = collapse(given)
    key = facts.key
    mode = None if key is None else key.split()[1]
    odd = [m for m in parsed.modes if m.mode != mode]
    if odd:
        yield _wrong("key", key, odd)
    counts = {len(sounds), len(set(sounds)), len(shortest_period(sounds))}
    miscounted = [c for c in parsed.chord_counts if c.count not in counts]
    if miscounted:
        yield _wrong("chords", f"{len(sounds)} chords" if sounds else None, miscounted)
    told = states_exactly(parsed.pitches, key, sounds, held_places(given))
    if not told and _REPEATING.search(parsed.text):
        told = states_exactly(parsed.pitches, key, shortest_period(sounds))
    if not told:
        yield from _explain_pitches(parsed, key, sounds, facts)


def _explain_pitches(
    parsed: ParsedCaption, key: str | None, sounds: Sequence[Sound], facts: Facts
) -> Iterator[Verdict]:
    """Names that cannot be right first; then what is missing; then the order."""
    index = None if key is None else key_index(key)
    keys = [m for m in parsed.keys if index is None or not is_key(m, index)]
    if keys:
        yield _wrong("key", key, keys)
    named = set(sounds)
    says_key = [m for m in parsed.pitches if index is not None and "key" in m.roles and is_key(m, index)]
    # One mention is enough for the key: another one that may be a chord is a chord.
    the_key = next((m for m in says_key if "chord" not in m.roles), next(iter(says_key), None))
    foreign = [
        m
        for m in parsed.pitches
        if m not in parsed.keys
        and "skip" not in m.roles
        and m.pitch.sound not in named
        and not (m in says_key and (m is the_key or "chord" not in m.roles))
    ]
    if foreign:
        yield _wrong("chords", " ".join(facts.chords) if sounds else None, foreign)
    if keys or foreign:
        return
    if index is not None and not says_key:
        yield _bad("missing.key", (str(key),), "the key is not stated")
        return
    present = {m.pitch.sound for m in parsed.pitches}
    lost = [label for label in facts.chords if (s := sound_of_label(label)) is not None and s not in present]
    if lost or not sounds:
        yield _bad("missing.chords", lost, "chords of the progression are not stated")
    else:
        stated = [m.text for m in parsed.pitches if "chord" in m.roles and "skip" not in m.roles]
        yield _bad("contradiction.chords", stated, f"not the progression {' '.join(facts.chords)}")


def _alterations(parsed: ParsedCaption, style: str) -> Iterator[Verdict]:
    for found in find_alterations(parsed, style):
        yield _bad(f"alteration.{found.kind}", (found.text,), "changes the fact beside it")


def _rest(parsed: ParsedCaption, style: str) -> Iterator[Verdict]:
    neutral, sources = neutral_words(style), source_words()
    if parsed.numbers:
        yield _bad("addition.number", [n.text for n in parsed.numbers], "a number that is not among the facts")
    unknown = [w for w in parsed.words if not _is_neutral(w, neutral, parsed.text)]
    judged = [w.text for w in parsed.words if judges(w.text.lower(), parsed.text[w.end :])]
    made = [w.text for w in unknown if w.text.lower() in sources]
    other = [w.text for w in unknown if w.text not in judged + made]
    if judged:
        yield _bad("subjective", judged, "judging or evocative words")
    if made:
        yield _bad("addition.source", made, "instruments, voices or provenance that the facts lack")
    if len(other) > 3 and len(other) > 0.4 * len(parsed.words):
        yield _bad("language", other, "not English, or not about the facts")
    elif other:
        yield _bad("addition.word", other, "words that no fact accounts for")
    changes = _CHANGE.search(parsed.text)
    if changes:
        yield _bad("addition.change", (changes[0],), "a change that the facts do not state")
    marks = [m.text for m in parsed.marks if m.text not in ".,;:-–—‑()→>/&='’♩?"]
    if marks:
        yield _bad("addition.mark", marks, "signs that no fact accounts for")


def _is_neutral(word: Mention, neutral: frozenset[str], text: str) -> bool:
    lower = word.text.lower().replace("’", "'")
    if lower in STEADY_WORDS:
        return bool(
            re.match(
                r"[ ,]+(?:\S+[ -]){0,4}?(?:tempo|pulse|beat|pace|rate|speed|\d+ ?bpm|meter|[a-z-]+ (?:beats|bpm))\b",
                text[word.end : word.end + _STEADY_SPAN],
                re.IGNORECASE,
            )
        )
    return lower in neutral or (lower.endswith("'s") and lower[:-2] in neutral)


def _terms(text: str, facts: Facts) -> Iterator[Verdict]:
    for what, terms in (("genre", facts.genre), ("mood", facts.mood)):
        _, missing = find_terms(text, terms)
        if missing:
            yield _bad(f"missing.{what}", missing, f"{what} not stated")
