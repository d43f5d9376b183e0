"""Tempo, meter and downbeats fitted one after the other, each at what was decided before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np

from benchmarks.labels.boosting import Boosting, Examples
from benchmarks.labels.corpus import LabelClip
from benchmarks.labels.held_out import (
    POOL_SHARES,
    Fitted,
    Held,
    Judgement,
    Kept,
    balance,
    before_of,
    confidence_of,
    finish,
    scorer_of,
)
from fgmcaps.annotators.evaluation.clip_scores import beat_f, tempo_accuracy
from fgmcaps.annotators.fusion.choose import choose
from fgmcaps.annotators.fusion.contexts import CONTEXT_FEATURES, bars_context, meter_context, tempo_context
from fgmcaps.annotators.fusion.features import Row, table_of
from fgmcaps.annotators.fusion.fusion_model import model_from_json
from fgmcaps.annotators.fusion.hypotheses.downbeats import Bars, bar_hypotheses, bar_rows, grid_of
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS
from fgmcaps.annotators.fusion.hypotheses.pulse import Pulse, choose_pulse, pulse_rows
from fgmcaps.annotators.fusion.hypotheses.tempo import tempo_hypotheses
from fgmcaps.annotators.fusion.scorer import Trees

Pool = Callable[[LabelClip], bool]
SIGNATURES = tuple(FELT_BEATS)
KeptModel = Mapping[str, Any] | None


Settings = Mapping[str, Boosting]
SETTINGS: Settings = {
    "tempo": Boosting(trees=300, rate=0.05, share=0.15, rising=("shape", "agree")),
    "downbeats": Boosting(trees=150, rate=0.05, share=0.2),
    "tempo.confidence": Boosting(trees=120, rate=0.05, leaves=3, min_leaf=15, l2=1.0, share=0.3, rising=("share",)),
    "downbeats.confidence": Boosting(trees=20, rate=0.15, leaves=4, share=1.0, rising=("share", "tempo", "meter")),
}
"""Hyper-parameters: tempo's scorer is that of pairs of tempo and meter.

Many small steps on few features each: an unseen style is judged by many weak features, not by the few that best
distinguished the known styles (`docs/experiments.md`).
"""


def fit_rhythm(
    clips: Sequence[LabelClip], settings: Settings, in_pool: Pool, kept: KeptModel = None
) -> tuple[dict[str, Fitted], dict[str, float]]:
    """Tempo, meter and downbeats, and the tempo chosen for each clip; ``kept``: a model whose scorers stay.

    ``clips``: of the splits train (fit) and validation (tune), negatives included.
    """
    tempo, meter, pulses = fit_pulse(clips, settings, in_pool, kept)
    downbeats = fit_downbeats(clips, pulses, tempo, meter, settings, in_pool, kept)
    bpm = {name: pulse.bpm for name, pulse in pulses.items()}
    return {"tempo": tempo, "meter": meter, "downbeats": downbeats}, bpm


def fit_pulse(
    clips: Sequence[LabelClip], settings: Settings, in_pool: Pool, kept: KeptModel
) -> tuple[Fitted, Fitted, dict[str, Pulse]]:
    """Models of tempo and meter, and what they (held out) choose for each clip."""
    examples, tables = Examples(), {}
    weights = balance(clips)
    for clip in clips:
        hypotheses = tempo_hypotheses(clip.evidence)
        if not hypotheses:
            continue
        rows = pulse_rows(clip.evidence, hypotheses)
        table = examples.columns.table(rows)
        tables[clip.name] = hypotheses, [kept_for_context(row) for row in rows], table
        if clip.split == "train" and kept is None:
            right = pairs_right(clip, hypotheses)
            known = [i for i, r in enumerate(right) if r is not None]
            examples.add(table[known], [right[i] or 0.0 for i in known], clip.fold, weights[clip.family])
    scorer = scorer_of(examples, settings["tempo"], kept, "tempo")
    tilt = None if kept is None else model_from_json(kept).tilt
    pulses = {}
    for clip in clips:
        if clip.name in tables:
            hypotheses, rows, table = tables[clip.name]
            pulses[clip.name] = choose_pulse(hypotheses, rows, scorer(table, clip.fold), tilt)
    tracked = [clip for clip in clips if clip.name in pulses]
    judgements = [
        Judgement(
            clip,
            tempo_context(clip.evidence, pulses[clip.name]),
            clip.outcome("tempo", tempo_accuracy(pulses[clip.name].bpm, clip.truth.tempo_bpm)),
        )
        for clip in tracked
    ]
    if kept is None:
        tempo = finish(scorer, judgements, settings["tempo.confidence"], in_pool, POOL_SHARES)
    else:
        tempo = doubted(scorer, judgements, before_of(kept, "tempo"), in_pool)
    judgements = []
    for clip in tracked:
        truth, pulse = clip.truth.time_signature, pulses[clip.name]
        outcome = clip.outcome("meter", None if truth is None else float(truth == pulse.signature))
        judgements.append(Judgement(clip, meter_context(pulse, tempo.probability[clip.name]), outcome))
    meter = finish(None, judgements, {"feature": "share"}, in_pool, as_stated=True)
    return tempo, meter, pulses


DOUBT = Boosting(trees=80, rate=0.06, leaves=3, min_leaf=30, l2=1.0, share=1.0, rising=("before",))
DOUBT_SHARES = {"rendered": 0.5, "negative": 0.25, "billboard": 1.0, "pop909": 0.5}
_DOUBTED = ("octaves", "percussive_share", "density", "chord_pace")
_PARTS = 5


def part_of(clip: LabelClip) -> str:
    """A fifth of the songs and styles."""
    return str(crc32(clip.family.encode()) % _PARTS)


def doubted(
    scorer: Held | Kept | None, judgements: Sequence[Judgement], before: dict[str, Any], in_pool: Pool
) -> Fitted:
    """The confidence of a tempo: ``before``, the kept one, and what doubled songs are known by.

    Slow songs with few drums are heard twice as fast, by all tools at once; no evidence that the tools give tells which
    octave is meant, but it tells that it is in doubt. Judged with a fifth of the songs left out, not a whole domain:
    nothing but POP909 shows it.
    """
    trees = Trees.from_json(before)
    rows = [
        Judgement(
            j.clip,
            {
                "before": float(trees(table_of([j.context], trees.features))[0]),
                **{name: j.context[name] for name in _DOUBTED},
            },
            j.outcome,
        )
        for j in judgements
    ]
    found = finish(scorer, rows, DOUBT, in_pool, DOUBT_SHARES, fold=part_of)
    return replace(found, data={**found.data, "before": before})


def kept_for_context(row: Row) -> Row:
    """The part of a pair's features that its confidence is judged by: all of them would fill the memory."""
    return {name: value for name, value in row.items() if name in CONTEXT_FEATURES}


def pairs_right(clip: LabelClip, hypotheses: Sequence[float]) -> list[float | None]:
    """1 for the pair of the true tempo and the true meter, 0 for the others, in the order of the rows.

    Where only the tempo is known, only pairs of a wrong tempo are known to be wrong.
    """
    found: list[float | None] = []
    for bpm in hypotheses:
        tempo = clip.outcome("tempo", tempo_accuracy(bpm, clip.truth.tempo_bpm))
        for signature in SIGNATURES:
            truth = clip.truth.time_signature
            meter = clip.outcome("meter", None if truth is None else float(truth == signature))
            known = tempo is not None and (meter is not None or tempo == 0.0)
            found.append(min(tempo or 0.0, 1.0 if meter is None else meter) if known else None)
    return found


def fit_downbeats(
    clips: Sequence[LabelClip],
    pulses: dict[str, Pulse],
    tempo: Fitted,
    meter: Fitted,
    settings: Settings,
    in_pool: Pool,
    kept: KeptModel,
) -> Fitted:
    """The model of where bars begin; its target is the F-measure of the downbeats."""
    examples, weights = Examples(), balance(clips)
    for clip in clips:
        at = near_truth(clip, pulses)
        if kept is not None or clip.split != "train" or clip.truth.downbeats is None or at is None:
            continue
        asked = {(round(at, 6), FELT_BEATS.get(clip.truth.time_signature or "", 4))}
        pulse = pulses[clip.name]
        asked.add((round(pulse.bpm, 6), FELT_BEATS[pulse.signature]))
        for tempo_bpm, beats in sorted(asked):
            found = hypotheses_at(clip, tempo_bpm, beats)
            if found is not None:
                scores = [beat_f(bars.downbeats, clip.truth.downbeats) or 0.0 for bars in found[0]]
                examples.add(examples.columns.table(found[1]), scores, clip.fold, weights[clip.family])
    scorer = scorer_of(examples, settings["downbeats"], kept, "downbeats")
    judgements = []
    for clip in clips:
        chosen = pulses.get(clip.name)
        found = None if chosen is None else hypotheses_at(clip, chosen.bpm, FELT_BEATS[chosen.signature])
        if found is None:
            continue
        hypotheses, rows = found
        best, shares = choose(scorer(examples.columns.table(rows), clip.fold))
        context = bars_context(
            clip.evidence, np.sort(shares)[::-1], tempo.probability[clip.name], meter.probability[clip.name]
        )
        f = beat_f(hypotheses[best].downbeats, clip.truth.downbeats)
        judgements.append(Judgement(clip, context, clip.outcome("downbeats", f)))
    return finish(
        scorer, judgements, confidence_of(kept, "downbeats", settings["downbeats.confidence"]), in_pool, POOL_SHARES
    )


def hypotheses_at(clip: LabelClip, bpm: float, beats_per_bar: int) -> tuple[list[Bars], list[dict[str, float]]] | None:
    """Bars and their features; None where no tracker counts anything like ``bpm``."""
    grid = grid_of(clip.evidence, bpm)
    if grid is None:
        return None
    hypotheses = bar_hypotheses(grid, beats_per_bar, clip.evidence.seconds)
    return hypotheses, bar_rows(clip.evidence, grid, beats_per_bar, hypotheses)


def near_truth(clip: LabelClip, pulses: dict[str, Pulse]) -> float | None:
    """The chosen tempo if it is right, else the hypothesis that is; None if none is."""
    truth = clip.truth.tempo_bpm
    if truth is None or clip.name not in pulses:
        return None
    for candidate in (pulses[clip.name].bpm, *tempo_hypotheses(clip.evidence)):
        if tempo_accuracy(candidate, truth):
            return candidate
    return None
