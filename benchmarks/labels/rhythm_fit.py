"""Tempo, meter and downbeats fitted one after the other, each at what was decided before."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from annotators.evaluation.clip_scores import beat_f, tempo_accuracy
from annotators.fusion.calibrated import bars_context, clip_seconds, meter_context, tempo_context
from annotators.fusion.choose import choose
from annotators.fusion.downbeat_model import Bars, bar_hypotheses, bar_rows, grid_of
from annotators.fusion.meter_model import METERS, meter_rows
from annotators.fusion.tempo_model import tempo_hypotheses, tempo_rows
from benchmarks.labels.boosting import Boosting, Examples
from benchmarks.labels.corpus import LabelClip
from benchmarks.labels.held_out import Fitted, Judgement, finish, held

Pool = Callable[[LabelClip], bool]
SIGNATURES = tuple(METERS)


Settings = Mapping[str, Boosting]
SETTINGS: Settings = {
    "tempo": Boosting(trees=150),
    "meter": Boosting(trees=150),
    "downbeats": Boosting(trees=120),
    "tempo.confidence": Boosting(trees=40, leaves=4, share=1.0, rising=("share",)),
    "meter.confidence": Boosting(trees=40, leaves=4, share=1.0, rising=("share", "tempo")),
    "downbeats.confidence": Boosting(trees=40, leaves=4, share=1.0, rising=("share", "tempo", "meter")),
}
"""Hyper-parameters of the three, and of their confidences."""


def fit_rhythm(clips: Sequence[LabelClip], settings: Settings, in_pool: Pool) -> dict[str, Fitted]:
    """``clips``: of the splits train (fit) and validation (tune), negatives included."""
    tempo, bpm = fit_tempo(clips, settings, in_pool)
    meter, signature = fit_meter(clips, bpm, tempo, settings, in_pool)
    downbeats = fit_downbeats(clips, bpm, signature, tempo, meter, settings, in_pool)
    return {"tempo": tempo, "meter": meter, "downbeats": downbeats}


def fit_tempo(clips: Sequence[LabelClip], settings: Settings, in_pool: Pool) -> tuple[Fitted, dict[str, float]]:
    """The model, and the tempo that it (held out) chooses for each clip."""
    examples, tables = Examples(), {}
    for clip in clips:
        hypotheses = tempo_hypotheses(clip.estimates)
        rows = tempo_rows(clip.estimates, hypotheses)
        tables[clip.name] = hypotheses, rows
        if clip.split == "train" and knows(clip, clip.truth.tempo_bpm):
            for bpm, row in zip(hypotheses, rows, strict=True):
                examples.add(row, tempo_accuracy(bpm, clip.truth.tempo_bpm) or 0.0, clip.family)
    scorer = held(examples, settings["tempo"])
    judgements, chosen = [], {}
    for clip in clips:
        hypotheses, rows = tables[clip.name]
        if not hypotheses:
            continue
        best, shares = choose(scorer(rows, clip.family))
        chosen[clip.name] = hypotheses[best]
        right = tempo_accuracy(hypotheses[best], clip.truth.tempo_bpm)
        outcome = right if right is not None else (0.0 if not clip.positive else None)
        judgements.append(Judgement(clip, tempo_context(clip.estimates, shares, best), outcome))
    return finish(scorer, judgements, settings["tempo.confidence"], in_pool), chosen


def fit_meter(
    clips: Sequence[LabelClip], bpm: dict[str, float], tempo: Fitted, settings: Settings, in_pool: Pool
) -> tuple[Fitted, dict[str, str]]:
    """The model, and the time signature chosen for each clip."""
    examples = Examples()
    for clip in clips:
        at = near_truth(clip, bpm)
        if clip.split == "train" and at is not None and clip.truth.time_signature in METERS:
            for signature, row in zip(SIGNATURES, meter_rows(clip.estimates, at), strict=True):
                examples.add(row, float(signature == clip.truth.time_signature), clip.family)
    scorer = held(examples, settings["meter"])
    judgements, chosen = [], {}
    for clip in clips:
        if clip.name not in bpm:
            continue
        best, shares = choose(scorer(meter_rows(clip.estimates, bpm[clip.name]), clip.family))
        chosen[clip.name] = SIGNATURES[best]
        context = meter_context(clip.estimates, shares, best, tempo.probability[clip.name])
        truth = clip.truth.time_signature
        outcome = float(truth == SIGNATURES[best]) if truth is not None else (None if clip.positive else 0.0)
        judgements.append(Judgement(clip, context, outcome))
    return finish(scorer, judgements, settings["meter.confidence"], in_pool), chosen


def fit_downbeats(
    clips: Sequence[LabelClip],
    bpm: dict[str, float],
    signature: dict[str, str],
    tempo: Fitted,
    meter: Fitted,
    settings: Settings,
    in_pool: Pool,
) -> Fitted:
    """The model of where bars begin; its target is the F-measure of the downbeats."""
    examples = Examples()
    for clip in clips:
        at = near_truth(clip, bpm)
        if clip.split != "train" or clip.truth.downbeats is None or at is None:
            continue
        asked = {(round(at, 6), METERS.get(clip.truth.time_signature or "", 4))}
        asked.add((round(bpm[clip.name], 6), METERS[signature[clip.name]]))
        for tempo_bpm, beats in sorted(asked):
            found = hypotheses_at(clip, tempo_bpm, beats)
            if found is not None:
                for bars, row in zip(*found, strict=True):
                    examples.add(row, beat_f(bars.downbeats, clip.truth.downbeats) or 0.0, clip.family)
    scorer = held(examples, settings["downbeats"])
    judgements = []
    for clip in clips:
        found = hypotheses_at(clip, bpm[clip.name], METERS[signature[clip.name]]) if clip.name in bpm else None
        if found is None:
            continue
        hypotheses, rows = found
        best, shares = choose(scorer(rows, clip.family))
        context = bars_context(
            clip.estimates, np.sort(shares)[::-1], tempo.probability[clip.name], meter.probability[clip.name]
        )
        f = beat_f(hypotheses[best].downbeats, clip.truth.downbeats)
        judgements.append(Judgement(clip, context, f if f is not None else (None if clip.positive else 0.0)))
    return finish(scorer, judgements, settings["downbeats.confidence"], in_pool)


def hypotheses_at(clip: LabelClip, bpm: float, beats_per_bar: int) -> tuple[list[Bars], list[dict[str, float]]] | None:
    """Bars and their features; None where no tracker counts anything like ``bpm``."""
    grid = grid_of(clip.estimates, bpm)
    if grid is None:
        return None
    hypotheses = bar_hypotheses(grid, beats_per_bar, clip_seconds(clip.estimates))
    return hypotheses, bar_rows(clip.estimates, grid, beats_per_bar, hypotheses)


def near_truth(clip: LabelClip, bpm: dict[str, float]) -> float | None:
    """The chosen tempo if it is right, else the hypothesis that is; None if none is."""
    truth = clip.truth.tempo_bpm
    if truth is None or clip.name not in bpm:
        return None
    for candidate in (bpm[clip.name], *tempo_hypotheses(clip.estimates)):
        if tempo_accuracy(candidate, truth):
            return candidate
    return None


def knows(clip: LabelClip, value: object) -> bool:
    """True where the truth of an attribute is known, be it that there is none."""
    return value is not None or not clip.positive
