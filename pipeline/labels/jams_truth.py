"""JAMS documents as truth: what they say of a window of the track.

Namespaces read: ``beat`` and ``beat_position`` (positions give downbeats and the meter), ``tempo``, ``key_mode``,
``chord`` and ``chord_harte``; the first annotation of each counts. A time signature in the document's sandbox (as
:mod:`fgmcaps.pipeline.formats.jams` writes it) goes before the one that positions show. Plain JSON: the ``jams``
package is not needed.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from fgmcaps.annotators.fusion.meter import SIGNATURES
from fgmcaps.annotators.fusion.tempo import pulse
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.sources.base import printable
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.harte import is_chord_label
from fgmcaps.schemas.meter import TIME_SIGNATURES
from fgmcaps.schemas.music import canonical_key
from fgmcaps.schemas.truth import ClipTruth

log = logging.getLogger(__name__)
NAMESPACES = ("beat", "beat_position", "tempo", "key_mode", "chord", "chord_harte")
_STEADY = 0.9  # share of beat intervals near the median from which on beats tell a tempo

Observation = tuple[float, float, Any, float]
"""Time and duration in seconds, value, confidence."""


def read_jams(path: Path) -> dict[str, Any]:
    """The document. Raises FgmcapsError naming the file for what is no JAMS or has no namespace that is read here."""
    name = printable(str(path))
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FgmcapsError(f"cannot read the truth {name}: {' '.join(str(error).split())}") from None
    annotations = document.get("annotations") if isinstance(document, dict) else None
    if not isinstance(annotations, list) or not all(isinstance(a, dict) for a in annotations):
        raise FgmcapsError(f"{name} is no JAMS document: it has no list 'annotations'")
    found = sorted({str(a.get("namespace")) for a in annotations})
    if not set(found) & set(NAMESPACES) and _signature(document) is None:
        raise FgmcapsError(
            f"{name} holds the namespaces {', '.join(found) or '(none)'}; needed is any of {', '.join(NAMESPACES)}"
        )
    return dict(document)


def truth_of_window(document: Mapping[str, Any], start: float, seconds: float, group: str = "") -> ClipTruth:
    """What ``document`` says of ``start .. start + seconds`` of the track, with times from the window's start.

    A tempo or key counts where one holds for the whole window. Without a tempo, steady beats give one.
    Raises FgmcapsError for values that do not fit their namespace.
    """
    end = start + seconds
    beats = [o for o in _first(document, ("beat_position", "beat")) or () if start <= o[0] < end]
    known_beats = _first(document, ("beat_position", "beat")) is not None
    times = tuple(round(o[0] - start, 4) for o in beats)
    positions = [_position(o[2]) for o in beats]
    with_bars = known_beats and bool(beats) and all(p is not None for p in positions)
    tempo = _whole(_first(document, ("tempo",)), start, end)
    found = pulse(times)
    bpm = float(tempo) if isinstance(tempo, int | float) and tempo > 0 else None
    if bpm is None and found is not None and found[1] >= _STEADY:
        bpm = round(found[0], 3)
    return ClipTruth(
        tempo_bpm=bpm,
        beats=times if known_beats else None,
        downbeats=tuple(t for t, p in zip(times, positions, strict=True) if p == 1) if with_bars else None,
        time_signature=_signature(document) or _signature_of(positions if with_bars else []),
        key=_key(_whole(_first(document, ("key_mode",)), start, end)),
        chords=_chords(_first(document, ("chord", "chord_harte")), start, end),
        group=group,
    )


def _first(document: Mapping[str, Any], names: Sequence[str]) -> list[Observation] | None:
    for name in names:
        for annotation in document["annotations"]:
            if annotation.get("namespace") == name:
                return sorted(_observations(annotation, name), key=lambda o: o[0])
    return None


def _observations(annotation: Mapping[str, Any], name: str) -> list[Observation]:
    data = annotation.get("data")
    try:
        if isinstance(data, Mapping):  # JAMS before 0.3 stored columns
            rows = list(zip(data["time"], data["duration"], data["value"], data["confidence"], strict=True))
        else:
            rows = [(o["time"], o["duration"], o["value"], o.get("confidence")) for o in data or ()]
        return [(float(t), float(d), value, 1.0 if c is None else float(c)) for t, d, value, c in rows]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FgmcapsError(f"the JAMS annotation {name!r} has data that cannot be read: {error!r}") from None


def _whole(observations: Sequence[Observation] | None, start: float, end: float) -> Any:
    """The value that holds for the whole window, the surest where several do; None where it changes inside."""
    inside = [o for o in observations or () if o[0] < end - 1e-3 and o[0] + o[1] > start + 1e-3]
    whole = [o for o in inside if o[0] <= start + 1e-3 and o[0] + o[1] >= end - 0.1]
    return max(whole, key=lambda o: o[3])[2] if whole and len(whole) == len(inside) else None


def _position(value: Any) -> int | None:
    if isinstance(value, Mapping):  # beat_position
        value = value.get("position")
    return int(value) if isinstance(value, int | float) and value >= 1 else None


def _signature(document: Mapping[str, Any]) -> str | None:
    sandbox = document.get("sandbox")
    value = (sandbox.get("time_signature") or sandbox.get("meter")) if isinstance(sandbox, Mapping) else None
    return value if value in TIME_SIGNATURES else None


def _signature_of(positions: Sequence[int | None]) -> str | None:
    starts = [i for i, p in enumerate(positions) if p == 1]
    bars = {b - a for a, b in pairwise(starts)}
    return SIGNATURES.get(next(iter(bars))) if len(bars) == 1 else None


def _key(value: Any) -> str | None:
    if value is None:
        return None
    tonic, _, mode = str(value).partition(":")
    try:
        return canonical_key(f"{tonic} {mode or 'major'}")
    except ValueError:
        return None  # N, or a church mode: no key of ours


def _chords(observations: Sequence[Observation] | None, start: float, end: float) -> tuple[ChordSpan, ...] | None:
    if observations is None:
        return None
    spans = []
    for time, duration, value, _ in observations:
        first, last = max(time, start), min(time + duration, end)
        if last > first:
            label = str(value) if is_chord_label(str(value)) else "X"
            spans.append(ChordSpan(round(first - start, 4), round(last - start, 4), label))
    return tuple(spans)
