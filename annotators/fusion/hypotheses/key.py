"""The 24 key hypotheses and their evidence: profiles' scores, and what the chords do in that key."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import nan

import numpy as np

from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence
from fgmcaps.annotators.fusion.features import Floats, Row, table_of
from fgmcaps.annotators.fusion.hypotheses.chord_tones import chord_pitch_classes, majmin
from fgmcaps.annotators.fusion.hypotheses.key_from_chords import ChordsToKey, shipped
from fgmcaps.annotators.fusion.scorer import Trees
from fgmcaps.annotators.kernels.key_profiles import key_correlations
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.harte import NO_CHORD, UNKNOWN_CHORD
from fgmcaps.schemas.music import KEYS, key_index

_UNKNOWN = np.full(len(KEYS), -np.log(len(KEYS)))
CHARTS_LIMIT = 6.0
_MAJOR_SCALE = {0, 2, 4, 5, 7, 9, 11}
_MINOR_SCALE = {0, 2, 3, 5, 7, 8, 10, 11}  # natural, and the leading tone of the dominant


def key_rows(clip: ClipEvidence, songs: ChordsToKey | None = None) -> list[Row]:
    """Features of each of ``fgmcaps.schemas.music.KEYS``, in order; empty without a key finder and without chords.

    ``songs``: another model of keys given chords than the one of the package.
    """
    if not clip.key_finders and not clip.recognisers:
        return []
    columns: dict[str, Floats] = {}
    votes, whole = np.zeros(24), {}
    for finder in clip.key_finders:
        name = finder.name.removeprefix("essentia_key_")
        own = np.zeros(24)
        if finder.key is not None:
            own[key_index(finder.key)] = 1.0
        columns[f"{name}.vote"] = own
        votes += own
        if finder.scores is not None:
            columns |= _relative(f"{name}.score", np.asarray(finder.scores.scores))
        whole[f"{name}.strength"] = finder.strength
    columns["votes"] = votes
    for tool in clip.chord_tools:
        if tool.chroma is not None:
            columns |= _chroma_columns(f"{tool.name}.chroma", tool.chroma.chroma)
        if tool.signal is not None:
            columns |= _bass_columns(tool.signal.bass_chroma)
            columns |= _chroma_columns(f"{tool.name}.harmonic_chroma", tool.signal.harmonic_chroma)
    for tool in clip.recognisers:
        columns |= chord_columns(tool.name, [s for s in tool.spans if s.label not in (NO_CHORD, UNKNOWN_CHORD)])
        said = (songs or shipped())(tool.spans)
        columns[f"{tool.name}.songs"] = _UNKNOWN if said is None else said
    whole |= {"chroma_entropy": clip.chroma_entropy, "percussive_share": clip.percussive_share}
    return [
        {
            **whole,
            **{name: float(values[k]) for name, values in columns.items()},
            "minor": float(k >= 12),
        }
        for k in range(len(KEYS))
    ]


def add_charts(rows: Sequence[Row], charts: Trees) -> None:
    """Adds ``charts`` to each row: log-odds of the key by trees that were fitted on rendered chord charts.

    There a key cadences, as in few songs; so they are one kind of evidence beside others, and within limits.
    """
    scores = np.clip(charts(table_of(rows, charts.features)), -CHARTS_LIMIT, CHARTS_LIMIT)
    for row, score in zip(rows, scores, strict=True):
        row["charts"] = float(score)


def _chroma_columns(name: str, values: Sequence[float]) -> dict[str, Floats]:
    chroma = np.asarray(values)
    return {**_relative(name, key_correlations(chroma)), f"{name}_tonic": _tonic(chroma)}


def _bass_columns(values: Sequence[float]) -> dict[str, Floats]:
    tonic = np.tile(np.asarray(values), 2)
    return {"bass": tonic, "bass.lead": _lead(tonic), "bass.fifth": np.roll(tonic[:12], -7)[np.arange(24) % 12]}


def chord_columns(name: str, spans: Sequence[ChordSpan]) -> dict[str, Floats]:
    """Features of each key from the chords of one recogniser: float64[24] by name."""
    if not spans:
        return {}
    seconds = np.array([s.end - s.start for s in spans])
    total = float(seconds.sum())
    if total <= 0:
        return {}
    tones = np.zeros(12)
    inside, tonic, dominant, cadence = (np.zeros(24) for _ in range(4))
    first, last = np.zeros(24), np.zeros(24)
    kinds = [majmin(s.label) for s in spans]
    pitches = [chord_pitch_classes(s.label) for s in spans]
    for share, weights in zip(seconds / total, pitches, strict=True):
        for tone, weight in weights.items():
            tones[tone] += share * weight
    for k in range(24):
        root, mode = k % 12, "min" if k >= 12 else "maj"
        scale = _MINOR_SCALE if k >= 12 else _MAJOR_SCALE
        is_tonic = np.array([kind == (root, mode) for kind in kinds])
        is_dominant = np.array([kind is not None and kind == ((root + 7) % 12, "maj") for kind in kinds])
        fits = np.array([all((tone - root) % 12 in scale for tone in w) for w in pitches])
        inside[k], tonic[k] = seconds[fits].sum() / total, seconds[is_tonic].sum() / total
        dominant[k] = seconds[is_dominant].sum() / total
        cadence[k] = sum(a and b for a, b in _pairwise_flags(is_dominant, is_tonic))
        first[k], last[k] = float(is_tonic[0]), float(is_tonic[-1])
    return {
        **_relative(f"{name}.tones", key_correlations(tones)),
        f"{name}.inside": inside,
        f"{name}.inside.lead": _lead(inside),
        f"{name}.tonic": tonic,
        f"{name}.tonic.lead": _lead(tonic),
        f"{name}.dominant": dominant,
        f"{name}.cadence": cadence,
        f"{name}.first": first,
        f"{name}.last": last,
    }


def key_steadiness(clip: ClipEvidence, key: int) -> float:
    """How well the chords of the clip's worse half fit ``key``: its correlation less that of that half's best key.

    0 where both halves fit it best, below where the music modulates; NaN without chords in a half.
    """
    return float(_steadiness(clip)[key])


def key_unity(clip: ClipEvidence) -> float:
    """:func:`key_steadiness` of the steadiest key: 0 where one key fits both halves of the clip best.

    0 also without chords.
    """
    found = _steadiness(clip)
    return 0.0 if np.isnan(found).any() else float(found.max())


def _steadiness(clip: ClipEvidence) -> Floats:
    """:func:`key_steadiness` of each key."""
    unknown = np.full(len(KEYS), nan)
    if not clip.recognisers:
        return unknown
    spans = clip.recognisers[0].spans
    middle = (spans[0].start + spans[-1].end) / 2
    leads = []
    for low, high in ((spans[0].start, middle), (middle, spans[-1].end)):
        tones = np.zeros(12)
        for span in spans:
            seconds = min(span.end, high) - max(span.start, low)
            if seconds > 0:
                for tone, weight in chord_pitch_classes(span.label).items():
                    tones[tone] += seconds * weight
        if not tones.any():
            return unknown
        scores = key_correlations(tones)
        leads.append(scores - scores.max())
    return np.asarray(np.minimum(*leads))


def _pairwise_flags(before: Floats, after: Floats) -> list[tuple[bool, bool]]:
    """``(before[i], after[i + 1])`` of neighbours."""
    return [(bool(a[0]), bool(b[1])) for a, b in zip(pairwise(before), pairwise(after), strict=True)]


def _relative(name: str, scores: Floats) -> Mapping[str, Floats]:
    scores = np.round(scores, 6)
    better = (scores[None, :] > scores[:, None]).sum(axis=1)  # equal scores share a rank, so that no key is preferred
    return {name: scores, f"{name}.lead": _lead(scores), f"{name}.rank": better.astype(np.float64)}


def _lead(scores: Floats) -> Floats:
    """Each score less the best of the others."""
    order = np.sort(scores)
    best_other = np.where(scores == order[-1], order[-2], order[-1])
    return np.asarray(scores - best_other)


def _tonic(chroma: Floats) -> Floats:
    """Strength of each key's tonic triad in a chroma."""
    total = max(float(chroma.sum()), 1e-9)
    return np.array(
        [(chroma[k % 12] + chroma[(k + (3 if k >= 12 else 4)) % 12] + chroma[(k + 7) % 12]) / total for k in range(24)]
    )
