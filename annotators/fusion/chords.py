"""Chord sequences: what is kept of a recogniser's spans, and the progression that sums them up."""

from collections.abc import Sequence

import numpy as np

from fgmcaps.annotators.fusion.decision import Decision
from fgmcaps.annotators.settings import ChordSettings
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.harte import NO_CHORD, UNKNOWN_CHORD, simplify_chord

_START_FRAME_SECONDS = 0.05


def without_start_frame(spans: Sequence[ChordSpan]) -> Sequence[ChordSpan]:
    """The first chord from the start: some decoders must begin in ``N`` for one frame, whatever sounds."""
    if len(spans) > 1 and spans[0].label == NO_CHORD and spans[0].end - spans[0].start < _START_FRAME_SECONDS:
        first = spans[1]
        return (ChordSpan(spans[0].start, first.end, first.label, first.confidence), *spans[2:])
    return spans


def decide_chords(spans: Sequence[ChordSpan], settings: ChordSettings) -> Decision[tuple[ChordSpan, ...]]:
    """The sequence, if its mean confidence over the time in which chords sound is high enough.

    Reasons: ``not_found`` (no tool or no chord at all), ``low_confidence``.
    """
    sounding = [s for s in spans if s.label not in (NO_CHORD, UNKNOWN_CHORD) and s.end > s.start]
    if not sounding:
        return Decision(None, None, "not_found")
    if any(s.confidence is None for s in sounding):
        return Decision(tuple(spans), None)
    seconds = [s.end - s.start for s in sounding]
    confidence = round(float(np.average([s.confidence or 0.0 for s in sounding], weights=seconds)), 4)
    if confidence < settings.min_confidence:
        return Decision(None, confidence, "low_confidence")
    return Decision(tuple(spans), confidence)


def summarise(spans: Sequence[ChordSpan], settings: ChordSettings) -> tuple[str, ...]:
    """The progression: root and quality, no ``N``, no repeats, one period where it repeats, at most ``summary_max``.

    A sequence repeats if it holds at least two whole periods; a cut-off last one is allowed: C F C F C -> C F.
    """
    labels: list[str] = []
    for span in spans:
        if span.label in (NO_CHORD, UNKNOWN_CHORD) or span.end - span.start < settings.min_span_seconds:
            continue
        if span.confidence is not None and span.confidence < settings.min_span_confidence:
            continue
        label = simplify_chord(span.label)
        if not labels or labels[-1] != label:
            labels.append(label)
    return tuple(shortest_period(labels)[: settings.summary_max])


def shortest_period(labels: Sequence[str]) -> list[str]:
    """The shortest prefix that, repeated at least twice, gives the sequence; the whole sequence if there is none."""
    for period in range(1, len(labels) // 2 + 1):
        if all(label == labels[i % period] for i, label in enumerate(labels)):
            return list(labels[:period])
    return list(labels)
