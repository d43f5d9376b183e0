"""Labels in MusicBench's columns to ours. Pure.

Conventions there: ``beats`` = [times in seconds, number of each beat in its bar]; ``bpm``; ``chords`` = lead-sheet
names and ``chords_time`` = their starts, each until the next; ``key`` = [tonic, mode]; ``keyprob`` = [strength]. The
number of beats in a bar is the largest beat number.

What is missing or unreadable is withheld with a flag: ``attribute:not_given`` or ``attribute:unreadable``. ``keyprob``
becomes the key's confidence as it is: it is Essentia's strength and not calibrated.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fgmcaps.pipeline.interop.chord_names import ChordNameError, harte_of_name
from fgmcaps.pipeline.validation.row_rules import TEMPO_RANGE
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Key, Labels, Tempo, ToolInfo
from fgmcaps.schemas.estimate import Attribute, Value
from fgmcaps.schemas.harte import NO_CHORD, UNKNOWN_CHORD
from fgmcaps.schemas.music import canonical_key

_SIGNATURES = {2: "2/4", 3: "3/4", 4: "4/4", 5: "5/4", 6: "6/8", 7: "7/4", 12: "12/8"}
_MAX_ITEMS = 10_000


def no_labels(duration_s: float) -> tuple[Labels, tuple[Estimate, ...]]:
    """Labels of a clip of which nothing is said."""
    return Labels(qc_flags=tuple(f"{name}:not_given" for name in ("chords", "key", "meter", "tempo"))), ()


@dataclass(slots=True)
class _Draft:
    """What is gathered while the columns are read."""

    duration_s: float
    tool: ToolInfo
    values: dict[str, Any] = field(default_factory=dict)
    estimates: list[Estimate] = field(default_factory=list)
    flags: dict[str, str] = field(default_factory=dict)

    def estimate(self, attribute: Attribute, value: Value, confidence: float | None = None) -> None:
        self.estimates.append(Estimate(self.tool.name, self.tool.version, attribute, value, confidence))


def given_labels(row: Mapping[str, Any], duration_s: float, tool: ToolInfo) -> tuple[Labels, tuple[Estimate, ...]]:
    """Labels and raw estimates of one row of MusicBench for a clip of ``duration_s`` seconds; never raises."""
    draft = _Draft(duration_s, tool)
    for attribute, read in (("meter", _beats), ("tempo", _tempo), ("key", _key), ("chords", _chords)):
        try:
            reason = read(row, draft)
        except (TypeError, ValueError, OverflowError, ChordNameError):
            reason = "unreadable"
        if reason:
            draft.flags[attribute] = reason
    flags = tuple(f"{name}:{reason}" for name, reason in sorted(draft.flags.items()))
    return Labels(qc_flags=flags, **draft.values), tuple(draft.estimates)


def _numbers(values: Any) -> list[float]:
    if not isinstance(values, list) or len(values) > _MAX_ITEMS:
        raise ValueError("not a list")
    out = [float(v) for v in values if not isinstance(v, bool | str)]
    if len(out) != len(values) or not all(math.isfinite(v) for v in out):
        raise ValueError("not numbers")
    return out


def _beats(row: Mapping[str, Any], draft: _Draft) -> str:
    """Beats, and from their numbers downbeats and meter. Beats after the end of the clip are left out."""
    given = row.get("beats")
    if not given or not any(given):
        return "not_given"
    if not isinstance(given, list) or len(given) != 2:
        raise ValueError("beats are not two lists")
    times, numbers = _numbers(given[0]), [round(n) for n in _numbers(given[1])]
    if len(times) != len(numbers) or any(b <= a for a, b in itertools.pairwise(times)) or min(numbers) < 0:
        raise ValueError("beats do not ascend, or not every one has a number")
    inside = [(t, n) for t, n in zip(times, numbers, strict=True) if 0 <= t <= draft.duration_s]
    if not inside:
        return "not_given"
    grid = BeatGrid(tuple(t for t, _ in inside), tuple(n for _, n in inside))
    draft.estimate("beats", grid)
    draft.values["beats"] = grid.times
    count = max(numbers)
    if count not in _SIGNATURES:
        return "not_given" if count <= 1 else "unreadable"
    draft.values |= {"downbeats": grid.downbeats, "beat_count": count, "time_signature": _SIGNATURES[count]}
    return ""


def _tempo(row: Mapping[str, Any], draft: _Draft) -> str:
    if row.get("bpm") is None:
        return "not_given"
    (bpm,) = _numbers([row["bpm"]])
    if not TEMPO_RANGE[0] <= bpm <= TEMPO_RANGE[1]:
        raise ValueError("no tempo of music")
    draft.estimate("tempo", Tempo(bpm))
    draft.values["tempo_bpm"] = bpm
    return ""


def _key(row: Mapping[str, Any], draft: _Draft) -> str:
    given = row.get("key")
    if not given:
        return "not_given"
    if not isinstance(given, list) or len(given) != 2:
        raise ValueError("key is not [tonic, mode]")
    key = canonical_key(f"{given[0]} {given[1]}")
    strengths = [s for s in row.get("keyprob") or [] if s is not None]
    strength = _numbers(strengths)[0] if strengths else None
    draft.estimate("key", Key(key), strength)
    draft.values["key"] = key
    draft.values["key_confidence"] = strength if strength is not None and 0 <= strength <= 1 else None
    return ""


def _chords(row: Mapping[str, Any], draft: _Draft) -> str:
    names, given_starts = row.get("chords"), row.get("chords_time")
    if not names:
        return "not_given"
    starts = _numbers(given_starts)
    if not isinstance(names, list) or len(names) != len(starts):
        raise ValueError("not every chord has a start")
    if any(b <= a for a, b in itertools.pairwise(starts)) or starts[0] < 0:
        raise ValueError("starts do not ascend")
    labels = [harte_of_name(str(name)) for name in names]
    ends = [*starts[1:], draft.duration_s]
    spans = tuple(
        ChordSpan(start, min(end, draft.duration_s), label)
        for label, start, end in zip(labels, starts, ends, strict=True)
        if start < draft.duration_s
    )
    sounding = [span.label for span in spans if span.label not in (NO_CHORD, UNKNOWN_CHORD)]
    if not sounding:
        return "not_given"
    draft.estimate("chords", ChordSequence(spans))
    draft.values["chords"] = spans
    draft.values["chord_summary"] = tuple(label for label, _ in itertools.groupby(sounding))
    return ""
