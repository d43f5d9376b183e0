"""Checks the captions of a JSONL file: ``{"facts": {...}, "caption": ...[, "style": ...]}`` a line, a verdict a line.

Facts from outside are read leniently where the meaning is plain: a tempo may be a float, a single genre a string, a
chord a lead-sheet name (``Am7``), a key ``F#m`` or ``gb major``. What is not plain is an error of that line.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from fgmcaps.captioning.checker.check import check_caption
from fgmcaps.captioning.checker.chord_names import find_pitch_name, sound_of_label
from fgmcaps.captioning.checker.form import STYLES
from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.schemas import Facts, to_dict
from fgmcaps.schemas.harte import ChordSyntaxError, is_chord_label
from fgmcaps.schemas.music import KEYS, TEMPO_MARKINGS

MAX_LINE = 1_000_000
_NOT_DECODED = re.compile("[\udc80-\udcff]")
"""What :func:`fgmcaps.common.text_file.decoded_lines` leaves of a byte that is no text."""
_FACT_KEYS = tuple(f.name for f in fields(Facts))
_LINE_KEYS = ("facts", "caption", "style", "id")


class CaptionLineError(ValueError):
    """A line that cannot be checked; the message names what is wrong with it."""


def check_lines(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One dict a line, blank lines skipped.

    A checked caption gives ``{"line", "ok", "rule", "words", "message"}`` (``line`` counts from 1, ``id`` is passed
    through where given); a line that cannot be read gives
    ``{"line", "ok": false, "rule": "error", "words": [], "error": ...}`` with the line number in the message.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield {"line": number, **_check_line(line)}
        except (CaptionLineError, ChordSyntaxError) as error:
            yield {"line": number, "ok": False, "rule": "error", "words": [], "error": f"line {number}: {error}"}


def _check_line(line: str) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise CaptionLineError(f"longer than {MAX_LINE} characters")
    if broken := _NOT_DECODED.search(line):
        raise CaptionLineError(f"not UTF-8 (byte {ord(broken[0]) - 0xDC00:#04x}); save the file in UTF-8")
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CaptionLineError(f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise CaptionLineError('not an object such as {"facts": {...}, "caption": "..."}')
    for name in ("facts", "caption"):
        if name not in data:
            raise CaptionLineError(f'no "{name}"')
    caption, style = data["caption"], data.get("style", "objective")
    if not isinstance(caption, str):
        raise CaptionLineError('"caption" is not a string')
    if style not in STYLES:
        raise CaptionLineError(f"unknown style {style!r}; known: {', '.join(STYLES)}")
    verdict = to_dict(check_caption(caption, read_facts(data["facts"]), style))
    return ({"id": data["id"]} if "id" in data else {}) | verdict


def read_facts(data: Any) -> Facts:
    """Facts from a JSON object; raises CaptionLineError naming the field."""
    if not isinstance(data, dict):
        raise CaptionLineError('"facts" is not an object')
    for name in data:
        if name not in _FACT_KEYS:
            hint = did_you_mean(str(name), _FACT_KEYS) or f"; known: {', '.join(_FACT_KEYS)}"
            raise CaptionLineError(f"unknown fact {str(name)[:80]!r}{hint}")
    return Facts(
        tempo_bpm=_read_tempo(data.get("tempo_bpm")),
        tempo_marking=_read_marking(data.get("tempo_marking")),
        time_signature=_read_signature(data.get("time_signature")),
        key=_read_key(data.get("key")),
        chords=tuple(_read_chord(c) for c in _read_list(data.get("chords"), "chords")),
        genre=_read_list(data.get("genre"), "genre"),
        mood=_read_list(data.get("mood"), "mood"),
    )


def _read_tempo(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10_000:
        raise CaptionLineError(f"tempo_bpm is not a tempo in BPM: {value!r}")
    return round(value)


def _read_marking(value: Any) -> str | None:
    if value is None or value == "":
        return None
    known = {word.lower(): word for _, word in TEMPO_MARKINGS}
    if not isinstance(value, str) or value.lower() not in known:
        raise CaptionLineError(f"tempo_marking is none of {', '.join(known.values())}: {value!r}")
    return known[value.lower()]


def _read_signature(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[1-9]\d?/(?:1|2|4|8|16|32)", value):
        raise CaptionLineError(f"time_signature is not such as '3/4': {value!r}")
    return value


def _read_key(value: Any) -> str | None:
    if value is None or value == "":
        return None
    name = value[:1].upper() + value[1:] if isinstance(value, str) else ""
    pitch = find_pitch_name(name, 0)
    if pitch is None or pitch.end != len(name) or pitch.mode is None:
        raise CaptionLineError(f"key is not such as 'F# minor': {value!r}")
    return KEYS[pitch.sound.root + (12 if pitch.mode == "minor" else 0)]


def _read_chord(value: str) -> str:
    if is_chord_label(value):
        return value
    pitch = find_pitch_name(value, 0)
    if pitch is None or pitch.end != len(value):
        raise CaptionLineError(f"chord is neither Harte syntax nor a chord name: {value!r}")
    label = _label_of(pitch.sound.root, pitch.sound.intervals, pitch.sound.bass)
    assert sound_of_label(label) == pitch.sound
    return label


def _label_of(root: int, intervals: frozenset[int], bass: int) -> str:
    """A Harte label that sounds so: root, single degrees and bass as degrees."""
    notes = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    degrees = ("1", "b2", "2", "b3", "3", "4", "b5", "5", "b6", "6", "b7", "7")
    listed = ",".join(degrees[i] for i in sorted(intervals))
    return f"{notes[root]}:1({listed})" + (f"/{degrees[bass]}" if bass else "")


def _read_list(value: Any, name: str) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise CaptionLineError(f"{name} is not a list of strings: {value!r}")
    return tuple(values)
