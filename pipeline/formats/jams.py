"""JAMS, the JSON Annotated Music Specification (Humphrey et al., ISMIR 2014), schema version 0.3.

Written: one ``.jams`` a clip at ``{split}/{first two digits of the id}/{id}.jams`` (so that no folder grows too large
for file systems), and its ``.flac`` beside it where audio is embedded. Namespaces ``beat``, ``tempo``, ``key_mode`` and
``chord`` (Harte labels); an attribute that was withheld has no annotation. Times are seconds from the clip's start. The
caption, the time signature, the reasons of withheld values and what else JAMS has no namespace for are in ``sandbox``.

Read, as the truth that labels are compared with: ``beat`` and ``beat_position``, ``tempo``, ``key_mode``, ``chord`` and
``chord_harte``; the first annotation of each counts. A time signature in the sandbox goes before the one that the
positions of the beats show.

The value of a ``beat`` is its place among the *written* beats of the bar, 1 on a downbeat, null where it is unknown:
the two felt beats of 6/8 are 1 and 4. Documents that list all six beats are read as these two.

This is plain JSON; docs/experiments.md says why the ``jams`` package is used by the tests alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from fgmcaps.annotators.fusion.tempo import pulse
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.formats.base import Exporter, Row, Shards, embedded
from fgmcaps.pipeline.formats.shared.annotation_of_row import annotation_of_row
from fgmcaps.pipeline.formats.shared.bars import Beat, is_felt, meter_of_bar, written_positions
from fgmcaps.pipeline.sources.base import printable
from fgmcaps.schemas import Annotation, ChordSpan, Manifest, ToolInfo
from fgmcaps.schemas.harte import is_chord_label
from fgmcaps.schemas.meter import METERS, Meter
from fgmcaps.schemas.music import canonical_key
from fgmcaps.schemas.truth import ClipTruth

JAMS_VERSION = "0.3.4"
NAMESPACES = ("beat", "beat_position", "tempo", "key_mode", "chord", "chord_harte")
_IN_SANDBOX = (
    *("caption", "caption_style", "caption_source", "caption_model", "prompt_version", "captions"),
    *("chord_summary", "genre", "mood", "licence", "split", "track_id"),
)
_STEADY = 0.9  # from this share of beat intervals near the median on, beats show a tempo


@dataclass(frozen=True, slots=True)
class _Observation:
    """``time`` and ``duration`` in seconds."""

    time: float
    duration: float
    value: Any
    confidence: float | None


def write_jams(folder: Path, shards: Shards, manifest: Manifest) -> None:
    """See the module."""
    for shard, rows in shards:
        for row in rows:
            place = folder / shard.split / row["id"][:2]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{row['id']}.jams").write_text(jams_text(row), encoding="utf-8")
            audio = embedded(row)
            if audio is not None:
                (place / f"{row['id']}.flac").write_bytes(audio)


def jams_text(row: Row) -> str:
    """The JAMS document of a row as JSON."""
    tools = [ToolInfo(tool["name"], tool["version"], tool["licence"]) for tool in row["annotators"]]
    document = jams_of(annotation_of_row(row), tools)
    document["sandbox"] |= {name: row[name] for name in _IN_SANDBOX}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def jams_of(annotation: Annotation, tools: Sequence[ToolInfo] = ()) -> dict[str, Any]:
    """The JAMS document of one clip. ``tools`` made the labels and are named in every annotation."""
    clip, labels = annotation.clip, annotation.labels
    metadata, duration = clip.track.metadata, clip.duration_s
    source = "; ".join(f"{tool.name} {tool.version}" for tool in sorted(tools, key=lambda tool: tool.name))
    data: dict[str, list[_Observation]] = {
        "beat": [_Observation(beat.time, 0.0, beat.position, None) for beat in written_positions(labels)],
        "tempo": _through_all(labels.tempo_bpm, labels.tempo_confidence, duration),
        "key_mode": _through_all(key_mode(labels.key), labels.key_confidence, duration),
        "chord": [_Observation(c.start, c.end - c.start, c.label, c.confidence) for c in labels.chords],
    }
    return {
        "annotations": [_annotation(name, found, duration, source) for name, found in data.items() if found],
        "file_metadata": {
            "title": metadata.title or "",
            "artist": metadata.artist or "",
            "release": metadata.album or "",
            "duration": duration,
            "identifiers": {"clip_id": clip.clip_id, "track_id": clip.track.track_id},
            "jams_version": JAMS_VERSION,
        },
        "sandbox": {
            "source": clip.track.source,
            "source_path": clip.track.source_path,
            "start_s": clip.start_s,
            "time_signature": labels.time_signature,
            "meter_confidence": labels.meter_confidence,
            "qc_flags": list(labels.qc_flags),
        },
    }


def key_mode(key: str | None) -> str | None:
    """A key as the ``key_mode`` namespace writes it: ``F# minor`` -> ``F#:minor``."""
    return None if key is None else key.replace(" ", ":")


def _through_all(value: Any, confidence: float | None, duration: float) -> list[_Observation]:
    """One value for the whole clip; nothing where it is unknown. JAMS wants a confidence for a tempo."""
    return [] if value is None else [_Observation(0.0, duration, value, 1.0 if confidence is None else confidence)]


def _annotation(namespace: str, data: Iterable[_Observation], duration: float, source: str) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "data": [asdict(observation) for observation in data],
        "annotation_metadata": {
            "curator": {"name": "", "email": ""},
            "annotator": {},
            "version": "",
            "corpus": "",
            "annotation_tools": source,
            "annotation_rules": "",
            "validation": "",
            "data_source": "program",
        },
        "sandbox": {},
        "time": 0.0,
        "duration": duration,
    }


def read_jams(path: Path) -> dict[str, Any]:
    """The document. Raises FgmcapsError naming the file if it is not JAMS or has no namespace that is read here."""
    name = printable(str(path))
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FgmcapsError(f"cannot read the truth {name}: {' '.join(str(error).split())}") from None
    annotations = document.get("annotations") if isinstance(document, dict) else None
    if not isinstance(annotations, list) or not all(isinstance(a, dict) for a in annotations):
        raise FgmcapsError(f"{name} is not a JAMS document: it has no list 'annotations'")
    found = sorted({str(a.get("namespace")) for a in annotations})
    if not set(found) & set(NAMESPACES) and _stated_meter(document) is None:
        raise FgmcapsError(
            f"{name} holds the namespaces {', '.join(found) or '(none)'}; it needs one of {', '.join(NAMESPACES)}"
        )
    return dict(document)


def truth_of_window(document: Mapping[str, Any], start: float, seconds: float, group: str = "") -> ClipTruth:
    """The truth in ``document`` about ``start .. start + seconds`` of the track, with times from the window's start.

    A tempo or key counts where one holds for the whole window. Without a tempo, steady beats give one.
    Raises FgmcapsError for values that do not fit their namespace.
    """
    end = start + seconds
    given = _first(document, ("beat_position", "beat"))
    beats = [Beat(round(o.time - start, 4), _position(o.value)) for o in given or () if start <= o.time < end]
    meter = _stated_meter(document) or _meter_of_bars(beats)
    if meter is not None and any((beat.position or 0) > meter.felt for beat in beats):
        beats = [beat for beat in beats if beat.position is not None and is_felt(beat.position, meter)]
    times = tuple(beat.time for beat in beats)
    tempo = _whole(_first(document, ("tempo",)), start, end)
    bpm = float(tempo) if isinstance(tempo, int | float) and tempo > 0 else None
    found = pulse(times)
    if bpm is None and found is not None and found[1] >= _STEADY:
        bpm = round(found[0], 3)
    with_bars = bool(beats) and all(beat.position is not None for beat in beats)
    return ClipTruth(
        tempo_bpm=bpm,
        beats=None if given is None else times,
        downbeats=tuple(beat.time for beat in beats if beat.position == 1) if with_bars else None,
        time_signature=None if meter is None else meter.signature,
        key=_key(_whole(_first(document, ("key_mode",)), start, end)),
        chords=_chords(_first(document, ("chord", "chord_harte")), start, end),
        group=group,
    )


def _first(document: Mapping[str, Any], names: Sequence[str]) -> list[_Observation] | None:
    for name in names:
        for annotation in document["annotations"]:
            if annotation.get("namespace") == name:
                return sorted(_observations(annotation, name), key=lambda o: o.time)
    return None


def _observations(annotation: Mapping[str, Any], name: str) -> list[_Observation]:
    data = annotation.get("data")
    try:
        if isinstance(data, Mapping):  # JAMS before 0.3 stored columns
            rows = list(zip(data["time"], data["duration"], data["value"], data["confidence"], strict=True))
        else:
            rows = [(o["time"], o["duration"], o["value"], o.get("confidence")) for o in data or ()]
        return [_Observation(float(t), float(d), value, 1.0 if c is None else float(c)) for t, d, value, c in rows]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FgmcapsError(f"the JAMS annotation {name!r} has data that cannot be read: {error!r}") from None


def _whole(observations: Sequence[_Observation] | None, start: float, end: float) -> Any:
    """The value that holds for the whole window, the surest where several do; None where it changes inside."""
    inside = [o for o in observations or () if o.time < end - 1e-3 and o.time + o.duration > start + 1e-3]
    whole = [o for o in inside if o.time <= start + 1e-3 and o.time + o.duration >= end - 0.1]
    return max(whole, key=lambda o: o.confidence or 0.0).value if whole and len(whole) == len(inside) else None


def _position(value: Any) -> int | None:
    if isinstance(value, Mapping):  # beat_position
        value = value.get("position")
    return int(value) if isinstance(value, int | float) and value >= 1 else None


def _stated_meter(document: Mapping[str, Any]) -> Meter | None:
    """The time signature in the sandbox, as documents of ours state it."""
    sandbox = document.get("sandbox")
    value = (sandbox.get("time_signature") or sandbox.get("meter")) if isinstance(sandbox, Mapping) else None
    return METERS.get(value) if isinstance(value, str) else None


def _meter_of_bars(beats: Sequence[Beat]) -> Meter | None:
    """The meter that all whole bars show by their beats' positions."""
    positions = [beat.position for beat in beats if beat.position is not None]
    if len(positions) < len(beats):
        return None
    starts = [i for i, position in enumerate(positions) if position == 1]
    bars = {tuple(positions[a:b]) for a, b in pairwise(starts)}
    return meter_of_bar(next(iter(bars))) if len(bars) == 1 else None


def _key(value: Any) -> str | None:
    if value is None:
        return None
    tonic, _, mode = str(value).partition(":")
    try:
        return canonical_key(f"{tonic} {mode or 'major'}")
    except ValueError:
        return None  # N, or a church mode: rows know major and minor


def _chords(observations: Sequence[_Observation] | None, start: float, end: float) -> tuple[ChordSpan, ...] | None:
    if observations is None:
        return None
    spans = []
    for o in observations:
        first, last = max(o.time, start), min(o.time + o.duration, end)
        if last > first:
            label = str(o.value) if is_chord_label(str(o.value)) else "X"
            spans.append(ChordSpan(round(first - start, 4), round(last - start, 4), label))
    return tuple(spans)


JAMS = Exporter("jams", "optional", write_jams)
