"""Features by which the confidence in each chosen label is judged."""

from collections.abc import Sequence
from math import log2, nan

import numpy as np

from fgmcaps.annotators.fusion.choose import log_odds
from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence
from fgmcaps.annotators.fusion.features import Floats, Row
from fgmcaps.annotators.fusion.hypotheses.key import key_steadiness
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS
from fgmcaps.annotators.fusion.hypotheses.pulse import Pulse
from fgmcaps.annotators.fusion.hypotheses.rhythm_features import drift, phase_fit

_KEPT = ("octaves", "agree", "slower", "faster", "density", "percussive_share", "chord_pace", "shape", "grouping")

CONTEXT_FEATURES = frozenset((*_KEPT, "essentia.confidence", "chord_fit", "chord_fit.lead"))
"""Features of the chosen pair that :func:`tempo_context` and :func:`meter_context` read."""


def tempo_context(clip: ClipEvidence, pulse: Pulse) -> Row:
    """For the confidence in a tempo."""
    return {
        "share": log_odds(pulse.tempo_shares[0]),
        "second": log_odds(pulse.tempo_shares[1]),
        "other": log2(pulse.other_bpm / pulse.bpm),
        "meter": float(tuple(FELT_BEATS).index(pulse.signature)),
        "irregularity": max((1 - t.regularity for t in clip.trackers), default=nan),
        "drift": max((drift(t.grid.times) for t in clip.trackers), default=nan),
        "essentia.confidence": pulse.evidence["essentia.confidence"],
        **{name: pulse.evidence[name] for name in _KEPT},
    }


def meter_context(pulse: Pulse, tempo: float) -> Row:
    """For the confidence in a meter; ``tempo``: the probability of the tempo."""
    return {
        "share": log_odds(pulse.meter_shares[0]),
        "second": log_odds(pulse.meter_shares[1]),
        "meter": float(tuple(FELT_BEATS).index(pulse.signature)),
        "tempo": log_odds(tempo),
        "other": log2(pulse.other_bpm / pulse.bpm),
        **{f"share {name}": log_odds(share) for name, share in zip(FELT_BEATS, pulse.by_meter, strict=True)},
        **{name: pulse.evidence[name] for name in (*_KEPT, "chord_fit", "chord_fit.lead")},
    }


def bars_context(clip: ClipEvidence, shares: Floats, tempo: float, meter: float) -> Row:
    """For the expected F-measure of downbeats; ``tempo``, ``meter``: their probabilities."""
    return {
        "share": log_odds(float(shares[0])),
        "second": log_odds(float(shares[1])) if shares.size > 1 else -12.0,
        "tempo": log_odds(tempo),
        "meter": log_odds(meter),
        "irregularity": max((1 - t.regularity for t in clip.trackers), default=nan),
    }


def key_context(clip: ClipEvidence, shares: Floats, row: Row, best: int, chords: float | None) -> Row:
    """For the confidence in a key; ``chords``: the expected share of right chords."""
    return {
        "share": log_odds(float(shares[best])),
        "second": log_odds(float(np.sort(shares)[-2])),
        "votes": row.get("votes", nan),
        "chroma_entropy": row.get("chroma_entropy", nan),
        "percussive_share": row.get("percussive_share", nan),
        "chords": -12.0 if chords is None else log_odds(chords),
        "steady": key_steadiness(clip, best),
    }


def chord_context(
    clip: ClipEvidence,
    choices: Sequence[tuple[int, Floats]],
    tables: Sequence[Sequence[Row]],
    keys: Floats,
    bpm: float | None,
) -> Row:
    """For the expected share of right chords: means over the clip's time of what was chosen."""
    chosen = [table[best] for table, (best, _) in zip(tables, choices, strict=True)]
    seconds = np.array([max(row["seconds"], 1e-9) for row in chosen])
    share = np.array([float(shares[best]) for best, shares in choices])

    def mean(name: str) -> float:
        values = np.array([row.get(name, nan) for row in chosen])
        known = ~np.isnan(values)
        return float(np.average(values[known], weights=seconds[known])) if known.any() else nan

    return {
        "share": log_odds(float(np.average(share, weights=seconds))),
        "least": log_odds(float(share[seconds > 0.3].min())) if (seconds > 0.3).any() else nan,
        "key": log_odds(float(keys.max())) if keys.size else nan,
        "on_beat": nan if bpm is None else phase_fit(clip.chord_times, 60.0 / bpm),
        "changes": float(len(chosen) / seconds.sum()),
        **{name: mean(name) for name in ("other0", "entropy", "mass", "key_fit", "elsewhere", "minor", "rank")},
        **{name: chosen[0].get(name, nan) for name in ("percussive_share", "chroma_entropy", "clip_least")},
    }
