"""Keys and chords fitted: keys from profiles and chords, then chords with the belief in the keys."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.labels.boosting import CONFIDENCE, Boosting, Examples
from benchmarks.labels.corpus import LabelClip
from benchmarks.labels.held_out import POOL_SHARES, Fitted, Floats, Judgement, balance, confidence_of, finish, scorer_of
from benchmarks.labels.key_fit import KeyExample, SongModels, charts_of, fit_keys, key_features
from benchmarks.labels.rhythm_fit import KeptModel, Pool, Settings
from fgmcaps.annotators.evaluation.clip_scores import chord_recall
from fgmcaps.annotators.evidence.chord_classes import OTHER, majmin_class
from fgmcaps.annotators.fusion.choose import choose
from fgmcaps.annotators.fusion.contexts import chord_context, key_context
from fgmcaps.annotators.fusion.decide import joined
from fgmcaps.annotators.fusion.features import Row, table_of
from fgmcaps.annotators.fusion.hypotheses.chords import candidates_of, chord_rows, primary_of
from fgmcaps.annotators.fusion.hypotheses.key import add_charts, key_rows
from fgmcaps.annotators.fusion.scorer import Softmax
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.music import KEYS, key_index

SETTINGS: Settings = {
    "chords": Boosting(min_leaf=40),
    "chords.confidence": replace(CONFIDENCE, rising=("share", "key")),
}
"""Hyper-parameters of chords; a key is judged by its own share alone, which is honest on domains left out."""


def fit_harmony(
    clips: Sequence[LabelClip],
    bpm: dict[str, float],
    settings: Settings,
    in_pool: Pool,
    songs: SongModels,
    kept: KeptModel = None,
) -> dict[str, Fitted]:
    """Keys and chords; ``bpm``: the tempo chosen for each clip; ``songs``: see :func:`score_keys`.

    ``kept``: a model whose scorers stay, that of keys as evidence among others.
    """
    scorer, tables, beliefs = score_keys(clips, songs, kept)
    chords = fit_chords(clips, beliefs, bpm, settings, in_pool, kept)
    judgements = []
    for clip in clips:
        rows, shares = tables[clip.name], beliefs[clip.name]
        if rows:
            best, truth = int(np.argmax(np.round(shares, 9))), clip.truth.key
            outcome = clip.outcome("key", None if truth is None else float(key_index(truth) == best))
            context = key_context(clip.evidence, shares, rows[best], best, chords.probability.get(clip.name))
            judgements.append(Judgement(clip, context, outcome))
    key = finish(None, judgements, {"feature": "share"}, in_pool, POOL_SHARES)
    return {"key": replace(key, data={**key.data, "scorer": scorer}), "chords": chords}


def score_keys(
    clips: Sequence[LabelClip], songs: SongModels, kept: KeptModel
) -> tuple[dict[str, Any], dict[str, list[Row]], dict[str, Floats]]:
    """The scorer's data, every clip's features of the 24 keys, and the held-out belief in each key.

    ``songs``: the model of keys given chords that has not seen a clip's song.
    """
    rows = {clip.name: key_rows(clip.evidence, songs(clip)) for clip in clips}
    if kept is not None:
        charts = charts_of(kept)
        for table in rows.values():
            if table:
                add_charts(table, charts)
    weights, known = balance(clips), []
    names = key_features({name for table in rows.values() for name in (table[0] if table else {})})
    for clip in clips:
        if clip.split == "train" and rows[clip.name] and clip.truth.key is not None and clip.ordinary:
            table = table_of(rows[clip.name], names)
            known.append(KeyExample(table, key_index(clip.truth.key), weights[clip.family], clip.fold))
    final = fit_keys(known, names)
    folds = {fold: fit_keys([e for e in known if e.fold != fold], names) for fold in sorted({e.fold for e in known})}
    beliefs = {}
    for clip in clips:
        model = Softmax.from_json(folds.get(clip.fold, final))
        found = rows[clip.name]
        beliefs[clip.name] = choose(model(table_of(found, names)))[1] if found else np.zeros(len(KEYS))
    return final, rows, beliefs


def fit_chords(
    clips: Sequence[LabelClip],
    beliefs: dict[str, Floats],
    bpm: dict[str, float],
    settings: Settings,
    in_pool: Pool,
    kept: KeptModel,
) -> Fitted:
    """The model of which candidate a span is; its target is the share of the span's time that has it."""
    examples, tables, weights = Examples(), {}, balance(clips)
    for clip in clips:
        candidates = candidates_of(clip.evidence)
        rows = chord_rows(clip.evidence, candidates, beliefs[clip.name], bpm.get(clip.name))
        made = [examples.columns.table(table) for table in rows]
        tables[clip.name] = candidates, rows, made
        if clip.split != "train" or kept is not None:
            continue
        for span, own, table in zip(spans_of(clip), candidates, made, strict=True):
            shares = [clip.outcome("chords", share_right(span, c.kind, clip.truth.chords or ())) for c in own]
            known = [i for i, share in enumerate(shares) if share is not None]
            weight = float((span.end - span.start) * weights[clip.family])
            examples.add(table[known], [shares[i] or 0.0 for i in known], clip.fold, weight)
    scorer = scorer_of(examples, settings["chords"], kept, "chords")
    judgements = []
    for clip in clips:
        candidates, rows, made = tables[clip.name]
        if not candidates:
            continue
        shares = [choose(scorer(table, clip.fold)) for table in made]
        spans = joined(spans_of(clip), candidates, shares)
        score = chord_recall(spans, clip.truth.chords)[0]
        context = chord_context(clip.evidence, shares, rows, beliefs[clip.name], bpm.get(clip.name))
        judgements.append(Judgement(clip, context, clip.outcome("chords", score)))
    return finish(scorer, judgements, confidence_of(kept, "chords", settings["chords.confidence"]), in_pool)


def spans_of(clip: LabelClip) -> tuple[ChordSpan, ...]:
    """Spans of the recogniser whose spans are used."""
    primary = primary_of(clip.evidence)
    return () if primary is None else primary.spans


def share_right(span: ChordSpan, kind: int, truth: Sequence[ChordSpan]) -> float | None:
    """Share of a span's time in which the truth is of ``kind``; None where it has no triad at all."""
    right, total = 0.0, 0.0
    for true in truth:
        seconds = min(span.end, true.end) - max(span.start, true.start)
        own = majmin_class(true.label)
        if seconds > 0 and own != OTHER:
            total += seconds
            right += seconds * (own == kind)
    return right / total if total > 0 else None
