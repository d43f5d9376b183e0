"""A clip's fused and filtered labels: one row without audio and caption."""

from dataclasses import dataclass

from fgmcaps.schemas.clip import Clip
from fgmcaps.schemas.estimate import ChordSpan, Estimate
from fgmcaps.schemas.fused import Fused


@dataclass(frozen=True, slots=True)
class Labels:
    """What fusion and the confidence filter decided for one clip.

    A rejected value is None (or empty), its confidence stays, and ``qc_flags`` holds ``attribute:reason``.
    Times are seconds from the clip's start, tempo is BPM, confidences are in 0 .. 1.
    Where fusion is calibrated, ``downbeats_confidence`` is the expected F-measure, ``chords_confidence`` the expected
    share of the time with the right chord. ``beat_count`` is the number of felt beats in a bar, 2 in 6/8.
    ``fused``: what there was before the filter; None where another dataset gave the labels.
    """

    tempo_bpm: float | None = None
    tempo_confidence: float | None = None
    beats: tuple[float, ...] = ()
    downbeats: tuple[float, ...] = ()
    beat_count: int | None = None
    time_signature: str | None = None
    meter_confidence: float | None = None
    key: str | None = None
    key_confidence: float | None = None
    chords: tuple[ChordSpan, ...] = ()
    chord_summary: tuple[str, ...] = ()
    chords_confidence: float | None = None
    qc_flags: tuple[str, ...] = ()
    downbeats_confidence: float | None = None
    fused: Fused | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """Labels of one clip with the raw estimates they were made from."""

    clip: Clip
    labels: Labels
    estimates: tuple[Estimate, ...]
