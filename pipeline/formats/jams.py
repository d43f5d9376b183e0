"""Labels as JAMS, the JSON Annotated Music Specification (Humphrey et al., ISMIR 2014), schema version 0.3.

Namespaces: ``beat`` (value: position in the bar, 1 on a downbeat, null where the meter is unknown), ``tempo``,
``key_mode`` and ``chord`` (Harte labels). An attribute that was withheld has no annotation, and the sandbox says why.
Times are seconds from the clip's start. The dict is plain JSON; the ``jams`` package is not needed to write it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from fgmcaps.schemas import Annotation, Labels, ToolInfo

JAMS_VERSION = "0.3.4"

_Observation = tuple[float, float, Any, float | None]  # time, duration, value, confidence


def jams_of(annotation: Annotation, tools: Sequence[ToolInfo] = ()) -> dict[str, Any]:
    """The JAMS document of one clip. ``tools`` made the labels and are named in every annotation."""
    clip, labels = annotation.clip, annotation.labels
    metadata, duration = clip.track.metadata, clip.duration_s
    source = "; ".join(f"{tool.name} {tool.version}" for tool in sorted(tools, key=lambda tool: tool.name))
    spans: list[tuple[str, list[_Observation]]] = [
        ("beat", [(time, 0.0, position, None) for time, position in beat_positions(labels)]),
        ("tempo", _whole(labels.tempo_bpm, labels.tempo_confidence, duration)),
        ("key_mode", _whole(jams_key(labels.key), labels.key_confidence, duration)),
        ("chord", [(span.start, span.end - span.start, span.label, span.confidence) for span in labels.chords]),
    ]
    return {
        "annotations": [_annotation(namespace, data, duration, source) for namespace, data in spans if data],
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


def beat_positions(labels: Labels) -> list[tuple[float, int | None]]:
    """``(time, position in the bar)`` of every beat. Beats before the first downbeat are counted back from it where
    the number of beats in a bar is known; without downbeats every position is None.
    """
    downbeats = set(labels.downbeats)
    first = next((i for i, time in enumerate(labels.beats) if time in downbeats), None)
    if first is None:
        return [(time, None) for time in labels.beats]
    out: list[tuple[float, int | None]] = []
    position: int | None = None
    for i, time in enumerate(labels.beats):
        if i < first:
            position = None if labels.beat_count is None else (i - first) % labels.beat_count + 1
        else:
            position = 1 if time in downbeats else (position or 0) + 1
        out.append((time, position))
    return out


def jams_key(key: str | None) -> str | None:
    """A key as the ``key_mode`` namespace writes it: ``F# minor`` -> ``F#:minor``."""
    return None if key is None else key.replace(" ", ":")


def _whole(value: Any, confidence: float | None, duration: float) -> list[_Observation]:
    """One value that holds for the whole clip; nothing when it is unknown. JAMS wants a confidence for a tempo."""
    return [] if value is None else [(0.0, duration, value, 1.0 if confidence is None else confidence)]


def _annotation(namespace: str, data: Iterable[_Observation], duration: float, source: str) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "data": [
            {"time": time, "duration": length, "value": value, "confidence": confidence}
            for time, length, value, confidence in data
        ],
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
