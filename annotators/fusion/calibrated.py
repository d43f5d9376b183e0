"""The recipe ``calibrated``: hypotheses from all tools, scored by a fitted model, with probabilities that are true.

Conventions
-----------
- The confidence of tempo, meter and key is the probability that the value is right (tempo within 4 %). That of the
  downbeats is their expected F-measure at 70 ms, that of chords the expected share of time with right root and third.
- Tempo first, then the meter at that tempo, then where its bars begin; keys from profiles and chords; chords with the
  belief in the keys. What is decided is decided without thresholds; the filter then withholds what is not sure enough.
- A withheld tempo takes beats, meter and downbeats along, a withheld meter the downbeats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2, nan

import numpy as np

from fgmcaps.annotators.fusion.choose import choose, log_odds
from fgmcaps.annotators.fusion.chords import summarise
from fgmcaps.annotators.fusion.decision import Decision
from fgmcaps.annotators.fusion.evidence import Floats, Row, spans_by_tool, table_of, trackers_of
from fgmcaps.annotators.fusion.fusion_model import AttributeModel, FusionModel, load_model
from fgmcaps.annotators.fusion.hypotheses.chords import Candidate, candidates_of, chord_rows, primary_of
from fgmcaps.annotators.fusion.hypotheses.downbeats import Bars, bar_hypotheses, bar_rows, grid_of
from fgmcaps.annotators.fusion.hypotheses.key import key_rows, key_steadiness, key_unity
from fgmcaps.annotators.fusion.hypotheses.meter import METERS
from fgmcaps.annotators.fusion.hypotheses.pulse import Pulse, choose_pulse, pulse_rows
from fgmcaps.annotators.fusion.hypotheses.rhythm_evidence import chord_times, drift, phase_fit
from fgmcaps.annotators.fusion.hypotheses.tempo import tempo_hypotheses
from fgmcaps.annotators.settings import ChordSettings, FusionSettings
from fgmcaps.schemas import ChordSpan, Estimate, Labels
from fgmcaps.schemas.harte import NO_CHORD, UNKNOWN_CHORD
from fgmcaps.schemas.music import KEYS

_MODULATES = -0.22
"""Of :func:`fgmcaps.annotators.fusion.hypotheses.key.key_unity`: below it a clip has no one key (all of 6 modulating
clips that were looked at, 1 % of 500 others)."""
_NO_MUSIC = 0.5
"""Where tempo and chords are both less probable, pitch alone makes no key: a voice that speaks has pitch (so it was for
all 5 of 120 spoken clips that were given a key, and for 3 of 3,164 keys of music)."""
_UNSTEADY = 0.7
"""Share of beat intervals near the median below which a withheld tempo is flagged as unsteady."""


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Tempo, meter and bars before the filter; ``bars`` None where no tracker keeps the tempo."""

    bpm: float
    tempo_probability: float
    signature: str
    meter_probability: float
    bars: Bars | None = None
    downbeats_probability: float | None = None


@dataclass(frozen=True, eq=False)
class Harmony:
    """Key and chords before the filter."""

    key: str | None
    key_probability: float | None
    spans: tuple[ChordSpan, ...]
    chords_probability: float | None


def fuse_calibrated(estimates: Sequence[Estimate], settings: FusionSettings) -> Labels:
    """Labels of one clip; ``estimates`` in a fixed order. Raises ValueError for a model that is not there."""
    model = load_model(settings.model)
    rhythm = decide_rhythm(estimates, model)
    harmony = decide_harmony(estimates, model, None if rhythm is None else rhythm.bpm)
    tempo, meter, downbeats = _filter_rhythm(estimates, rhythm, model, settings)
    key = _kept(harmony.key, harmony.key_probability, model["key"], settings.key.precision)
    if key.value is not None and settings.key.precision > 0:
        if key_unity(estimates) < _MODULATES:
            key = Decision(None, key.confidence, "modulates")
        elif not _musical(rhythm, harmony):
            key = Decision(None, key.confidence, "no_music")
    chords = _kept_chords(harmony, model["chords"], settings.chords)
    bars = None if rhythm is None or tempo.value is None else rhythm.bars
    return Labels(
        tempo_bpm=tempo.value,
        tempo_confidence=tempo.confidence,
        beats=() if bars is None else bars.beats,
        downbeats=downbeats.value or (),
        beat_count=None if meter.value is None else METERS[meter.value],
        time_signature=meter.value,
        meter_confidence=meter.confidence,
        key=key.value,
        key_confidence=key.confidence,
        chords=chords.value or (),
        chord_summary=() if chords.value is None else summarise(chords.value, settings.chords),
        chords_confidence=chords.confidence,
        qc_flags=tempo.flags("tempo")
        + meter.flags("meter")
        + downbeats.flags("downbeats")
        + key.flags("key")
        + chords.flags("chords"),
        downbeats_confidence=downbeats.confidence,
    )


def decide_rhythm(estimates: Sequence[Estimate], model: FusionModel) -> Rhythm | None:
    """The likeliest tempo, the likeliest meter at it and the likeliest place of its bars; None without any beat."""
    hypotheses = tempo_hypotheses(estimates)
    if not hypotheses:
        return None
    rows = pulse_rows(estimates, hypotheses)
    pulse = choose_pulse(hypotheses, rows, _score(model["tempo"], rows))
    bpm, signature = pulse.bpm, pulse.signature
    tempo = _calibrated(model["tempo"], tempo_context(estimates, pulse))
    meter = _calibrated(model["meter"], meter_context(pulse, tempo))
    bars = place_bars(estimates, bpm, METERS[signature], model["downbeats"])
    if bars is None:
        return Rhythm(bpm, tempo, signature, meter)
    chosen, share = bars
    downbeats = _calibrated(model["downbeats"], bars_context(estimates, share, tempo, meter))
    return Rhythm(bpm, tempo, signature, meter, chosen, downbeats)


def place_bars(
    estimates: Sequence[Estimate], bpm: float, beats_per_bar: int, model: AttributeModel
) -> tuple[Bars, Floats] | None:
    """The likeliest bars of ``beats_per_bar`` beats at ``bpm`` and the shares of all, highest first."""
    grid = grid_of(estimates, bpm)
    if grid is None:
        return None
    hypotheses = bar_hypotheses(grid, beats_per_bar, clip_seconds(estimates))
    best, shares = choose(_score(model, bar_rows(estimates, grid, beats_per_bar, hypotheses)))
    return hypotheses[best], np.sort(shares)[::-1]


def decide_harmony(estimates: Sequence[Estimate], model: FusionModel, bpm: float | None) -> Harmony:
    """The likeliest key, and for every span of the recogniser its likeliest candidate."""
    rows = key_rows(estimates)
    best, shares = choose(_score(model["key"], rows)) if rows else (0, np.zeros(len(KEYS)))
    candidates = candidates_of(estimates)
    tables = chord_rows(estimates, candidates, shares, bpm)
    choices = [choose(_score(model["chords"], table)) for table in tables]
    spans = joined(primary_of(estimates)[1], candidates, choices)
    chords = None
    if any(s.label not in (NO_CHORD, UNKNOWN_CHORD) for s in spans):
        chords = _calibrated(model["chords"], chord_context(estimates, choices, tables, shares, bpm))
    key = None
    if rows:  # judged last: what has no chords has no key
        key = _calibrated(model["key"], key_context(estimates, shares, rows[best], best, chords))
    return Harmony(KEYS[best] if rows else None, key, () if chords is None else spans, chords)


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


_KEPT = ("octaves", "agree", "slower", "faster", "density", "percussive_share", "chord_pace", "shape", "grouping")

CONTEXT_FEATURES = frozenset((*_KEPT, "essentia.confidence", "chord_fit", "chord_fit.lead"))
"""What :func:`tempo_context` and :func:`meter_context` read of the chosen pair."""


def tempo_context(estimates: Sequence[Estimate], pulse: Pulse) -> Row:
    """What the confidence in a tempo is judged by."""
    return {
        "share": log_odds(pulse.tempo_shares[0]),
        "second": log_odds(pulse.tempo_shares[1]),
        "other": log2(pulse.other_bpm / pulse.bpm),
        "meter": float(tuple(METERS).index(pulse.signature)),
        "irregularity": max((1 - t.regularity for t in trackers_of(estimates)), default=nan),
        "drift": max((drift(t.grid.times) for t in trackers_of(estimates)), default=nan),
        "essentia.confidence": pulse.evidence["essentia.confidence"],
        **{name: pulse.evidence[name] for name in _KEPT},
    }


def meter_context(pulse: Pulse, tempo: float) -> Row:
    """What the confidence in a meter is judged by."""
    return {
        "share": log_odds(pulse.meter_shares[0]),
        "second": log_odds(pulse.meter_shares[1]),
        "meter": float(tuple(METERS).index(pulse.signature)),
        "tempo": log_odds(tempo),
        "other": log2(pulse.other_bpm / pulse.bpm),
        **{f"share {name}": log_odds(share) for name, share in zip(METERS, pulse.by_meter, strict=True)},
        **{name: pulse.evidence[name] for name in (*_KEPT, "chord_fit", "chord_fit.lead")},
    }


def bars_context(estimates: Sequence[Estimate], shares: Floats, tempo: float, meter: float) -> Row:
    """What the expected F-measure of downbeats is judged by."""
    trackers = trackers_of(estimates)
    return {
        "share": log_odds(float(shares[0])),
        "second": log_odds(float(shares[1])) if shares.size > 1 else -12.0,
        "tempo": log_odds(tempo),
        "meter": log_odds(meter),
        "irregularity": max((1 - t.regularity for t in trackers), default=nan),
    }


def key_context(estimates: Sequence[Estimate], shares: Floats, row: Row, best: int, chords: float | None) -> Row:
    """What the confidence in a key is judged by; ``chords``: the expected share of right chords."""
    return {
        "share": log_odds(float(shares[best])),
        "second": log_odds(float(np.sort(shares)[-2])),
        "votes": row.get("votes", nan),
        "chroma_entropy": row.get("chroma_entropy", nan),
        "percussive_share": row.get("percussive_share", nan),
        "chords": -12.0 if chords is None else log_odds(chords),
        "steady": key_steadiness(estimates, best),
    }


def chord_context(
    estimates: Sequence[Estimate],
    choices: Sequence[tuple[int, Floats]],
    tables: Sequence[Sequence[Row]],
    keys: Floats,
    bpm: float | None,
) -> Row:
    """What the expected share of right chords is judged by: means over the clip's time of what was chosen."""
    chosen = [table[best] for table, (best, _) in zip(tables, choices, strict=True)]
    seconds = np.array([max(row["seconds"], 1e-9) for row in chosen])
    share = np.array([float(shares[best]) for best, shares in choices])

    def mean(name: str) -> float:
        values = np.array([row.get(name, nan) for row in chosen])
        known = ~np.isnan(values)
        return float(np.average(values[known], weights=seconds[known])) if known.any() else nan

    times = chord_times(estimates)
    return {
        "share": log_odds(float(np.average(share, weights=seconds))),
        "least": log_odds(float(share[seconds > 0.3].min())) if (seconds > 0.3).any() else nan,
        "key": log_odds(float(keys.max())) if keys.size else nan,
        "on_beat": nan if bpm is None else phase_fit(times, 60.0 / bpm),
        "changes": float(len(chosen) / seconds.sum()),
        **{name: mean(name) for name in ("other0", "entropy", "mass", "key_fit", "elsewhere", "minor", "rank")},
        **{name: chosen[0].get(name, nan) for name in ("percussive_share", "chroma_entropy", "clip_least")},
    }


def clip_seconds(estimates: Sequence[Estimate]) -> float:
    """Length of the clip as the estimates show it: the end of the last chord span, or the last beat and an interval."""
    ends = [spans[-1].end for spans in spans_by_tool(estimates).values()]
    if ends:
        return max(ends)
    return max((t.grid.times[-1] + 60.0 / t.bpm for t in trackers_of(estimates)), default=0.0)


def _score(model: AttributeModel, rows: Sequence[Row]) -> Floats:
    if model.scorer is None:
        raise ValueError("the fusion model has no scorer for an attribute that needs one; fit it again")
    return model.scorer(table_of(rows, model.scorer.features))


def _calibrated(model: AttributeModel, context: Row) -> float:
    score = float(model.confidence(table_of([context], model.confidence.features))[0])
    return round(float(model.calibration(score)), 4)


def _kept(value: str | None, probability: float | None, model: AttributeModel, precision: float) -> Decision[str]:
    if value is None or probability is None:
        return Decision(None, None, "not_found")
    if probability < model.threshold(precision).probability:
        return Decision(None, probability, "low_confidence")
    return Decision(value, probability)


def _musical(rhythm: Rhythm | None, harmony: Harmony) -> bool:
    """Whether anything but a key was heard."""
    tempo, chords = None if rhythm is None else rhythm.tempo_probability, harmony.chords_probability
    return max(tempo or 0.0, chords or 0.0) >= _NO_MUSIC


def _kept_chords(harmony: Harmony, model: AttributeModel, settings: ChordSettings) -> Decision[tuple[ChordSpan, ...]]:
    if not harmony.spans or harmony.chords_probability is None:
        return Decision(None, None, "not_found")
    if harmony.chords_probability < model.threshold(settings.precision).probability:
        return Decision(None, harmony.chords_probability, "low_confidence")
    return Decision(harmony.spans, harmony.chords_probability)


def _filter_rhythm(
    estimates: Sequence[Estimate], rhythm: Rhythm | None, model: FusionModel, settings: FusionSettings
) -> tuple[Decision[float], Decision[str], Decision[tuple[float, ...]]]:
    if rhythm is None:
        return Decision(None, None, "not_found"), Decision(None, None, "no_tempo"), Decision(None, None, "no_tempo")
    tempo_ok = rhythm.tempo_probability >= model["tempo"].threshold(settings.tempo.precision).probability
    tempo: Decision[float]
    if tempo_ok:
        tempo = Decision(round(rhythm.bpm, 2), rhythm.tempo_probability)
    else:
        steady = max((t.regularity for t in trackers_of(estimates)), default=0.0)
        tempo = Decision(None, rhythm.tempo_probability, "unsteady" if steady < _UNSTEADY else "low_confidence")
    meter: Decision[str] = Decision(rhythm.signature, rhythm.meter_probability)
    if not tempo_ok:
        meter = Decision(None, rhythm.meter_probability, "no_tempo")
    elif clip_seconds(estimates) < 2 * METERS[rhythm.signature] * 60.0 / rhythm.bpm:
        meter = Decision(None, rhythm.meter_probability, "too_short")
    elif rhythm.meter_probability < model["meter"].threshold(settings.meter.precision).probability:
        meter = Decision(None, rhythm.meter_probability, "low_confidence")
    downbeats: Decision[tuple[float, ...]]
    if rhythm.bars is None or rhythm.downbeats_probability is None:
        downbeats = Decision(None, None, "no_tempo" if not tempo_ok else "no_tracker_on_tempo")
    elif meter.value is None:
        downbeats = Decision(None, rhythm.downbeats_probability, "no_meter" if tempo_ok else "no_tempo")
    elif rhythm.downbeats_probability < model["downbeats"].threshold(settings.downbeats.precision).probability:
        downbeats = Decision(None, rhythm.downbeats_probability, "low_confidence")
    else:
        downbeats = Decision(rhythm.bars.downbeats, rhythm.downbeats_probability)
    return tempo, meter, downbeats
