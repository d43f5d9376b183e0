"""Find and respell single facts in a caption: key, BPM, tempo word, time signature, chords.

Conventions
-----------
- A function finds all mentions of one known fact and writes another value in the same form (digits stay digits,
  ``F-sharp`` stays spoken, ``common time`` becomes ``3/4 time``). Everything else in the caption stays as it is, but
  for ``a`` / ``an``.
- None means that the fact was not found in a form that can be replaced with certainty. Guessing is worse than leaving
  out.
- Works on any text, not only on captions of the template grammar.
"""

import re
from collections.abc import Iterable, Sequence

from fgmcaps.schemas.harte import pitch_class

Edit = tuple[int, int, str]

_NATURALS = "CDEFGAB"
_SHARP, _FLAT = r"(?:#|♯|[ -]sharp\b)", r"(?:b|♭|[ -]flat\b)"
_NOTE = rf"[A-G](?:{_SHARP}|{_FLAT})?"
_BEFORE = r"(?<![A-Za-z0-9#♯♭/])"
_SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")

_SUFFIX = r"(?:maj|Maj|min|Min|dim|aug|sus|add|dom|hdim|mi|ma|M|m|°|ø|Δ|△|\+|b|#|♭|♯|\d|\(|\)|:|/(?=\d))*(?![A-Za-z])"
_SPOKEN = (
    r"(?:[ -](?:major|minor|dominant|(?:half-|fully )?diminished|augmented|suspended|power|added|seventh|sixth|fifth"
    r"|ninth|eleventh|thirteenth|fourth|second|flat[ -]five|flat[ -]nine|sharp[ -]nine|sharp[ -]eleven|triads?|7th"
    r"|6th|9th)\b)*"
)
_GLUE = (
    r"(?:[\s,;–—→>|()-]|\b(?:and|then|to|through|on|followed|by|back|into|before|chords?|resolving|moving|leading|returning"
    r"|next|finally|an?|the)\b){1,12}"
)
_KEY_CONTEXT = re.compile(
    r"(?:\bin(?: the key of)?|\bkey of|\bkey(?: is|:)|\btonality(?: is|:)|\bset in|\bstays in)(?: an?)? $",
    re.IGNORECASE,
)
_KEY_AFTER = re.compile(r"^ (?:as (?:its|the) key|is (?:its|the) key|key\b|tonality\b)", re.IGNORECASE)

_UNIT_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TEN_WORDS = "- - twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS, _TENS = tuple(_UNIT_WORDS.split()), tuple(_TEN_WORDS.split())


def replace_key(text: str, key: str, new: str) -> str | None:
    """``F# minor`` -> ``C major``, wherever the caption names the key; chords of the same name stay."""
    found = _key_mentions(text, key)
    if not found:
        return None
    tonic, mode = new.split()
    edits = []
    for match in found:
        spoken = bool(re.search("sharp|flat", match["note"]))
        word = mode.capitalize() if match["mode"][0].isupper() else mode
        edits.append((match.start(), match.end(), _styled(tonic, spoken, match["note"]) + match["gap"] + word))
    return _apply(text, edits)


def _key_mentions(text: str, key: str) -> list[re.Match[str]]:
    tonic, mode = key.split()
    name = rf"(?P<note>{_note_of(pitch_class(tonic))})(?P<gap>[ -])(?P<mode>{mode}|{mode.capitalize()})"
    pattern = rf"{_BEFORE}{name}\b(?![ -](?:\w+(?:nth|xth|fth)|seven|nine|six|chord|triad))"
    named = list(re.finditer(pattern, text))
    sure = [m for m in named if _KEY_CONTEXT.search(text[: m.start()]) or _KEY_AFTER.search(text[m.end() :])]
    return sure or (named if len(named) == 1 else [])


def replace_bpm(text: str, bpm: int, new: int) -> str | None:
    """``120 BPM``, ``120 beats per minute``, ``one hundred and twenty BPM`` -> another number in the same form."""
    unit = r"(?=[ -]?(?:BPM|bpm|Bpm|beats[ -](?:per|a)[ -]minute))"
    digits = list(re.finditer(rf"(?<![\d/.]){bpm}{unit}", text))
    words = list(re.finditer(rf"\b{_spelled(bpm)}{unit}", text, re.IGNORECASE))
    if not digits and not words:
        digits = list(re.finditer(rf"(?<![\d/.]){bpm}(?![\d/.]\d|/)", text))
        if len(digits) != 1:
            return None
    edits = [(m.start(), m.end(), str(new)) for m in digits]
    edits += [(m.start(), m.end(), _cased(_spell(new, " and " in m[0].lower()), m[0])) for m in words]
    return _apply(text, edits)


def replace_tempo_word(text: str, word: str, new: str) -> str | None:
    """``Allegro`` -> ``Largo``, in the same case."""
    found = list(re.finditer(rf"\b{re.escape(word)}\b", text, re.IGNORECASE))
    return _apply(text, [(m.start(), m.end(), _cased(new, m[0])) for m in found]) if found else None


def states_tempo_word(text: str, word: str) -> bool:
    """True where the caption names the tempo word."""
    return re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) is not None


def replace_time_signature(text: str, signature: str, new: str) -> str | None:
    """``4/4``, ``four-four``, ``common time``, ``four beats per bar`` -> another meter in the same form.

    None also where the caption names the meter in a way that has no counterpart (``waltz``, ``triple meter``).
    """
    beats, unit = (int(x) for x in signature.split("/"))
    new_beats, new_unit = (int(x) for x in new.split("/"))
    if re.search(r"\b(?:waltz|duple|triple|quadruple|compound)\b", text, re.IGNORECASE):
        return None
    edits: list[Edit] = [(m.start(), m.end(), new) for m in re.finditer(rf"(?<![\d/]){beats}/{unit}(?![\d/])", text)]
    spoken = rf"\b{_UNITS[beats]}[ -]{_UNITS[unit]}\b(?! beats)"
    for m in re.finditer(spoken, text, re.IGNORECASE):
        edits.append((m.start(), m.end(), _cased(f"{_UNITS[new_beats]}-{_UNITS[new_unit]}", m[0])))
    for m in re.finditer(
        rf"\b(?:{_UNITS[beats]}|{beats})(?=[ -]beats?\b(?![ -](?:per|a)[ -]minute))", text, re.IGNORECASE
    ):
        if text[: m.start()].endswith("-"):  # one hundred and twenty-four beats
            continue
        word = str(new_beats) if m[0].isdigit() else _cased(_UNITS[new_beats], m[0])
        edits.append((m.start(), m.end(), word))
    if signature == "4/4":
        edits += [(m.start(), m.end(), new) for m in re.finditer(r"\bcommon(?= time\b)", text, re.IGNORECASE)]
    return _apply(text, edits) if edits else None


def transpose_chords(text: str, labels: Sequence[str], semitones: int, key: str | None = None) -> str | None:
    """Move the whole progression: roots and bass notes change, qualities and order stay.

    ``labels``: the progression as Harte labels; ``key``: the key that the caption may state, which is not a chord.
    """
    roots = [pitch_class(re.split("[:/(]", label)[0]) for label in labels if label not in ("N", "X")]
    if not roots:
        return None
    hidden = text
    for match in _key_mentions(text, key) if key else ():
        if _KEY_CONTEXT.search(text[: match.start()]) or _KEY_AFTER.search(text[match.end() :]):
            hidden = hidden[: match.start()] + "\0" * len(match[0]) + hidden[match.end() :]
    chord = [
        rf"(?P<n{i}>{_note_of(pc)}){_SUFFIX}{_SPOKEN}(?:(?:/| over )(?P<b{i}>{_NOTE})(?![A-Za-z]))?"
        for i, pc in enumerate(roots)
    ]
    found = [m for m in re.finditer(_BEFORE + _GLUE.join(chord), hidden) if len(roots) > 1 or _is_chord(hidden, m)]
    if len(found) != 1:
        return None
    match = found[0]
    spans = [match.span(name) for i in range(len(roots)) for name in (f"n{i}", f"b{i}") if match[name] is not None]
    written = [text[a:b] for a, b in spans]
    flats = sum("b" in w[1:] or "♭" in w or "flat" in w for w in written)
    sharps = sum("#" in w or "♯" in w or "sharp" in w for w in written)
    names = _SHARP_NAMES if sharps > flats else _FLAT_NAMES
    spoken = any(re.search("sharp|flat", w) for w in written) or bool(re.search(r" (?:major|minor)\b", match[0]))
    edits = []
    for (start, end), old in zip(spans, written, strict=True):
        symbol = re.match(r"[\w(°øΔ△+#♯♭:]", text[end:])  # "E7" stays a symbol among spoken names
        edits.append((start, end, _styled(names[(_pitch(old) + semitones) % 12], spoken and not symbol, old)))
    return _apply(text, edits)


def _is_chord(text: str, match: re.Match[str]) -> bool:
    """A lone chord must be called one: a single note name may be anything."""
    return bool(
        re.search(r"chord[^.]{0,16}$", text[: match.start()]) or re.match(r"[^.]{0,20}chord", text[match.end() :])
    )


def _note_of(pc: int) -> str:
    """All spellings of a pitch class, with at most one accidental; longest first."""
    out = []
    for letter in _NATURALS:
        for mark, shift in ((_SHARP, 1), (_FLAT, -1)):
            if (pitch_class(letter) + shift) % 12 == pc:
                out.append(letter + mark)
    # A natural must not be the beginning of "Bb" or "B-flat".
    out += [rf"{letter}(?!{_SHARP}|{_FLAT})" for letter in _NATURALS if pitch_class(letter) == pc]
    return "(?:" + "|".join(out) + ")"


def _pitch(written: str) -> int:
    tail = written[1:].strip(" -").replace("♯", "#").replace("♭", "b")
    return pitch_class(written[0] + {"sharp": "#", "flat": "b"}.get(tail, tail))


def _styled(note: str, spoken: bool, like: str) -> str:
    """A note name with its accidental as ``like`` writes it."""
    if len(note) == 1:
        return note
    if spoken:
        gap = " " if " " in like else "-"
        return note[0] + gap + {"#": "sharp", "b": "flat"}[note[1]]
    return note[0] + ({"#": "♯", "b": "♭"}[note[1]] if re.search("[♯♭]", like) else note[1])


def _cased(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[0].upper() + word[1:].lower() if like[0].isupper() else word.lower()


def _spell(value: int, with_and: bool = True) -> str:
    """English words of 1 .. 999."""
    if value < 20:
        return _UNITS[value]
    if value < 100:
        return _TENS[value // 10] + (f"-{_UNITS[value % 10]}" if value % 10 else "")
    rest = f"{' and' if with_and else ''} {_spell(value % 100)}" if value % 100 else ""
    return f"{_UNITS[value // 100]} hundred{rest}"


def _spelled(value: int) -> str:
    """Pattern of a number in words: with or without ``and``, with hyphens or spaces."""
    words = re.split("[ -]", _spell(value, with_and=False))
    return r"[ -](?:and )?".join(words)


def _apply(text: str, edits: Iterable[Edit]) -> str:
    """Make all replacements, and mend the article before each."""
    for start, end, new in sorted(edits, reverse=True):
        head = text[:start]
        article = re.search(r"\b([Aa])n? $", head)
        # "moves from A to" is a note, not an article: the first letter of a sentence aside, articles are small.
        if article and (article[1] == "a" or not head[: article.start()].strip()):
            head = head[: article.start()] + article[1] + ("n " if _takes_an(new) else " ")
        text = head + new + text[end:]
    return text


def _takes_an(phrase: str) -> bool:
    word = re.split("[ -]", phrase)[0]
    if word[0].isdigit():
        return word.startswith("8") or word.split("/")[0] in ("11", "18")
    if re.fullmatch(r"[A-G][#b♯♭]?", word):
        return word[0] in "AEF"
    return word[0].lower() in "aeiou" and not word.lower().startswith("one")
