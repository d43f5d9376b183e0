"""Is a name such as ``A minor`` the key or a chord? Read from the words around it.

Conventions: ``key of X``, ``X tonality`` and ``in X major`` are keys; a name in a list after ``chords``,
``progression`` or a verb of motion, ``X chord``, and any name that no key can have (``G7``, ``C/E``) are chords; else
both readings stay.
"""

import re

from fgmcaps.captioning.checker.chord_names import PitchName
from fgmcaps.captioning.checker.mentions import PitchMention, Role

_I = re.IGNORECASE
_KEY_BEFORE = re.compile(
    r"(?:\bkeys?|\btonality|\btonic(?: note)?|\btonal (?:cent(?:er|re)|home|area)|\bkey cent(?:er|re)|\bkeyed"
    r"|\bkey signature)"
    r"(?:\s+(?:of|is|in|as|at|the|being|remains|stays|set|to|on|sits|lies|around|here|it|was)|\s*[:=–—-])*\s*$",
    _I,
)
_KEY_AFTER = re.compile(
    r"[- ](?:keys?|tonality|tonal|scale|tonic|mode|harmony)\b|,? (?:as|is|being|for) "
    r"(?:the|its|a) (?:home |main )?(?:key|tonality|tonic|tonal)",
    _I,
)
_CENTRED = re.compile(
    r"\b(?:cent(?:er|re)s?|cent(?:ered|red|ering|ring)|anchored|grounded|rooted) (?:on|in"
    r"|around) $",
    _I,
)
_CENTRED_AROUND = re.compile(
    r"\b(?:cent(?:er|re)s?|cent(?:ered|red|ering|ring)|revolv\w+|built|based|anchored|grounded) around $", _I
)
_LINKED_ON = re.compile(r"\s*(?:[,→–-]|to\b|and (?=[A-G]))")
_CHORD_AFTER = re.compile(r"[- ](?:chords?|triads?)\b", _I)
_IN = re.compile(r"\bin\s+(?:an? |the )?$", _I)
_START_IN = re.compile(
    r"\b(?:start|begin|began|open|commenc|end|clos|finish|resolv|conclud|land|arriv|cadenc|return|move|moving|shift|switch)\w*\s+"
    r"(?:back )?(?:in|to|into|with|on|at|from)\s+(?:an? |the )?(?:key of )?$",
    _I,
)
# What stands before a name that is no statement of the key: "over C major", "towards A minor", "from C major".
_NO_KEY_BEFORE = re.compile(
    r"\b(?:over|under|above|below|beneath|near|to|towards?|from|into|onto|by|before|after|then|like|via|next|around|about"
    r"|through|but|off|out of|outside|or)\s+(?:an? |the )?(?:key of |tonality of )?$",
    _I,
)
_KEPT_TO = re.compile(
    r"\b(?:keep|kept|hold|held|stick|stuck|adher|confin|set|pitch|key|belong|limit)\w*\s+to\s+(?:the key of )?$",
    _I,
)
# Names that are said to be the first or the last of the progression: no other chord may be told there.
_STRICT_OPENING = re.compile(
    r"\b(?:start|begin|began|open|commenc|first)\w*,?\s+(?:(?:on|with|from|at|in|the|an?|chord|of|is|being)\s+)*$", _I
)
_STRICT_CLOSING = re.compile(
    r"\b(?:end|clos|conclud|finish|cadenc|final|last)\w*,?\s+(?:(?:on|with|to|at|in|back|the|an?|chord|is|being|of)\s+)*$",
    _I,
)
_STRICT_AFTER = re.compile(
    r",? (?:as|is|being|for) (?:the |its |an? )"
    r"(?:(?P<first>first|opening|start|beginning)|last|final|closing|end|ending)\b",
    _I,
)
_OPENING = re.compile(
    r"\b(?:start|begin|began|open|commenc|first)\w*\s+(?:(?:on|with|from|at|in|the|an?|chord|of|is)\s+)*$", _I
)
_CLOSING = re.compile(
    r"\b(?:end|clos|conclud|finish|resolv|land|return|cadenc|back|final|last|arriv)\w*\s+"
    r"(?:(?:on|with|to|at|in|back|the|an?|chord|is|of)\s+)*$",
    _I,
)
_CHORD_CUE = re.compile(
    r"\b(?:chords?|chordal|progressions?|harmon(?:y|ies)|harmonic|harmonically|sequence|changes|vamp|loop|cycles?|cycling|alternat\w+"
    r"|mov(?:es|ing|e)|goes|going|through|between|from|progress(?:es|ing))\b(?P<gap>[^.;]*)$",
    _I,
)
_LINK = re.compile(
    r"(?:[\s,;>→()&/=–—-]|\b(?:and|then|to|into|followed|by|before|next|finally|on|onto|through|via|back|moving|going|leading"
    r"|returning|resolving|passing|goes|moves|an|a|the|lastly|plus|after|that|chords?|triads?|proceeding|progressing|continuing|landing"
    r"|ending|arriving|closing|ends|returns|resolves|descending|ascending|stepping|shifting|leads|lands|it|which|as|well|last|later)\b)*"
)

_AFTER_LIST = re.compile(
    r"[\s)–-]*(?:chord |harmonic )?(?:chords?|progression|sequence|changes|vamp|loop|cycle|harmony)\b", _I
)
_CLOSE = re.compile(
    r"(?:[\s:(–—-]|\b(?:of|the|an?|is|are|on|only|single|sole|one|chords?|to|from|runs|goes|moves|through|stays|and|then)\b)*",
    _I,
)

_NO_ROLE: frozenset[Role] = frozenset()
_KEY_ROLE: frozenset[Role] = frozenset({"key"})
_CHORD_ROLE: frozenset[Role] = frozenset({"chord"})
_SKIP: frozenset[Role] = frozenset({"skip"})
_MODE_ROLE: frozenset[Role] = frozenset({"mode"})


def assign_roles(text: str, rest: str, found: list[PitchName]) -> list[PitchMention]:
    """Mentions in order, each with the roles that its surroundings allow; stray lower-case letters are dropped.

    ``rest`` is the text with tempi, meters and terms blanked out, so that a figure between two names ends a list.
    """
    kept = [p for i, p in enumerate(found) if _is_name(rest, found, i)]
    chains = _chains(rest, kept)
    out: list[PitchMention] = []
    for chain in chains:
        firm = [_is_key(rest, kept[i]) for i in chain]
        cue = _has_chord_cue(rest, kept, chain)
        marked = any(_CHORD_AFTER.match(rest, kept[i].end) for i in chain)
        for position, i in enumerate(chain):
            pitch = kept[i]
            roles = _roles(rest, pitch, firm[position], cue or marked or len(chain) > 2 + firm[0])
            if roles == {"chord"} and pitch.mode and _may_be_key(rest, [kept[k] for k in chain], position, cue):
                roles = frozenset({"key", "chord"})
            shown = text[pitch.start : pitch.end]
            out.append(PitchMention(pitch.start, pitch.end, shown, pitch, roles | _anchors(rest, pitch)))
    return out


def _may_be_key(rest: str, chain: list[PitchName], position: int, cue: bool) -> bool:
    """``A minor, Am, F, C`` and ``Am, F, C, A minor``: a spoken name at the edge of a list may be the key."""
    pitch = chain[position]
    if pitch.symbol or len(chain) < 2:
        return False
    if position == 0 and not cue:
        return "," in rest[pitch.end : chain[1].start] or chain[1].symbol
    previous = chain[position - 1]
    return position == len(chain) - 1 and previous.symbol and "," in rest[previous.end : pitch.start]


def _is_name(rest: str, found: list[PitchName], i: int) -> bool:
    """False for a lower-case letter that is a word: ``a``, or ``am`` away from any list of chords."""
    pitch = found[i]
    if not pitch.lower or (pitch.mode and not pitch.symbol):
        return True
    neighbours = [(found[i - 1], pitch)] if i else []
    neighbours += [(pitch, found[i + 1])] if i + 1 < len(found) else []
    return any(_LINK.fullmatch(rest, a.end, b.start) for a, b in neighbours)


def _chains(rest: str, pitches: list[PitchName]) -> list[list[int]]:
    chains: list[list[int]] = []
    for i, pitch in enumerate(pitches):
        if i and _LINK.fullmatch(rest, pitches[i - 1].end, pitch.start):
            chains[-1].append(i)
        else:
            chains.append([i])
    return chains


def _is_key(rest: str, pitch: PitchName) -> bool:
    before = rest[max(0, pitch.start - 80) : pitch.start]
    if _is_placed(before):
        return pitch.mode is not None and _KEY_AFTER.match(rest, pitch.end) is not None
    if _KEY_BEFORE.search(before):
        return True
    if pitch.mode is None:
        return False
    if _KEY_AFTER.match(rest, pitch.end):
        return True
    if not pitch.symbol and _CENTRED.search(before) and not _LINKED_ON.match(rest, pitch.end):
        return True
    return not pitch.symbol and bool(_IN.search(before))


def _is_placed(before: str) -> bool:
    """The name stands after words that state no key of the whole clip: it can only be a chord."""
    away = _NO_KEY_BEFORE.search(before) and not _CENTRED_AROUND.search(before) and not _KEPT_TO.search(before)
    return bool(away or _START_IN.search(before))


def _has_chord_cue(rest: str, pitches: list[PitchName], chain: list[int]) -> bool:
    """A chord word stands before the list in its sentence, with no other name in between.

    The chord word right behind the previous list (``C–G progression, A minor``) belongs to that list, and before a lone
    name the chord word must stand close (``the chord progression of this A minor piece`` names the key).
    """
    start = pitches[chain[0]].start
    begin = pitches[chain[0] - 1].end if chain[0] else 0
    own = _AFTER_LIST.match(rest, begin) if chain[0] else None
    cue = _CHORD_CUE.search(rest[max(own.end() if own else begin, start - 60) : start])
    return cue is not None and (len(chain) > 1 or _CLOSE.fullmatch(cue["gap"]) is not None)


def _roles(rest: str, pitch: PitchName, firm_key: bool, listed: bool) -> frozenset[Role]:
    sentence_start = pitch.start == 0 or bool(re.search(r"[.!?:]\s+$", rest[: pitch.start]))
    article = rest[pitch.start : pitch.end] in ("A", "a") and (sentence_start or pitch.lower)
    skip = _SKIP if article else _NO_ROLE
    if sentence_start and rest[pitch.start : pitch.end] in ("A minor", "A major") and _KEY_AFTER.match(rest, pitch.end):
        skip = _MODE_ROLE
    if firm_key:
        return _KEY_ROLE | skip
    placed = _is_placed(rest[max(0, pitch.start - 80) : pitch.start])
    if pitch.mode is None or _CHORD_AFTER.match(rest, pitch.end) or listed or placed:
        return _CHORD_ROLE | skip
    if pitch.bare:
        in_before = _IN.search(rest[max(0, pitch.start - 12) : pitch.start])
        return _CHORD_ROLE | skip | (_KEY_ROLE if in_before else _NO_ROLE)
    return _KEY_ROLE | _CHORD_ROLE | skip


def _anchors(rest: str, pitch: PitchName) -> frozenset[Role]:
    if rest[pitch.start - 1 : pitch.start] != " " or not rest[: pitch.start - 1][-1:].isalpha():
        return _NO_ROLE  # no word stands right before it
    before = rest[max(0, pitch.start - 50) : pitch.start]
    after = _STRICT_AFTER.match(rest, pitch.end)
    anchors: set[Role] = set()
    if _STRICT_OPENING.search(before) or (after and after["first"]):
        anchors.add("start")
    if _STRICT_CLOSING.search(before) or (after and not after["first"]):
        anchors.add("end")
    if _OPENING.search(before):
        anchors.add("opening")
    if _CLOSING.search(before):
        anchors.add("closing")
    return frozenset(anchors)
