"""A second reading of captions, with none of the checker's code: what numbers and names they say.

It knows the few ways in which people write a tempo, a meter, a key and chords, and reports everything else that looks
like one of them. Where it and the checker disagree, a person looks.
"""

import re

from fgmcaps.schemas import Facts

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = {word: n for n, word in enumerate(_UNITS)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_PITCHES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NOTE = r"[A-G](?:#|b|-sharp|-flat| sharp| flat)?"
_QUALITY = (
    r"(?:(?:maj|min|m|M|dim|aug|sus|add|hdim|dom|maj7|\+|°|ø|Δ)?(?:\d{1,2})?(?:sus\d|b5|#5|b9|#9|#11|b13|add\d+|\(maj7\)"
    r"|\(add9\))*)"
)
_SPOKEN = (
    r"(?: (?:major|minor|diminished|augmented|dominant|half-diminished|suspended|seventh|sixth|ninth|fourth|second"
    r"|power|chord|triad|eleventh|thirteenth|minor-major)\b)*"
)
_CHORD = re.compile(rf"(?<![A-Za-z#])({_NOTE})({_QUALITY})(?![A-Za-z])({_SPOKEN})(?:(?:/| over )({_NOTE})(?![a-z]))?")
_MARKINGS = re.compile(r"\b(Grave|Largo|Adagio|Andante|Moderato|Allegro|Vivace|Presto|Prestissimo)\b", re.IGNORECASE)


def read_tempi(text: str) -> set[int]:
    """Every number that stands before BPM or beats per minute."""
    found = set()
    for match in re.finditer(r"([\w -]+?)\s?(?:BPM|bpm|beats per minute)", text):
        digits = re.search(r"(\d+)\s*$", match[1])
        found.add(int(digits[1]) if digits else _spoken(match[1]))
    return found


def _spoken(text: str) -> int:
    total = 0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word == "hundred":
            total = max(total, 1) * 100
        elif word in _NUMBERS:
            total += _NUMBERS[word]
        elif word != "and":
            total = 0
    return total


def read_meters(text: str) -> set[str]:
    """Fractions, spoken fractions, common time and beats in a bar."""
    found = set(re.findall(r"(?<![\d#])\d{1,2}/\d{1,2}(?!\d)", text))
    for upper, lower in re.findall(r"\b(\w+)-(two|four|eight|sixteen) (?:time|meter)", text.lower()):
        found.add(f"{_NUMBERS.get(upper, 0)}/{_NUMBERS[lower]}")
    for beats in re.findall(r"\b(\w+) beats (?:per bar|to the bar|in each (?:bar|measure))", text.lower()):
        found.add(f"{_NUMBERS.get(beats, 0)}/4")
    return found | ({"4/4"} if "common time" in text.lower() else set())


def read_key(text: str) -> set[str]:
    """Names with ``major`` or ``minor`` behind ``in``, ``key of`` or ``key is``, as pitch class and mode."""
    found = set()
    for note, mode in re.findall(rf"(?:\b[Ii]n|\b[Kk]ey of|\b[Kk]ey is|, ?|^)\s*({_NOTE}) (major|minor)\b", text):
        found.add(f"{_pitch(note)} {mode}")
    return found


def _pitch(note: str) -> int:
    step = {"#": 1, "b": -1}.get(note[1:2], 0) + ("sharp" in note) - ("flat" in note)
    return (_PITCHES[note[0]] + step) % 12


def read_roots(text: str) -> list[int]:
    """Roots of all chord names in order; articles and names of keys are left out."""
    text = re.sub(rf"(?:\b[Ii]n|\b[Kk]ey of|\b[Kk]ey is) {_NOTE} (?:major|minor)\b", " . ", text)
    out = []
    for match in _CHORD.finditer(text):
        after = text[match.end() :]
        before = text[: match.start()].rstrip(" ")[-3:]
        listed = before.endswith((",", "and", "–", "to", "-"))
        article = match[0] == "A" and not listed and re.match(r"\s+(?!and |to |then |chord)[a-z\d,]", after)
        if not article:
            out.append(_pitch(match[1]))
    return [r for i, r in enumerate(out) if i == 0 or out[i - 1] != r]


def differences(text: str, facts: Facts) -> list[str]:
    """What this reader finds wrong or missing in a caption."""
    for term in (*facts.genre, *facts.mood):
        text = re.sub(re.escape(term), "xx", text, flags=re.IGNORECASE)
    out = []
    tempi = {facts.tempo_bpm} - {None}
    if read_tempi(text) != tempi:
        out.append(f"tempo {sorted(read_tempi(text))} for {facts.tempo_bpm}")
    words = {m.lower() for m in _MARKINGS.findall(text)}
    if words - {str(facts.tempo_marking).lower()}:
        out.append(f"marking {words}")
    meters = {facts.time_signature} - {None}
    if read_meters(text) != meters:
        out.append(f"meter {sorted(read_meters(text))} for {facts.time_signature}")
    keys = set() if facts.key is None else {f"{_pitch(facts.key.split()[0])} {facts.key.split()[1]}"}
    if not keys <= read_key(text):
        out.append(f"key {sorted(read_key(text))} for {facts.key}")
    roots = [_pitch(c.split(":")[0]) for c in facts.chords if c[0] in _PITCHES]
    roots = [r for i, r in enumerate(roots) if i == 0 or roots[i - 1] != r]
    if read_roots(text) != roots:
        out.append(f"chords {read_roots(text)} for {roots}")
    return out
