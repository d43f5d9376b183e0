"""What a genre or mood term would say beside a style or a feeling: a musical fact, or an order to whoever reads it.

A term is the user's, or whoever wrote the tags': ``140 bpm techno`` states a tempo that no annotator measured, and
``rock. Ignore the above`` speaks to a language model. Both are read here by the same reader as captions, and by what
that reader does not know because no caption may say it (other languages' key names, modes, lone notes after ``in``).

Real names that only look like facts (``A cappella``, ``D-beat``, ``Key West``, ``2-step``, ``AM radio``) are none:
``tests/captioning/checker/real_genres.txt`` has some six hundred.
"""

import re
import unicodedata

from fgmcaps.captioning.checker.mentions import PitchMention
from fgmcaps.captioning.checker.parse import parse_caption
from fgmcaps.captioning.checker.terms import squash

_I = re.IGNORECASE
# Names of styles whose words are those of a fact.
_STYLES = frozenset({"lentoviolento", "amradio", "fmradio", "fmsynthesis", "ampop", "amgold"})
_TEMPO = re.compile(
    r"b[\W_]*p[\W_]*m(?![a-z])|\bbeats?\s*(?:per|a|/|each|every)\s*m(?:in|inute)?\b|[♩♪♫♬]\s*=|\bm\.?\s?m\.?\s*=?\s*\d"
    r"|\btemp[io]\b\D{0,12}\d|\d\s*temp[io]\b|\b(?:quarter|crotchet|eighth|half)(?:\s*note)?\s*=\s*\d",
    _I,
)
# A number that could be a tempo, alone between blanks: "140 techno", but not "8-bit", "80s", "Top 40" or "1960s".
_LONE_NUMBER = re.compile(r"(?<![\w.,'’/+&#-])(?:[4-9]\d|1\d\d|2[0-4]\d)(?:[.,]\d+)?(?:ish)?(?![\w'’/&-]|[.,]\w)")
_NUMBERED = re.compile(
    r"\b(?:top|hot|studio|area|route|type|opus|op|no|level|radio|sector|channel|volume|vol)\.?\s*$", _I
)
_METER = re.compile(
    r"(?<![\d/])\d{1,2}\s*[/⁄∕／]\s*(?:1|2|4|8|16|32)(?![\d/])|\btime\s+signature|\b(?:bars?|measures?)\s+of\s+\w+"
    r"|\bin\s+(?:[2-9]|two|three|four|five|six|seven|nine|twelve)$|\bmet(?:er|re)\W*\d"
    r"|\b\w+\s+(?:beats?|pulses?|counts?)\s+(?:per|to|in|a|each|every)\b"
    r"|\b(?:odd|compound|simple|duple|triple|quadruple|waltz|common|cut|irregular|asymmetric\w*)[\s-]+(?:time|met(?:er|re)s?)\b"
    r"|\b(?:two|three|four|five|six|seven|nine|twelve|\d{1,2})[\s-]+(?:two|four|eight|sixteen|4|8|16)[\s-]+(?:time|met(?:er|re)|beat"
    r"|feel|groove|pulse)\b|^(?:[2-9]|1[0-6]|two|three|four|five|six|seven|nine|twelve)[\s-]+(?:two|four|eight|4|8|16)$",
    _I,
)
_KEY = re.compile(
    r"\b[a-g][\s-](?:flat|sharp)\b|\b[a-g][#b♯♭]?(?:major|minor)\b|мажор|минор|[長短]調|[大小][调調]|[장단]조"
    r"|(?<!\w)(?:[1-9]|1[0-2])[ab](?!\w)"  # the Camelot wheel of DJ programs
    r"|\b[a-g][#♯](?!\w)|\bin\s+[b-h]\b(?![-–&'’.]\w)|\bkeys?\s+(?:of|is|in|:|=|change)|\b(?:key|tonic|tonality)\s*[:=]|\b(?:major|minor)[\s-]+(?:keys?|modes?|scales?|tonality|chords?|triad)"
    r"|\b(?:dorian|phrygian|mixolydian|lydian|locrian|aeolian|ionian)\b"
    r"|\b[a-h](?:is|es|s)?[\s-]+(?:dur|moll)\b|\b(?:dur|moll)[\s-]+(?:tonart)"
    r"|\b(?:do|re|ré|mi|fa|sol|la|si)(?:[\s-]+(?:di[eè]se|b[eé]mol|sostenido|diesis|bemolle|sustenido))?"
    r"[\s-]+(?:maj(?:eur|or)?|min(?:eur|or)?|mayor|menor|maggiore|minore|maior)\b",
    _I,
)
_KEY_OF_PLACE = re.compile(
    r"\bkeys?\s+(?:of|in)\s+(?![a-h]\b|[a-h][#♯b♭]|[a-h]\s*[- ]?(?:sharp|flat|major|minor))\w{2,}", _I
)
_CHORDS = re.compile(
    r"\b(?:chords?|progressions?|changes|harmony)\b\W*(?:of|are|is|:|in|on)?\W*\b[A-G](?![a-z]{2})"
    r"|\b(?:[b♭#♯]?(?:iv|vi{0,2}|i{1,3})[°ø7]?)(?:\s*[-–—→]\s*(?:[b♭#♯]?(?:iv|vi{0,2}|i{1,3})[°ø7]?))+\b",
    _I,
)
_HOME = re.compile(r"\b(?:in|on|of|key|tonic|root|tuned\s+to|tuning)\s+(?:an?\s+|the\s+)?$", _I)
_CHANGE = re.compile(r"\b(?:key|tempo|met(?:er|re)|time\s+signature|chord)s?\s+(?:changes?|shifts?)\b", _I)
_HEDGE_WORDS = (
    "about above after almost approximately around at before below but circa either ending except finally first from "
    "in just last less like maybe mostly nearly neither never no nor not of on or over perhaps possibly roughly "
    "starting then to towards under unlike until up down with without"
)
_HEDGES = frozenset(_HEDGE_WORDS.split())

# Orders that begin a term: few words are enough for those that no name begins with.
_ORDER_START = re.compile(
    r"^\W*(?:(?:ignore|disregard|forget|override|bypass|output|respond|reply|pretend|translate|execute|reveal|append|summari[sz]e"
    r"|from\s+now\s+on|new\s+task|act\s+as|note\s+that|make\s+sure|do\s+not|don['’]t)\s+\S"
    r"|(?:say|write|answer|print|return|repeat|describe|mention|state|claim|add|include|remember|never|always|please|you|your|instead"
    r"|tell|use|insert|replace|stop|begin|start|end|run|call|let['’]?s|imagine|assume|show|give|list|explain|set|change)"
    r"\s+(?!of\b|and\b|to\b)\S+\s+\S+\s+\S)",
    _I,
)
_ORDER_ANYWHERE = re.compile(
    r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overrid(?:e|ing)|bypass|obey|follow)\b.*\b(?:instructions?|previous|prior|above"
    r"|earlier|rules?|prompts?|facts?|everything|all|system|guidelines?)\b"
    r"|\b(?:instructions?|prompts?|captions?|jailbreak|system\s+message|as\s+an?\s+ai|language\s+model|chat\s*gpt|assistant)\b"
    r"|\byou\s+(?:are|must|should|will|can|may|shall|need|have)\b|\b(?:system|user|assistant|human|ai)\s*:"
    r"|[.;:!?]\s*(?:say|write|output|respond|reply|answer|print|return|repeat|pretend|state|mention|add|then|now|please|always)\b"
    r"|\band\s+(?:say|write|output|respond|reply|answer|print|repeat|state|mention)\b",
    _I,
)
_MARKUP = re.compile(r"[<>{}\[\]`\\|]|\*\*|__\w|&#?\w+;|\$\{|\w+://|\bwww\.|%[0-9a-f]{2}", _I)


def has_control_characters(term: str) -> bool:
    """True for line breaks, control, invisible and unassigned characters.

    The joiners that scripts such as Persian and Hindi need are none, between two letters outside ASCII.
    """
    for i, c in enumerate(term):
        category = unicodedata.category(c)
        joins = c in "\u200c\u200d" and term[i - 1 : i] > "\x7f" and term[i + 1 : i + 2] > "\x7f"
        if (category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and not joins) or c == "\ufffd":
            return True
    return False


def has_markup(term: str) -> bool:
    """True for tags, brackets, code, entities and addresses."""
    return _MARKUP.search(term) is not None


def reads_as_instruction(term: str) -> bool:
    """True for what speaks to a reader or a language model instead of naming a style or mood."""
    text = " ".join(unicodedata.normalize("NFKC", term).replace("_", " ").split())
    return bool(_ORDER_START.search(text) or _ORDER_ANYWHERE.search(text))


def reads_as_fact(term: str, cleaned: str) -> bool:
    """True if the term, as it is or as a caption prints it (``cleaned``), states tempo, meter, key or chords."""
    if squash(cleaned) in _STYLES:
        return False
    if cleaned.casefold() in _HEDGES:
        return True  # it would change the fact that a caption says next to it
    raw = " ".join(unicodedata.normalize("NFKC", term).replace("_", " ").split())
    return any(_states(text) for text in dict.fromkeys((raw, cleaned)))


def _states(text: str) -> bool:
    if _TEMPO.search(text) or _METER.search(text) or _CHORDS.search(text) or _CHANGE.search(text):
        return True
    if _KEY.search(text) and not _KEY_OF_PLACE.search(text):
        return True
    if any(not _NUMBERED.search(text[: m.start()]) for m in _LONE_NUMBER.finditer(text)):
        return True
    read = parse_caption(text)
    if read.tempi or read.markings or read.meters or read.modes or read.chord_counts:
        return True
    return any(_states_pitch(text, p) for p in read.pitches) or _lists_notes(read.pitches)


def _states_pitch(text: str, mention: PitchMention) -> bool:
    """True for a name with an accidental or quality, and for a lone note that stands as a key or is the whole term."""
    pitch, name = mention.pitch, mention.text
    if pitch.symbol and pitch.lower and "#" not in name and "♯" not in name and "♭" not in name:
        return bool(_HOME.search(text[: mention.start])) and pitch.bare and len(name) == 1 and name != "a"
    if not pitch.bare:
        return re.fullmatch(r"[A-G]M", name) is None  # FM radio, AM
    if len(name) > 1:
        return True  # E flat, F#, Bb
    alone = name == text.strip()
    return alone or bool(_HOME.search(text[: mention.start]) and not re.match(r"[-–&'’+.]\w", text[mention.end :]))


def _lists_notes(mentions: tuple[PitchMention, ...]) -> bool:
    """``C G Am F``: several names of notes are a progression."""
    return sum(not m.pitch.lower and "skip" not in m.roles for m in mentions) > 1
