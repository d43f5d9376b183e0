"""Keys and chords fitted: keys from profiles and chords, then chords with the belief in the keys."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.labels.boosting import CONFIDENCE, Boosting, Examples
from benchmarks.labels.corpus import LabelClip
from benchmarks.labels.held_out import Fitted, Floats, Held, Judgement, balance, finish, held
from benchmarks.labels.rhythm_fit import Pool, Settings
from fgmcaps.annotators.evaluation.clip_scores import chord_recall
from fgmcaps.annotators.evidence.chord_classes import OTHER, majmin_class
from fgmcaps.annotators.fusion.choose import choose
from fgmcaps.annotators.fusion.contexts import chord_context, key_context
from fgmcaps.annotators.fusion.decide import joined
from fgmcaps.annotators.fusion.features import Row
from fgmcaps.annotators.fusion.hypotheses.chords import candidates_of, chord_rows, primary_of
from fgmcaps.annotators.fusion.hypotheses.key import key_rows
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.music import KEYS, key_index

SETTINGS: Settings = {
    "key": Boosting(),
    "chords": Boosting(min_leaf=40),
    "key.confidence": replace(CONFIDENCE, rising=("share", "votes", "chords", "steady")),
    "chords.confidence": replace(CONFIDENCE, rising=("share", "key")),
}
"""Hyper-parameters of both, and of their confidences."""


def fit_harmony(
    clips: Sequence[LabelClip], bpm: dict[str, float], settings: Settings, in_pool: Pool
) -> dict[str, Fitted]:
    """Keys and chords; ``bpm``: the tempo chosen for each clip."""
    scorer, tables, beliefs = score_keys(clips, settings)
    chords = fit_chords(clips, beliefs, bpm, settings, in_pool)
    judgements = []
    for clip in clips:
        rows, shares = tables[clip.name], beliefs[clip.name]
        if rows:
            best, truth = int(np.argmax(np.round(shares, 9))), clip.truth.key
            outcome = clip.outcome("key", None if truth is None else float(key_index(truth) == best))
            context = key_context(clip.evidence, shares, rows[best], best, chords.probability.get(clip.name))
            judgements.append(Judgement(clip, context, outcome))
    return {"key": finish(scorer, judgements, settings["key.confidence"], in_pool), "chords": chords}


def score_keys(clips: Sequence[LabelClip], settings: Settings) -> tuple[Held, dict[str, list[Row]], dict[str, Floats]]:
    """The scorer, every clip's features of the 24 keys, and the held-out belief in each key."""
    examples, tables, weights = Examples(), {}, balance(clips)
    for clip in clips:
        rows = key_rows(clip.evidence)
        tables[clip.name] = rows, examples.columns.table(rows)
        want = None if clip.truth.key is None else key_index(clip.truth.key)
        right = [clip.outcome("key", None if want is None else float(k == want)) for k in range(len(rows))]
        if clip.split == "train" and rows and right[0] is not None:
            examples.add(tables[clip.name][1], [r or 0.0 for r in right], clip.family, weights[clip.family])
    scorer = held(examples, settings["key"])
    beliefs = {}
    for clip in clips:
        rows, table = tables[clip.name]
        beliefs[clip.name] = choose(scorer(table, clip.family))[1] if rows else np.zeros(len(KEYS))
    return scorer, {name: rows for name, (rows, _) in tables.items()}, beliefs


def fit_chords(
    clips: Sequence[LabelClip],
    beliefs: dict[str, Floats],
    bpm: dict[str, float],
    settings: Settings,
    in_pool: Pool,
) -> Fitted:
    """The model of which candidate a span is; its target is the share of the span's time that has it."""
    examples, tables, weights = Examples(), {}, balance(clips)
    for clip in clips:
        candidates = candidates_of(clip.evidence)
        rows = chord_rows(clip.evidence, candidates, beliefs[clip.name], bpm.get(clip.name))
        made = [examples.columns.table(table) for table in rows]
        tables[clip.name] = candidates, rows, made
        if clip.split != "train":
            continue
        for span, own, table in zip(spans_of(clip), candidates, made, strict=True):
            shares = [clip.outcome("chords", share_right(span, c.kind, clip.truth.chords or ())) for c in own]
            known = [i for i, share in enumerate(shares) if share is not None]
            weight = float((span.end - span.start) * weights[clip.family])
            examples.add(table[known], [shares[i] or 0.0 for i in known], clip.family, weight)
    scorer = held(examples, settings["chords"])
    judgements = []
    for clip in clips:
        candidates, rows, made = tables[clip.name]
        if not candidates:
            continue
        shares = [choose(scorer(table, clip.family)) for table in made]
        spans = joined(spans_of(clip), candidates, shares)
        score = chord_recall(spans, clip.truth.chords)[0]
        context = chord_context(clip.evidence, shares, rows, beliefs[clip.name], bpm.get(clip.name))
        judgements.append(Judgement(clip, context, clip.outcome("chords", score)))
    return finish(scorer, judgements, settings["chords.confidence"], in_pool)


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
