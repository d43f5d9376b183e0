"""The likeliest tempo, meter, bars, key and chords of a clip, each with its probability, before any filter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from fgmcaps.annotators.fusion.choose import choose
from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence
from fgmcaps.annotators.fusion.contexts import bars_context, chord_context, key_context, meter_context, tempo_context
from fgmcaps.annotators.fusion.features import Floats, Row, table_of
from fgmcaps.annotators.fusion.fusion_model import AttributeModel, FusionModel
from fgmcaps.annotators.fusion.hypotheses.chords import Candidate, candidates_of, chord_rows, primary_of
from fgmcaps.annotators.fusion.hypotheses.downbeats import Bars, bar_hypotheses, bar_rows, grid_of
from fgmcaps.annotators.fusion.hypotheses.key import add_charts, key_rows
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS
from fgmcaps.annotators.fusion.hypotheses.pulse import choose_pulse, pulse_rows
from fgmcaps.annotators.fusion.hypotheses.tempo import tempo_hypotheses
from fgmcaps.schemas import ChordSpan, NamedAlternative, TempoAlternative
from fgmcaps.schemas.harte import NO_CHORD, UNKNOWN_CHORD
from fgmcaps.schemas.music import KEYS

MOST_OTHERS, LEAST_OTHER = 3, 0.01
LEAST_METER = 0.0005
"""Every meter that has any chance is named: how common each is in a corpus is found from what is named."""
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Tempo, meter and bars before the filter; ``bars`` None where no tracker keeps the tempo.

    ``other_tempi`` and ``other_meters``: what they may be instead, the likeliest first.
    """

    bpm: float
    tempo_probability: float
    signature: str
    meter_probability: float
    bars: Bars | None = None
    downbeats_probability: float | None = None
    other_tempi: tuple[TempoAlternative, ...] = ()
    other_meters: tuple[NamedAlternative, ...] = ()


@dataclass(frozen=True, eq=False)
class Harmony:
    """Key and chords before the filter; ``other_keys``: what the key may be instead, the likeliest first."""

    key: str | None
    key_probability: float | None
    spans: tuple[ChordSpan, ...]
    chords_probability: float | None
    other_keys: tuple[NamedAlternative, ...] = ()


def decide_rhythm(clip: ClipEvidence, model: FusionModel) -> Rhythm | None:
    """The likeliest tempo, the likeliest meter at it and the likeliest place of its bars; None without any beat."""
    hypotheses = tempo_hypotheses(clip)
    if not hypotheses:
        return None
    rows = pulse_rows(clip, hypotheses)
    pulse = choose_pulse(hypotheses, rows, _score(model["tempo"], rows), model.tilt)
    bpm, signature = pulse.bpm, pulse.signature
    tempo = _calibrated(model["tempo"], tempo_context(clip, pulse))
    meter = _calibrated(model["meter"], meter_context(pulse, tempo))
    tempi, meters = (
        others(pulse.by_tempo, bpm, tempo),
        others(zip(FELT_BEATS, pulse.by_meter, strict=True), signature, meter, len(FELT_BEATS), LEAST_METER),
    )
    other_tempi = tuple(TempoAlternative(round(value, 2), share) for value, share in tempi)
    other_meters = tuple(NamedAlternative(value, share) for value, share in meters)
    bars = place_bars(clip, bpm, FELT_BEATS[signature], model["downbeats"])
    if bars is None:
        return Rhythm(bpm, tempo, signature, meter, None, None, other_tempi, other_meters)
    chosen, share = bars
    downbeats = _calibrated(model["downbeats"], bars_context(clip, share, tempo, meter))
    return Rhythm(bpm, tempo, signature, meter, chosen, downbeats, other_tempi, other_meters)


def others(
    shares: Iterable[tuple[T, float]],
    chosen: T,
    probability: float,
    most: int = MOST_OTHERS,
    least: float = LEAST_OTHER,
) -> list[tuple[T, float]]:
    """``(value, probability)`` of at most ``most`` others than ``chosen``, the likeliest first.

    ``shares``: the belief in every value; they may sum to less than 1, for none of them may be right. What is left of
    1 beside the ``probability`` of the chosen one is parted in their proportion, so that all sum to at most 1.
    """
    belief = list(shares)
    rest = 1.0 - sum(share for value, share in belief if value == chosen)
    if rest <= 0:
        return []
    found = [(value, round((1.0 - probability) * share / rest, 4)) for value, share in belief if value != chosen]
    found.sort(key=lambda entry: -entry[1])
    return [(value, share) for value, share in found[:most] if share >= least]


def place_bars(clip: ClipEvidence, bpm: float, beats_per_bar: int, model: AttributeModel) -> tuple[Bars, Floats] | None:
    """The likeliest bars of ``beats_per_bar`` beats at ``bpm`` and the shares of all, highest first."""
    grid = grid_of(clip, bpm)
    if grid is None:
        return None
    hypotheses = bar_hypotheses(grid, beats_per_bar, clip.seconds)
    best, shares = choose(_score(model, bar_rows(clip, grid, beats_per_bar, hypotheses)))
    return hypotheses[best], np.sort(shares)[::-1]


def decide_harmony(clip: ClipEvidence, model: FusionModel, bpm: float | None) -> Harmony:
    """The likeliest key, and for every span of the recogniser its likeliest candidate."""
    rows = key_rows(clip)
    if rows and model.charts is not None:
        add_charts(rows, model.charts)
    best, shares = choose(_score(model["key"], rows)) if rows else (0, np.zeros(len(KEYS)))
    candidates = candidates_of(clip)
    tables = chord_rows(clip, candidates, shares, bpm)
    choices = [choose(_score(model["chords"], table)) for table in tables]
    primary = primary_of(clip)
    spans = () if primary is None else joined(primary.spans, candidates, choices)
    chords = None
    if any(s.label not in (NO_CHORD, UNKNOWN_CHORD) for s in spans):
        chords = _calibrated(model["chords"], chord_context(clip, choices, tables, shares, bpm))
    key = None
    if rows:  # judged last: what has no chords has no key
        key = _calibrated(model["key"], key_context(clip, shares, rows[best], best, chords))
    keys = () if key is None else others(zip(KEYS, shares.tolist(), strict=True), KEYS[best], key)
    other_keys = tuple(NamedAlternative(value, share) for value, share in keys)
    return Harmony(KEYS[best] if rows else None, key, () if chords is None else spans, chords, other_keys)


def joined(
    spans: Sequence[ChordSpan], candidates: Sequence[Sequence[Candidate]], choices: Sequence[tuple[int, Floats]]
) -> tuple[ChordSpan, ...]:
    """Spans with the label that was chosen and its probability; neighbours that became equal are joined."""
    chosen: list[ChordSpan] = []
    for span, labels, (best, shares) in zip(spans, candidates, choices, strict=True):
        label, share = labels[best].label, round(float(shares[best]), 4)
        if chosen and chosen[-1].label == label:
            before = chosen.pop()
            long, short = before.end - before.start, span.end - span.start
            share = round(((before.confidence or 0.0) * long + share * short) / max(long + short, 1e-9), 4)
            chosen.append(ChordSpan(before.start, round(span.end, 4), label, share))
        else:
            chosen.append(ChordSpan(round(span.start, 4), round(span.end, 4), label, share))
    return tuple(chosen)


def _score(model: AttributeModel, rows: Sequence[Row]) -> Floats:
    if model.scorer is None:
        raise ValueError("the fusion model has no scorer for an attribute that needs one; fit it again")
    return model.scorer(table_of(rows, model.scorer.features))


def _calibrated(model: AttributeModel, context: Row) -> float:
    if model.before is not None:
        context = {**context, "before": float(model.before(table_of([context], model.before.features))[0])}
    score = float(model.confidence(table_of([context], model.confidence.features))[0])
    return round(float(model.calibration(score)), 4)
