"""What fusion found for a clip before the confidence filter: every value, its probability, and what else it may be."""

from dataclasses import dataclass

from fgmcaps.schemas.estimate import ChordSpan


@dataclass(frozen=True, slots=True)
class TempoAlternative:
    """Another tempo in BPM and the probability that it is the right one."""

    bpm: float
    probability: float


@dataclass(frozen=True, slots=True)
class NamedAlternative:
    """Another time signature or key and the probability that it is the right one."""

    value: str
    probability: float


@dataclass(frozen=True, slots=True)
class Fused:
    """The likeliest value of every attribute, kept or not, from which any filter makes its labels anew.

    Times are seconds from the clip's start, tempo is BPM, probabilities are in 0 .. 1 and None where the recipe gives
    none. ``downbeats_probability`` is the expected F-measure, ``chords_probability`` the expected share of the time
    with the right chord. ``findings`` are ``attribute:what`` that the filter reads beside the probabilities:
    ``tempo:unsteady``, ``meter:too_short``, ``key:modulates``.
    """

    tempo_bpm: float | None = None
    tempo_probability: float | None = None
    tempo_alternatives: tuple[TempoAlternative, ...] = ()
    beats: tuple[float, ...] = ()
    downbeats: tuple[float, ...] = ()
    downbeats_probability: float | None = None
    time_signature: str | None = None
    meter_probability: float | None = None
    meter_alternatives: tuple[NamedAlternative, ...] = ()
    key: str | None = None
    key_probability: float | None = None
    key_alternatives: tuple[NamedAlternative, ...] = ()
    chords: tuple[ChordSpan, ...] = ()
    chords_probability: float | None = None
    findings: tuple[str, ...] = ()
