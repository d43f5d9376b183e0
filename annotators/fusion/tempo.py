"""Tempo by votes, octave errors resolved across tools.

Half and double tempo are the common error of every tool (measured: right within an octave on .95 of clips,
exactly on .68 - .85), and tools err on different clips. So every tool's tempo, its half and its double are hypotheses;
votes for an octave relative count in part; a broad preference for moderate tempi decides between equals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log2
from statistics import median

from fgmcaps.annotators.fusion.decision import Decision, share
from fgmcaps.annotators.settings import TempoSettings
from fgmcaps.schemas import BeatGrid, Estimate, Tempo

MIN_BPM, MAX_BPM = 40.0, 240.0
MIN_BEATS = 3
_REGULAR = 0.125  # an interval this close to the median, as a share of it, belongs to the pulse


@dataclass(frozen=True, slots=True)
class TempoVote:
    """One tool's tempo; ``weight`` is the trust in the tool times the regularity of its beats."""

    tool: str
    bpm: float
    weight: float


def median_tempo(times: Sequence[float]) -> float | None:
    """60 / median beat interval in BPM, as MusicBench defines tempo; None below 3 beats."""
    return None if len(times) < MIN_BEATS else 60.0 / median(b - a for a, b in pairwise(times))


def pulse(times: Sequence[float]) -> tuple[float, float] | None:
    """``(BPM, regularity)`` of beat times in seconds; None below 3 beats.

    The median interval is quantised by the tool's frame (20 ms at 120 BPM is 4 %), so the tempo is the mean of the
    intervals near the median; regularity is their share, 0 .. 1.
    """
    if len(times) < MIN_BEATS:
        return None
    intervals = [b - a for a, b in pairwise(times)]
    middle = median(intervals)
    kept = [i for i in intervals if abs(i - middle) <= _REGULAR * middle]
    return (60.0 * len(kept) / sum(kept), len(kept) / len(intervals)) if kept else (60.0 / middle, 0.0)


def tempo_votes(estimates: Sequence[Estimate], settings: TempoSettings) -> tuple[TempoVote, ...]:
    """The tempo of every tool that found one and that the profile trusts."""
    votes = []
    for estimate in estimates:
        weight = settings.weights.get(estimate.annotator, 0.0)
        if isinstance(estimate.value, BeatGrid):
            found = pulse(estimate.value.times)
        elif isinstance(estimate.value, Tempo) and estimate.value.bpm is not None:
            found = (estimate.value.bpm, 1.0)
        else:
            found = None
        if found is not None and weight * found[1] > 0:
            votes.append(TempoVote(estimate.annotator, found[0], weight * found[1]))
    return tuple(sorted(votes, key=lambda v: (-v.weight, v.tool)))


def agree(bpm: float, other: float, tolerance: float) -> bool:
    """True if the two tempi are equal within ``tolerance`` (0.04 = 4 %), either way round."""
    return abs(log2(bpm / other)) <= log2(1 + tolerance)


def decide_tempo(votes: Sequence[TempoVote], settings: TempoSettings) -> Decision[float]:
    """The best supported tempo in BPM, as measured by the most trusted tool that names it.

    ``value`` is None with the reason ``not_found`` (no votes), ``tools_disagree`` (several votes, no two of them equal)
    or ``low_confidence``.
    """
    if not votes:
        return Decision(None, None, "not_found")

    def credit(bpm: float, vote: TempoVote) -> float:
        if agree(bpm, vote.bpm, settings.tolerance):
            return 1.0
        octave = any(agree(bpm * factor, vote.bpm, settings.tolerance) for factor in (0.5, 2.0))
        return settings.octave_credit if octave else 0.0

    def support(bpm: float) -> float:
        return sum(vote.weight * credit(bpm, vote) for vote in votes)

    def rank(bpm: float) -> tuple[float, float]:
        octaves_off = log2(bpm / settings.prior_bpm) / settings.prior_octaves
        return round(support(bpm) * exp(-0.5 * octaves_off**2), 9), -bpm

    hypotheses = {v.bpm * f for v in votes for f in (0.5, 1.0, 2.0) if MIN_BPM <= v.bpm * f <= MAX_BPM}
    if not hypotheses:
        return Decision(None, 0.0, "out_of_range")
    best = max(hypotheses, key=rank)
    named = [v for v in votes if agree(best, v.bpm, settings.tolerance)]
    bpm = named[0].bpm if named else best
    confidence = share(support(best), sum(settings.weights.get(v.tool, 0.0) for v in votes), settings.doubt)
    if confidence >= settings.min_confidence:
        return Decision(round(bpm, 2), confidence)
    alone = len(votes) > 1 and len(named) < 2
    return Decision(None, confidence, "tools_disagree" if alone else "low_confidence")
