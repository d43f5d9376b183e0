"""What must hold inside one row. Every rule is a function of the row that yields what is wrong."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fgmcaps.captioning import check_caption
from fgmcaps.common.one_line import has_control
from fgmcaps.common.safe_paths import path_problem
from fgmcaps.pipeline.dataset.read import facts_of_row
from fgmcaps.schemas import CLIP_SECONDS, ContractError, Estimate, from_json
from fgmcaps.schemas.harte import ChordSyntaxError, parse_chord
from fgmcaps.schemas.ids import MAX_START_MS, parse_clip_id
from fgmcaps.schemas.meter import METERS
from fgmcaps.schemas.music import KEYS, tempo_marking

Row = Mapping[str, Any]
TEMPO_RANGE = (20.0, 400.0)
IMPORTED = "imported"
_NEVER_NULL = (
    *("id", "caption", "caption_style", "caption_source", "caption_model", "prompt_version", "captions", "beats"),
    *("downbeats", "chords", "chord_summary", "genre", "mood", "source", "source_path", "track_id", "start_s"),
    *("duration_s", "split", "annotators", "qc_flags", "raw"),
)
_ONE_LINE = (
    *("caption_model", "prompt_version", "genre", "mood", "title", "artist", "album", "source", "licence", "split"),
    *("qc_flags",),
)
_NEVER_EMPTY = ("id", "caption", "caption_style", "caption_source", "prompt_version", "source_path", "split")
_CONFIDENCES = ("tempo_confidence", "meter_confidence", "key_confidence", "chords_confidence")
_SLACK = 1e-3  # seconds: times may be rounded to the millisecond


def _nulls(row: Row) -> Iterator[str]:
    for name in _NEVER_NULL:
        if row[name] is None:
            yield f"{name} is null"
        elif isinstance(row[name], list) and any(item is None for item in row[name]):
            yield f"{name} holds a null"
    yield from (f"{name} is empty" for name in _NEVER_EMPTY if row[name] == "")
    if not row["annotators"]:
        yield "annotators is empty"
    for name in ("tempo_bpm", "time_signature", "key"):
        if row[name] == "":
            yield f"{name} is an empty text; unknown is null"


def _texts(row: Row) -> Iterator[str]:
    """No control character, whose place is neither a table nor a terminal; captions may have line breaks."""
    for name in _ONE_LINE:
        values = row[name] if isinstance(row[name], list) else [row[name]]
        if any(value is not None and has_control(value) for value in values):
            yield f"{name} holds a control character"
    for text in (row["caption"], *(extra["text"] for extra in row["captions"])):
        if text is not None and has_control(text, but="\n"):
            yield "a caption holds a control character"


def _paths(row: Row) -> Iterator[str]:
    problem = path_problem(row["source_path"])
    if problem is not None:
        yield f"source_path {row['source_path']!r} {problem}"


def _ids(row: Row) -> Iterator[str]:
    try:
        track_id, start_ms = parse_clip_id(row["id"])
    except ValueError as error:
        yield str(error)
        return
    if track_id != row["track_id"]:
        yield f"track_id is {row['track_id']!r}"
    if round(row["start_s"] * 1000) != start_ms:
        yield f"start_s is {row['start_s']}, the id says {start_ms} ms"


def _ranges(row: Row) -> Iterator[str]:
    low, high = TEMPO_RANGE
    if row["tempo_bpm"] is not None and not low <= row["tempo_bpm"] <= high:
        yield f"tempo_bpm {row['tempo_bpm']} is outside {low:g} .. {high:g}"
    for name in _CONFIDENCES:
        if row[name] is not None and not 0 <= row[name] <= 1:
            yield f"{name} {row[name]} is outside 0 .. 1"
    for chord in row["chords"]:
        if chord["confidence"] is not None and not 0 <= chord["confidence"] <= 1:
            yield f"confidence {chord['confidence']} of chord {chord['label']} is outside 0 .. 1"
    if row["beat_count"] is not None and not 1 <= row["beat_count"] <= 16:
        yield f"beat_count {row['beat_count']} is outside 1 .. 16"
    if not 0 <= row["start_s"] * 1000 <= MAX_START_MS:
        yield f"start_s {row['start_s']} is outside 0 .. {MAX_START_MS / 1000:g}"
    if not 0 < row["duration_s"] <= CLIP_SECONDS + _SLACK:
        yield f"duration_s {row['duration_s']} is outside 0 .. {CLIP_SECONDS:g}"


def _beats(row: Row) -> Iterator[str]:
    for name in ("beats", "downbeats"):
        times = row[name]
        if any(not -_SLACK <= time <= row["duration_s"] + _SLACK for time in times):
            yield f"{name} holds a time outside the clip"
        if any(b <= a for a, b in itertools.pairwise(times)):
            yield f"{name} do not ascend"
    if not set(row["downbeats"]) <= set(row["beats"]):
        yield "a downbeat is not a beat"


def _tempo(row: Row) -> Iterator[str]:
    bpm, marking = row["tempo_bpm"], row["tempo_marking"]
    expected = None if bpm is None or not round(bpm) > 0 else tempo_marking(round(bpm))
    if marking != expected:
        yield f"tempo_marking is {marking!r}, a tempo of {bpm} BPM is {expected!r}"


def _meter(row: Row) -> Iterator[str]:
    signature, count = row["time_signature"], row["beat_count"]
    if (signature is None) != (count is None):
        yield f"time_signature is {signature!r} but beat_count is {count}: both or neither"
    elif signature is not None:
        meter = METERS.get(signature)
        if meter is None:
            yield f"time_signature {signature!r} is none of {', '.join(METERS)}"
        elif count != meter.felt:
            yield f"beat_count is {count}, but {signature} has {meter.felt} felt beats in a bar"


def _key(row: Row) -> Iterator[str]:
    if row["key"] is not None and row["key"] not in KEYS:
        yield f"{row['key']!r} is not a key name in the spelling that rows use"


def _chord_syntax(row: Row) -> Iterator[str]:
    for label in [*(chord["label"] for chord in row["chords"]), *row["chord_summary"]]:
        try:
            parse_chord(label or "")
        except ChordSyntaxError as error:
            yield str(error)


def _chords(row: Row) -> Iterator[str]:
    end = -_SLACK
    for chord in row["chords"]:
        if chord["start"] is None or chord["end"] is None:
            yield "a chord has no start or no end"
            return
        if not (end - _SLACK <= chord["start"] < chord["end"] <= row["duration_s"] + _SLACK):
            span = f"{chord['label']} from {chord['start']} to {chord['end']} s"
            yield f"chord {span} overlaps another, runs back or leaves the clip"
        end = chord["end"]
    try:
        sounding = {parse_chord(chord["label"]).root_pc for chord in row["chords"]}
        stated = {label: parse_chord(label).root_pc for label in row["chord_summary"]}
    except (ChordSyntaxError, TypeError):
        return  # the syntax rule reports it
    for label, root in stated.items():
        if root not in sounding:
            yield f"chord_summary states {label}, which is not among chords"


def _flags(row: Row) -> Iterator[str]:
    """Null exactly where a flag says why."""
    known = {
        "tempo": row["tempo_bpm"] is not None,
        "meter": row["time_signature"] is not None,
        "key": row["key"] is not None,
        "chords": bool(row["chords"]),  # a summary may leave out every chord for being short
    }
    flagged = set()
    for flag in row["qc_flags"]:
        attribute, colon, reason = flag.partition(":")
        if not (attribute and colon and reason):
            yield f"qc flag {flag!r} is not attribute:reason"
        flagged.add(attribute)
    for attribute, has in known.items():
        if has and attribute in flagged:
            yield f"{attribute} is flagged as withheld but has a value"
        if not has and attribute not in flagged:
            yield f"{attribute} has no value and no flag says why"


def _caption(row: Row) -> Iterator[str]:
    if row["caption_source"] == IMPORTED:
        return  # others wrote it, in their own words
    facts = facts_of_row(row)
    texts = [(row["caption_style"], row["caption"]), *((extra["style"], extra["text"]) for extra in row["captions"])]
    for style, text in texts:
        try:
            verdict = check_caption(text or "", facts, style)
        except ValueError as error:  # an unknown style
            yield f"{style!r}: {error}"
            continue
        if not verdict.ok:
            yield f"{style} caption breaks {verdict.rule}: {verdict.message or ' '.join(verdict.words)}"


def _provenance(row: Row) -> Iterator[str]:
    source, model = row["caption_source"], row["caption_model"]
    if source not in ("llm", "template", IMPORTED):
        yield f"caption_source is {source!r}, neither llm nor template nor imported"
    elif source != IMPORTED and (source == "llm") != bool(model):
        yield f"caption_source is {source} but caption_model is {model!r}"
    styles = [row["caption_style"], *(extra["style"] for extra in row["captions"])]
    if len(set(styles)) != len(styles):
        yield f"a caption style appears twice: {', '.join(map(str, styles))}"
    for tool in row["annotators"]:
        if not (tool["name"] and tool["version"] and tool["licence"]):
            yield f"annotator {tool['name']!r} lacks its name, version or licence"


def _raw(row: Row) -> Iterator[str]:
    for raw in row["raw"]:
        head = f'{{"annotator":"-","version":"-","attribute":{json.dumps(raw["attribute"])},"value":'
        try:
            estimate = from_json(Estimate, f"{head}{raw['value']}}}")
        except ContractError as error:
            yield f"raw estimate of {raw['annotator']!r}: {error}"
            continue
        if estimate.value.kind != raw["attribute"]:
            yield f"raw estimate of {raw['annotator']!r}: a value of {estimate.value.kind} under {raw['attribute']}"


# Rules in the order in which they are tried. The others rely on the first two: no nulls, no NaN.
RULES: tuple[tuple[str, Callable[[Row], Iterator[str]]], ...] = (
    ("null", _nulls),
    ("range", _ranges),
    ("text", _texts),
    ("path", _paths),
    ("id", _ids),
    ("beats", _beats),
    ("tempo", _tempo),
    ("meter", _meter),
    ("key", _key),
    ("chord-syntax", _chord_syntax),
    ("chords", _chords),
    ("qc-flags", _flags),
    ("caption", _caption),
    ("provenance", _provenance),
    ("raw", _raw),
)

FIRST_RULES = {"null", "range"}
_FACT_RULES = {"tempo", "meter", "key", "chord-syntax"}


def row_problems(row: Row) -> Iterator[tuple[str, str]]:
    """``(rule, what is wrong)`` of one row (a dict with every column but ``audio``)."""
    broken: set[str] = set()
    for rule, check in RULES:
        if rule == "caption" and broken & _FACT_RULES:
            continue  # there are no valid facts to compare the caption with
        for message in check(row):
            broken.add(rule)
            yield rule, message
        if broken & FIRST_RULES:
            return
