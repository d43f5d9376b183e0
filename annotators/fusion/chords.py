"""Chords: one tool's spans, their confidence from its posterior and another tool's witness, and a summary."""

from collections.abc import Sequence

import numpy as np

from fgmcaps.annotators.fusion.decision import Decision
from fgmcaps.annotators.settings import ChordSettings
from fgmcaps.schemas import ChordSequence, ChordSpan, Estimate
from fgmcaps.schemas.harte import NO_CHORD, UNKNOWN_CHORD, parse_chord, simplify_chord

_START_FRAME_SECONDS = 0.05
_MAJOR = {"maj", "maj7", "7", "maj6", "9", "maj9", "11", "maj11", "13", "maj13", "aug", "sus4", "sus2", "5", "1"}


def majmin(label: str) -> tuple[int, str] | None:
    """``(root pitch class, "maj" | "min")`` of a label, ``None`` for ``N`` and ``X``.

    By the third: major, or minor (diminished chords too); chords without a third count as major, as deep chroma's 24
    classes leave no third choice.
    """
    chord = parse_chord(label)
    return None if chord.root_pc is None else (chord.root_pc, "maj" if chord.quality in _MAJOR else "min")


def agreement(span: ChordSpan, others: Sequence[ChordSpan]) -> float:
    """Share of a span's time in which ``others`` name the same root and third, 0 .. 1."""
    length = span.end - span.start
    if length <= 0:
        return 0.0
    want = majmin(span.label)
    same = sum(max(0.0, min(span.end, o.end) - max(span.start, o.start)) for o in others if majmin(o.label) == want)
    return min(1.0, same / length)


def witnessed(estimates: Sequence[Estimate], settings: ChordSettings) -> tuple[ChordSpan, ...]:
    """The spans of the first tool in ``settings.order`` that is present, each with a fused confidence, without repeats.

    Confidence = (1 - w) * posterior + w * mean agreement of the other tools, w = ``agreement_weight``; a part that is
    missing leaves the other whole.
    """
    by_tool = {e.annotator: e.value for e in estimates if isinstance(e.value, ChordSequence)}
    present = [by_tool[name].spans for name in settings.order if name in by_tool]
    if not present:
        return ()
    spans, witnesses = without_start_frame(present[0]), present[1:]
    fused = []
    for span in spans:
        heard = [agreement(span, other) for other in witnesses]
        seen = float(np.mean(heard)) if heard else None
        if span.confidence is None or seen is None:
            confidence = span.confidence if seen is None else seen
        else:
            confidence = (1 - settings.agreement_weight) * span.confidence + settings.agreement_weight * seen
        rounded = None if confidence is None else round(confidence, 4)
        fused.append(ChordSpan(round(span.start, 4), round(span.end, 4), span.label, rounded))
    return tuple(fused)


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
