"""What fusion found in each clip of a track, once the whole track is known.

Key, tempo and meter go on from clip to clip (:mod:`fgmcaps.annotators.fusion.track.chain`); what changes inside the
track stays a change where its clips say so. Everything is read from :class:`fgmcaps.schemas.Fused`, so it needs neither
audio nor estimates. Chords are the clip's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.fusion.alternatives import named_others
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS
from fgmcaps.annotators.fusion.track.beats import beats_at
from fgmcaps.annotators.fusion.track.chain import Chain, smoothed
from fgmcaps.schemas import Fused, TempoAlternative
from fgmcaps.schemas.music import KEYS

Floats = npt.NDArray[np.float64]
CHAINS: Mapping[str, Chain] = {
    "key": Chain(change_per_s=0.004, trust=1.0, shrink=0.4),
    "tempo": Chain(change_per_s=0.004, trust=0.5, shrink=0.45),
    "meter": Chain(change_per_s=0.004, trust=1.0, shrink=0.45),
}
SAME_TEMPO = 0.04
"""Share by which two tempi may differ and be one (as ``tempo_accuracy`` has it)."""
_MOST_OTHERS, _LEAST_OTHER, _LEAST_METER = 3, 0.01, 0.0005
_ELSE = 6
"""Tempi that a clip may have beside those that it names: what it leaves of 1 is shared by so many."""


@dataclass(frozen=True, slots=True)
class TrackClip:
    """One clip of a track: where it lies in seconds, and what fusion found in it alone."""

    start_s: float
    duration_s: float
    fused: Fused


def in_context(clips: Sequence[TrackClip], chains: Mapping[str, Chain] = CHAINS) -> list[Fused]:
    """What is found in each clip given all clips of its track, which may be in any order; results in theirs.

    A clip whose tempo becomes another keeps its beats only where they can be regrouped to it, and has no downbeats.
    """
    order = sorted(range(len(clips)), key=lambda i: (clips[i].start_s, i))
    ordered = [clips[i] for i in order]
    times = np.array([clip.start_s + clip.duration_s / 2 for clip in ordered], dtype=np.float64)
    found = [clip.fused for clip in ordered]
    if len(found) > 1:
        found = _tempi(found, times, chains["tempo"])
        found = _named(found, times, chains["meter"], "time_signature", "meter", tuple(FELT_BEATS))
        found = _named(found, times, chains["key"], "key", "key", KEYS)
    back: list[Fused] = [clip.fused for clip in clips]
    for place, fused in zip(order, found, strict=True):
        back[place] = fused
    return back


def _named(
    found: Sequence[Fused], times: Floats, chain: Chain, field: str, name: str, states: Sequence[str]
) -> list[Fused]:
    """Key or meter of every clip that has one."""
    known = [i for i, fused in enumerate(found) if getattr(fused, f"{name}_probability") is not None]
    out = list(found)
    beliefs = np.array([_belief(found[i], field, name, states) for i in known]).reshape(len(known), len(states))
    for i, row in zip(known, smoothed(beliefs, times[known], chain), strict=True):
        best = int(np.argmax(np.round(row, 9)))
        most, least = (len(states), _LEAST_METER) if name == "meter" else (_MOST_OTHERS, _LEAST_OTHER)
        kept = named_others(states, row.tolist(), best, most, least)
        changes: dict[str, object] = {
            field: states[best],
            f"{name}_probability": round(float(row[best]), 4),
            f"{name}_alternatives": kept,
        }
        if name == "meter" and states[best] != found[i].time_signature:
            changes |= {"downbeats": (), "downbeats_probability": None}
        out[i] = replace(found[i], **changes)  # type: ignore[arg-type]
    return out


def _belief(fused: Fused, field: str, name: str, states: Sequence[str]) -> Floats:
    """A clip's own belief in every state; what it leaves of 1 is shared by those that it does not name."""
    row, named = np.zeros(len(states)), {getattr(fused, field): float(getattr(fused, f"{name}_probability"))}
    named |= {other.value: other.probability for other in getattr(fused, f"{name}_alternatives")}
    for value, probability in named.items():
        row[states.index(value)] = probability
    silent = [i for i, state in enumerate(states) if state not in named]
    if silent:
        row[silent] = max(0.0, 1.0 - row.sum()) / len(silent)
    return np.asarray(row / row.sum()) if row.sum() > 0 else np.full(len(states), 1 / len(states))


def _tempi(found: Sequence[Fused], times: Floats, chain: Chain) -> list[Fused]:
    """Tempo of every clip that has one; the states are the tempi that any clip names."""
    known = [i for i, fused in enumerate(found) if fused.tempo_probability is not None and fused.tempo_bpm]
    said = [_tempi_of(found[i]) for i in known]
    states = _groups([bpm for clip in said for bpm, _ in clip])
    beliefs = np.zeros((len(known), len(states)))
    value = np.zeros_like(beliefs)
    for row, clip in enumerate(said):
        for bpm, probability in clip:
            state = int(np.argmin([abs(log2(bpm / centre)) for centre in states]))
            beliefs[row, state] += probability
            value[row, state] = value[row, state] or bpm
        rest = max(0.0, 1.0 - beliefs[row].sum())
        silent = value[row] == 0
        beliefs[row, silent] = rest / max(_ELSE, int(silent.sum()))
        beliefs[row] /= max(beliefs[row].sum(), 1e-9)
    out = list(found)
    for place, (i, row) in enumerate(zip(known, smoothed(beliefs, times[known], chain), strict=True)):
        own = np.where(value[place] > 0, row, 0.0)  # a clip has no tempo that it does not name
        out[i] = _with_tempo(found[i], own, value[place])
    return out


def _tempi_of(fused: Fused) -> list[tuple[float, float]]:
    return [
        (float(fused.tempo_bpm or 0.0), float(fused.tempo_probability or 0.0)),
        *((other.bpm, other.probability) for other in fused.tempo_alternatives),
    ]


def _groups(tempi: Sequence[float]) -> list[float]:
    """Centres such that every tempo is within half of ``SAME_TEMPO`` of one, the commonest first."""
    left, centres = sorted(tempi), []
    while left:
        near = [[t for t in left if abs(log2(t / bpm)) <= log2(1 + SAME_TEMPO)] for bpm in left]
        best = max(range(len(left)), key=lambda i: len(near[i]))
        centres.append(float(np.median(near[best])))
        left = [t for t in left if t not in near[best]]
    return centres


def _with_tempo(fused: Fused, shares: Floats, bpm: Floats) -> Fused:
    best = int(np.argmax(np.round(shares, 9)))
    others = sorted(
        ((round(float(shares[s]), 4), float(bpm[s])) for s in np.flatnonzero(bpm) if s != best), reverse=True
    )
    changed = replace(
        fused,
        tempo_bpm=round(float(bpm[best]), 2),
        tempo_probability=round(float(shares[best]), 4),
        tempo_alternatives=tuple(
            TempoAlternative(round(b, 2), p) for p, b in others[:_MOST_OTHERS] if p >= _LEAST_OTHER
        ),
    )
    ratio = float(bpm[best]) / float(fused.tempo_bpm or 1.0)
    if abs(log2(ratio)) <= log2(1 + SAME_TEMPO):
        return changed
    beats = beats_at(fused.beats, fused.downbeats, ratio)
    return replace(changed, beats=beats or (), downbeats=(), downbeats_probability=None)
