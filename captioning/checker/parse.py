"""Reads a caption back: tempi, tempo words, meters, keys, chords, counts, numbers, words and marks, with their spans.

The readers run in a fixed order; each claims the stretches it understands, and later ones see blanks there. What a
lone name such as ``A minor`` is (key or chord) is left open where the surroundings do not say: ``roles`` holds both.
"""

import re
from collections.abc import Iterable

from fgmcaps.captioning.checker import numerals
from fgmcaps.captioning.checker.chord_names import PitchName, find_pitch_name
from fgmcaps.captioning.checker.key_or_chord import assign_roles
from fgmcaps.captioning.checker.mentions import (
    ChordCountMention,
    MarkingMention,
    Mention,
    MeterMention,
    ModeMention,
    ParsedCaption,
    PitchMention,
    SpeedMention,
    TempoMention,
)
from fgmcaps.captioning.checker.terms import MASK, find_terms, mask_terms
from fgmcaps.captioning.lexicon.word_lists import SPEED_WORDS

_WORD_NUMBER = "|".join(sorted(numerals.NUMBER_WORDS, key=len, reverse=True))
NUM = (
    r"(?<![\w.,/#♯♭°ø+Δ△])(?:\d+(?:[.,]\d+)?"
    rf"|(?:a[ -])?\b(?:{_WORD_NUMBER})\b(?:(?:[ -]|[ -]and[ -])\b(?:{_WORD_NUMBER})\b)*)"
)
_I = re.IGNORECASE
_BAR = r"(?:bars?|measures?)\b"
_PER_MINUTE = r"(?:per|a|each|every|to the|in a|in one)[ -]minute"
_NOTE_VALUE = r"(?:(?:quarter|eighth|crotchet|quaver|main|even|equal|regular|felt|steady|metrical)[ -])?(?:notes?[ -])?"

_TEMPO = (
    re.compile(
        rf"({NUM})\s*-?\s*(?:bpms?\b|b\.p\.m\.?|{_NOTE_VALUE}(?:beats?|pulses?|notes?)[ "
        rf"-]{_PER_MINUTE}\b|beats/min(?:ute)?\b)",
        _I,
    ),
    re.compile(
        rf"(?:♩|\bbpm|\btempo|\bbeats per minute)(?:[ ]+(?:marking|is|of|at|to|set|around|about"
        rf"|approximately|roughly|being|value)|\s*[:=(])*\s*({NUM})(?!\s*[/\d])",
        _I,
    ),
)
_SIGNATURE_WORD = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "fifteen": 15,
    "quarter": 4,
    "eighth": 8,
    "sixteen": 16,
    "eighths": 8,
    "quarters": 4,
}
_SW = "|".join(sorted(_SIGNATURE_WORD, key=len, reverse=True))
_TIME = r"(?:time|meter|metre|signature|measure|pulse|beat|rhythm|feel)"
_SIGNATURES = (
    re.compile(r"(?<![\w#♯♭/.:])(?P<n>\d{1,2})\s?/\s?(?P<d>\d{1,2})(?![\w/])", _I),
    re.compile(
        rf"\b(?P<n>{_SW})[- ](?P<d>two|four|eight|sixteen)\b(?![- ](?:chord|beat|hundred|second|bar"
        rf"|measure))",
        _I,
    ),
    re.compile(rf"\b(?P<n>{_SW}|\d{{1,2}})[- ](?P<d>quarters?|eighths?|4|8)(?=[- ]{_TIME}\b)", _I),
    re.compile(
        r"\b(?P<n>two|three|four|five|six|seven|nine|twelve|\d{1,2}) over (?P<d>two|four|eight|sixteen"
        r"|2|4|8|16)\b",
        _I,
    ),
)
_NAMED_SIGNATURES = (
    (re.compile(r"\bcommon[- ](?:time|meter|metre)\b", _I), "4/4"),
    (re.compile(r"\b(?:cut(?:[- ]common)?[- ]time|alla breve)\b", _I), "2/2"),
    (re.compile(r"\bwaltz[- ](?:time|meter|metre|signature)\b", _I), "3/4"),
)
_FAMILY = re.compile(
    rf"\b(?:(?:(?P<how>simple|compound)[- ])?(?P<size>duple|triple|quadruple)|(?P<only>simple|compound))(?=[- "
    rf"]{_TIME}\b)",
    _I,
)
_BEATS = (
    re.compile(
        rf"({NUM})[ -]{_NOTE_VALUE}(?:beats?|counts?|pulses?|notes?)\b(?![ -]{_PER_MINUTE})"
        rf"(?:[ -](?:(?:per|to|in|for|of|a|an|each|every|the|single)[ -])+{_BAR})?",
        _I,
    ),
    re.compile(
        rf"\b(?:beat count|beats per {_BAR}|counted|count)(?:[ ]+(?:of|is|in|at)"
        rf"|\s*[:=])*\s*({NUM})(?!\s*[/\d])",
        _I,
    ),
    re.compile(rf"\b{_BAR} of ({NUM})(?!\s*[/\d])", _I),
)
_CHORD_COUNT = re.compile(
    rf"({NUM}|\bsingle|\bsole|\bonly(?= chord\b))[ -](?:(?:different|distinct|single|main|repeating|repeated|recurring"
    rf"|alternating)[ -])?chords?\b",
    _I,
)
_DURATION = re.compile(r"(?<![\w.])(?:ten|10)[- ]?(?:seconds?|secs?|s)\b", _I)
_MARKING = re.compile(
    r"\b(?:prestissimo|presto|vivacissimo|vivace|allegrissimo|allegretto|allegro|moderato|andantino|andante|adagietto|adagio"
    r"|larghetto|larghissimo|largo|lento|grave|maestoso)\b",
    _I,
)
_MODE = re.compile(r"\b(major|minor)(?=[- ](?:keys?|modes?|tonality|scale|tonal|harmony)\b)", _I)
# Where the name of a note may begin; most words are ruled out by their second letter.
_NOTE_LETTER = re.compile(r"(?<![A-Za-z0-9#♯♭])(?:[A-G]|[a-g](?![ce-hj-lo-rt-z]))")
_NUMBER = re.compile(rf"(?:{NUM})(?:[^\W\d_]+)?", _I)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*(?:-[^\W\d_]+(?:['’][^\W\d_]+)*)*")
_MARK = re.compile(rf"[^\s{MASK}]")
_GENERIC_MODE = re.compile(r"[- ](?:keys?|mode|tonality|scale|tonal|harmony|chords?|chord progression)\b", _I)
BLANK = "\ue001"


def parse_caption(text: str, terms: Iterable[str] = ()) -> ParsedCaption:
    """Read ``text``; ``terms`` are genre and mood words that may stand in it and are not read any further."""
    spans, _ = find_terms(text, terms)
    return _Reader(text, mask_terms(text, spans), sorted(set(spans))).read()


def number_value(text: str) -> float | None:
    """Value of digits or number words; None if it is not a number."""
    cleaned = text.lower().replace("-", " ").strip()
    digits = cleaned.replace(",", ".")
    if re.fullmatch(r"\d+(?:\.\d+)?", digits):
        return float(digits)
    words = cleaned.split()
    value = numerals.read(words)
    return float(value[0]) if value is not None and value[1] == len(words) else None


class _Reader:
    def __init__(self, text: str, masked: str, terms: list[tuple[int, int]]) -> None:
        self.text, self.rest, self.terms = text, masked, terms

    def read(self) -> ParsedCaption:
        self._claim_all(_DURATION)
        meters = self._signatures()
        families = self._families()
        tempi = self._tempi()
        beats = self._beats()
        counts = self._chord_counts()
        markings = [MarkingMention(*m, self.text[m[0] : m[1]].capitalize()) for m in self._claim_all(_MARKING)]
        pitches = self._pitches()
        modes = [ModeMention(*m, m[2].lower()) for m in self._claim_all(_MODE)]
        numbers = [Mention(*m) for m in self._claim_all(_NUMBER) if m[2].lower() != "one" or not self._pronoun(m[1])]
        speeds, words = self._words()
        marks = [Mention(m.start(), m.end(), m[0]) for m in _MARK.finditer(self.rest) if m[0] != BLANK]
        return ParsedCaption(
            self.text,
            tuple(tempi),
            tuple(markings),
            tuple(speeds),
            (*meters, *families, *beats),
            tuple(pitches),
            tuple(modes),
            tuple(counts),
            tuple(numbers),
            tuple(words),
            tuple(marks),
            tuple(Mention(a, b, self.text[a:b]) for a, b in self.terms),
        )

    def _claim(self, start: int, end: int) -> tuple[int, int, str]:
        self.rest = self.rest[:start] + BLANK * (end - start) + self.rest[end:]
        return start, end, self.text[start:end]

    def _claim_all(self, pattern: re.Pattern[str]) -> list[tuple[int, int, str]]:
        return [self._claim(m.start(), m.end()) for m in pattern.finditer(self.rest)]

    def _pronoun(self, end: int) -> bool:
        return re.match(r"[ -](?:another|after|by|of|and the same)\b", self.text[end:]) is not None

    def _signatures(self) -> list[MeterMention]:
        out = []
        for pattern in _SIGNATURES:
            for m in pattern.finditer(self.rest):
                n, d = (_SIGNATURE_WORD.get(m[g].lower()) or int(m[g]) for g in ("n", "d"))
                out.append(MeterMention(*self._claim(m.start(), m.end()), signature=f"{n}/{d}"))
        for pattern, signature in _NAMED_SIGNATURES:
            out += [MeterMention(*c, signature=signature) for c in self._claim_all(pattern)]
        return out

    def _families(self) -> list[MeterMention]:
        out = []
        for m in _FAMILY.finditer(self.rest):
            family = " ".join(part.lower() for part in (m["how"], m["size"], m["only"]) if part)
            out.append(MeterMention(*self._claim(m.start(), m.end()), family=family))
        return out

    def _tempi(self) -> list[TempoMention]:
        out = []
        for pattern in _TEMPO:
            for m in pattern.finditer(self.rest):
                value = number_value(m[1])
                if value is not None:
                    # The unit words around the number are neutral; claiming them all keeps "beats per minute" whole.
                    start = m.start(1) if pattern is _TEMPO[1] else m.start()
                    out.append(TempoMention(*self._claim(start, m.end()), bpm=value))
        return sorted(out, key=lambda t: t.start)

    def _beats(self) -> list[MeterMention]:
        out = []
        for pattern in _BEATS:
            for m in pattern.finditer(self.rest):
                value = number_value(m[1])
                if value is not None and value == int(value):
                    out.append(MeterMention(*self._claim(m.start(), m.end()), beats=int(value)))
        return out

    def _chord_counts(self) -> list[ChordCountMention]:
        out = []
        for m in _CHORD_COUNT.finditer(self.rest):
            value = 1.0 if m[1].lower() in ("single", "sole", "only") else number_value(m[1])
            if value is not None:
                self._claim(m.start(), m.end(1))
                out.append(ChordCountMention(m.start(), m.end(), self.text[m.start() : m.end()], int(value)))
        return out

    def _pitches(self) -> list[PitchMention]:
        found: list[PitchName] = []
        for candidate in _NOTE_LETTER.finditer(self.rest):
            if found and candidate.start() < found[-1].end:
                continue
            pitch = find_pitch_name(self.rest, candidate.start())
            if pitch is not None and not self._is_article(pitch):
                found.append(pitch)
        mentions = assign_roles(self.text, self.rest, found)
        for mention in mentions:
            self._claim(mention.start, mention.end)
        return mentions

    def _is_article(self, pitch: PitchName) -> bool:
        """``a minor key``: the article, not the note A."""
        lone = self.rest[pitch.start : pitch.end].lower()
        return pitch.lower and lone in ("a minor", "a major") and bool(_GENERIC_MODE.match(self.rest, pitch.end))

    def _words(self) -> tuple[list[SpeedMention], list[Mention]]:
        speeds, words = [], []
        for m in _WORD.finditer(self.rest):
            whole = [(m.start(), m.end())]
            parts = list(_split_compound(m)) if "-" in m[0] and m[0].lower() not in SPEED_WORDS else whole
            for start, end in parts if len(parts) > 1 else whole:
                word = Mention(start, end, self.text[start:end])
                speed = SPEED_WORDS.get(word.text.lower())
                if speed:
                    speeds.append(SpeedMention(start, end, word.text, *speed))
                else:
                    words.append(word)
        for mention in (*speeds, *words):
            self._claim(mention.start, mention.end)
        return speeds, words


def _split_compound(match: re.Match[str]) -> Iterable[tuple[int, int]]:
    """Parts of a hyphen compound; a compound whose whole is listed as judging or source stays whole."""
    from fgmcaps.captioning.lexicon.word_lists import judging_words, source_words

    if match[0].lower() in judging_words() or match[0].lower() in source_words():
        yield match.start(), match.end()
        return
    for part in re.finditer(r"[^-]+", match[0]):
        yield match.start() + part.start(), match.start() + part.end()
