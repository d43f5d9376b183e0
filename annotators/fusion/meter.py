"""Meter from downbeats: the number of beats in a bar, by votes of the beat trackers.

Conventions
-----------
A tracker votes only if its beats are the chosen tempo's beats: a bar of two beats at half the tempo is another claim.
A time signature names the bar length in beats: 2/4, 3/4, 4/4, 5/4, 7/4; six beats in a bar are 6/8. Nothing finer is
claimed, because a bar length does not hold more.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp

from fgmcaps.annotators.fusion.decision import Decision, share
from fgmcaps.annotators.settings import MeterSettings
from fgmcaps.schemas import BeatGrid, Estimate

SIGNATURES = {2: "2/4", 3: "3/4", 4: "4/4", 5: "5/4", 6: "6/8", 7: "7/4"}


@dataclass(frozen=True, slots=True)
class BarVote:
    """One tracker's belief in bar lengths: ``shares`` sum to at most 1."""

    tool: str
    weight: float
    shares: dict[int, float]

    @property
    def beats(self) -> int:
        """The bar length that it believes most."""
        return max(self.shares, key=lambda n: (self.shares[n], -n))


def whole_bars(grid: BeatGrid) -> list[int]:
    """Lengths in beats of the bars between two downbeats."""
    starts = [i for i, position in enumerate(grid.positions) if position == 1]
    return [b - a for a, b in pairwise(starts)]


def bar_vote(estimate: Estimate, settings: MeterSettings) -> BarVote | None:
    """The vote of a tracker; None where it is not trusted or shows no whole bar.

    Its own bar length gets the share of its bars that have it; where the details tell the likelihood of each bar
    length, that share is split by softmax(log-likelihood / ``loglik_scale``) over the lengths it compared.
    """
    weight = settings.weights.get(estimate.annotator, 0.0)
    if not isinstance(estimate.value, BeatGrid) or weight <= 0:
        return None
    bars = whole_bars(estimate.value)
    if not bars:
        return None
    length, count = min(Counter(bars).items(), key=lambda item: (-item[1], item[0]))
    steady = count / len(bars)
    lengths, logs = estimate.details.get("bar_lengths"), estimate.details.get("bar_loglik")
    if not isinstance(lengths, list) or not isinstance(logs, list) or float(length) not in lengths:
        return BarVote(estimate.annotator, weight, {length: steady})
    pairs = [(int(n), v) for n, v in zip(lengths, logs, strict=True) if isinstance(n, float) and isinstance(v, float)]
    own = dict(pairs)[length]
    # Bar lengths tried as evidence only may be likelier than the tool's own choice; they must not outvote it here.
    odds = {n: exp(min(0.0, v - own) / settings.loglik_scale) for n, v in pairs}
    total = sum(odds.values())
    return BarVote(estimate.annotator, weight, {n: steady * odd / total for n, odd in odds.items()})


def decide_meter(votes: Sequence[BarVote], settings: MeterSettings) -> Decision[int]:
    """Beats in a bar. Reasons: ``no_bars``, ``tools_disagree``, ``low_confidence``, ``unusual`` (no name for it)."""
    if not votes:
        return Decision(None, None, "no_bars")
    total = sum(vote.weight for vote in votes)

    def support(beats: int) -> float:
        half = settings.half_bar_credit if beats == 4 else 0.0
        return sum(v.weight * (v.shares.get(beats, 0.0) + half * v.shares.get(2, 0.0)) for v in votes)

    best = max({vote.beats for vote in votes}, key=lambda n: (round(support(n), 9), -n))
    confidence = share(support(best), total, settings.doubt)
    if best not in SIGNATURES:
        return Decision(None, confidence, "unusual")
    if confidence >= settings.min_confidence:
        return Decision(best, confidence)
    differ = len({vote.beats for vote in votes}) > 1
    return Decision(None, confidence, "tools_disagree" if differ else "low_confidence")
