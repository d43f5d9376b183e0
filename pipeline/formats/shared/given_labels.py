"""Labels in MusicBench's columns to ours. Pure.

Conventions there: ``beats`` = [times in seconds, number of each beat in its bar]; ``bpm``; ``chords`` = lead-sheet
symbols and ``chords_time`` = their starts, each until the next; ``key`` = [tonic, mode]; ``keyprob`` = [strength]. The
largest beat number is the number of beats that a bar is written with, and ``bpm`` is 60 / the median distance of these
beats. Rows count the felt beat: of 6/8 and 12/8 every third beat is kept, and a third of the tempo.

What is missing or unreadable is withheld with a flag: ``attribute:not_given`` or ``attribute:unreadable``. ``keyprob``
becomes the key's confidence as it is: it is Essentia's strength and not calibrated.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fgmcaps.pipeline.formats.shared.bars import is_felt, meter_of
from fgmcaps.pipeline.formats.shared.lead_sheet import harte_of_symbol
from fgmcaps.pipeline.validation.row_rules import TEMPO_RANGE
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Key, Labels, Tempo, ToolInfo
from fgmcaps.schemas.estimate import Attribute, Value
from fgmcaps.schemas.harte import NO_CHORD, UNKNOWN_CHORD
from fgmcaps.schemas.meter import meter_of_written
from fgmcaps.schemas.music import canonical_key

_MAX_ITEMS = 10_000


def no_labels(duration_s: float) -> tuple[Labels, tuple[Estimate, ...]]:
    """Labels of a clip that comes without any."""
    return Labels(qc_flags=tuple(f"{name}:not_given" for name in ("chords", "key", "meter", "tempo"))), ()


@dataclass(slots=True)
class _Draft:
    """What is gathered while the columns are read."""

    duration_s: float
    tool: ToolInfo
    labels: Labels = field(default_factory=Labels)
    estimates: list[Estimate] = field(default_factory=list)

    def estimate(self, attribute: Attribute, value: Value, confidence: float | None = None) -> None:
        self.estimates.append(Estimate(self.tool.name, self.tool.version, attribute, value, confidence))


def given_labels(row: Mapping[str, Any], duration_s: float, tool: ToolInfo) -> tuple[Labels, tuple[Estimate, ...]]:
    """Labels and raw estimates of one row of MusicBench for a clip of ``duration_s`` seconds; never raises."""
    draft = _Draft(duration_s, tool)
    flags = []
    for attribute, read in (("meter", _beats), ("tempo", _tempo), ("key", _key), ("chords", _chords)):
        try:
            reason = read(row, draft)
        except (TypeError, ValueError, OverflowError):
            reason = "unreadable"
        if reason:
            flags.append(f"{attribute}:{reason}")
    return replace(draft.labels, qc_flags=tuple(sorted(flags))), tuple(draft.estimates)


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
    meter = meter_of_written(max(numbers))
    if meter is None:
        draft.labels = replace(draft.labels, beats=grid.times)
        return "not_given" if max(numbers) <= 1 else "unreadable"
    draft.labels = replace(
        draft.labels,
        beats=tuple(t for t, n in inside if is_felt(n, meter)),
        downbeats=grid.downbeats,
        beat_count=meter.felt,
        time_signature=meter.signature,
    )
    return ""


def _tempo(row: Mapping[str, Any], draft: _Draft) -> str:
    if row.get("bpm") is None:
        return "not_given"
    (written,) = _numbers([row["bpm"]])
    meter = meter_of(draft.labels)
    felt = written if meter is None else written / meter.division
    if not TEMPO_RANGE[0] <= felt <= TEMPO_RANGE[1]:
        raise ValueError("no tempo of music")
    draft.estimate("tempo", Tempo(written))
    draft.labels = replace(draft.labels, tempo_bpm=felt)
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
    confidence = strength if strength is not None and 0 <= strength <= 1 else None
    draft.labels = replace(draft.labels, key=key, key_confidence=confidence)
    return ""


def _chords(row: Mapping[str, Any], draft: _Draft) -> str:
    symbols, given_starts = row.get("chords"), row.get("chords_time")
    if not symbols:
        return "not_given"
    starts = _numbers(given_starts)
    if not isinstance(symbols, list) or len(symbols) != len(starts):
        raise ValueError("not every chord has a start")
    if any(b <= a for a, b in itertools.pairwise(starts)) or starts[0] < 0:
        raise ValueError("starts do not ascend")
    labels = [harte_of_symbol(str(symbol)) for symbol in symbols]
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
    summary = tuple(label for label, _ in itertools.groupby(sounding))
    draft.labels = replace(draft.labels, chords=spans, chord_summary=summary)
    return ""
