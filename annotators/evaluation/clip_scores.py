"""The scores of one clip's labels against its truth.

Conventions
-----------
A score is in 0 .. 1, or None where the truth is not known. A missing label scores 0 where the truth has one; to judge
kept labels only, leave such clips out first.

Metrics
-------
- tempo: Accuracy1 (within 4 % of the truth) and Accuracy2 (or of a half, a third, twice, thrice), Gouyon et al. 2006.
- beats, downbeats: F-measure with a window of 70 ms, :func:`mir_eval.beat.f_measure`, nothing trimmed.
- meter: the time signature, exactly.
- key: exactly (enharmonic names are one), and weighted by kinship, :func:`mir_eval.key.weighted_score`: 0.5 for the key
  a fifth above the truth, 0.3 for the relative and 0.2 for the parallel one. MIREX's own rules give 0.5 for the key a
  fifth below, too, so its figures are a little higher.
- chords: weighted chord symbol recall over the reference's time, ``majmin`` and ``sevenths`` of :mod:`mir_eval.chord`;
  None where the reference has nothing but chords outside that vocabulary.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mir_eval
import numpy as np

from fgmcaps.schemas import ChordSpan, Labels
from fgmcaps.schemas.harte import NO_CHORD, UNKNOWN_CHORD
from fgmcaps.schemas.music import key_index
from fgmcaps.schemas.truth import ClipTruth

TEMPO_TOLERANCE = 0.04
BEAT_WINDOW_S = 0.07
OCTAVES = (1.0, 2.0, 3.0, 1 / 2, 1 / 3)
ATTRIBUTES = ("tempo", "meter", "downbeats", "key", "chords")


@dataclass(frozen=True, slots=True)
class ClipScores:
    """All scores of a clip. The first five are those that an attribute's confidence predicts."""

    tempo: float | None = None
    meter: float | None = None
    downbeats: float | None = None
    key: float | None = None
    chords: float | None = None
    tempo_octave: float | None = None
    beats: float | None = None
    key_weighted: float | None = None
    chords_sevenths: float | None = None

    def of(self, attribute: str) -> float | None:
        """The score by name."""
        value: float | None = getattr(self, attribute)
        return value


def score_clip(labels: Labels, truth: ClipTruth) -> ClipScores:
    """Scores of ``labels``; see the module's conventions."""
    majmin, sevenths = chord_recall(labels.chords, truth.chords)
    return ClipScores(
        tempo=tempo_accuracy(labels.tempo_bpm, truth.tempo_bpm),
        meter=_exact(labels.time_signature, truth.time_signature),
        downbeats=beat_f(labels.downbeats, truth.downbeats),
        key=key_accuracy(labels.key, truth.key),
        chords=majmin,
        tempo_octave=tempo_accuracy(labels.tempo_bpm, truth.tempo_bpm, OCTAVES),
        beats=beat_f(labels.beats, truth.beats),
        key_weighted=_weighted(labels.key, truth.key),
        chords_sevenths=sevenths,
    )


def tempo_accuracy(
    bpm: float | None, reference: float | None, factors: Sequence[float] = (1.0,), tolerance: float = TEMPO_TOLERANCE
) -> float | None:
    """1.0 if ``bpm`` is within ``tolerance`` of ``reference`` times one of ``factors``, else 0.0."""
    if reference is None:
        return None
    if bpm is None:
        return 0.0
    return float(any(abs(bpm - reference * f) <= tolerance * reference * f + 1e-9 for f in factors))


def beat_f(times: Sequence[float], reference: Sequence[float] | None) -> float | None:
    """F-measure at 70 ms; 1.0 where both are empty."""
    if reference is None:
        return None
    if not times or not reference:
        return float(not times and not reference)
    return float(mir_eval.beat.f_measure(np.asarray(reference), np.asarray(times), BEAT_WINDOW_S))


def key_accuracy(key: str | None, reference: str | None) -> float | None:
    """1.0 for the same tonic and mode."""
    if reference is None:
        return None
    return float(key is not None and key_index(key) == key_index(reference))


def chord_recall(
    spans: Sequence[ChordSpan], reference: Sequence[ChordSpan] | None
) -> tuple[float | None, float | None]:
    """Weighted chord symbol recall ``(majmin, sevenths)`` over the time of ``reference``; its gaps do not count."""
    if not reference:
        return None, None
    start, end = reference[0].start, reference[-1].end
    want = _contiguous(reference, start, end, UNKNOWN_CHORD)
    got = _contiguous(spans, start, end, NO_CHORD)
    return _recall(mir_eval.chord.majmin, got, want), _recall(mir_eval.chord.sevenths, got, want)


_Labelled = tuple[Any, list[str]]  # intervals float64[n, 2] and n labels


def _contiguous(spans: Sequence[ChordSpan], start: float, end: float, filler: str) -> _Labelled:
    """Spans from ``start`` to ``end``, gaps filled: mir_eval wants both without holes and of the same extent."""
    edges, labels, at = [], [], start
    for span in [*spans, ChordSpan(end, end, filler)]:
        first, last = max(span.start, at), min(span.end, end)
        if first > at:
            edges.append((at, min(first, end)))
            labels.append(filler)
        if last > first:
            edges.append((first, last))
            labels.append(span.label)
        at = max(at, min(last, end), min(first, end))
    return np.array(edges, dtype=np.float64), labels


def _recall(compare: Callable[..., Any], got: _Labelled, want: _Labelled) -> float | None:
    both, want_labels, got_labels = mir_eval.util.merge_labeled_intervals(*want, *got)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mir_eval warns of what is handled here: nothing to compare
        scores = np.asarray(compare(want_labels, got_labels))
    seconds = mir_eval.util.intervals_to_durations(both)
    counts = scores >= 0
    return float(np.average(scores[counts], weights=seconds[counts])) if seconds[counts].sum() > 0 else None


def _exact(value: str | None, reference: str | None) -> float | None:
    return None if reference is None else float(value == reference)


def _weighted(key: str | None, reference: str | None) -> float | None:
    if reference is None:
        return None
    return 0.0 if key is None else float(mir_eval.key.weighted_score(reference, key))
