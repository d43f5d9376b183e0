"""How common each meter is in a corpus, and what that changes.

The fitted model takes meters to be as common as in popular music. In a corpus of waltzes they are not: the shares of
its meters are found by expectation and maximisation over what was found in its clips, and every clip is judged anew.
Saerens, Latinne, Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural
Computation 14(1), 2002.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.fusion.alternatives import named_others
from fgmcaps.schemas import Fused

Floats = npt.NDArray[np.float64]
LEAST_OTHER = 0.0005
_PRIOR_CLIPS = 20.0
"""The shares that were assumed count as so many clips: a handful of clips changes little."""


def belief(fused: Fused, meters: Mapping[str, float]) -> Floats | None:
    """Probability of each of ``meters`` in a clip, float64[n] of sum 1; None where it has no meter.

    What the named ones leave of 1 belongs to the others in proportion to ``meters``.
    """
    if fused.time_signature is None or fused.meter_probability is None:
        return None
    named = {fused.time_signature: fused.meter_probability}
    named |= {other.value: other.probability for other in fused.meter_alternatives}
    left = max(0.0, 1.0 - sum(named.values()))
    silent = sum(share for name, share in meters.items() if name not in named)
    row = np.array([named.get(name, left * share / silent if silent > 0 else 0.0) for name, share in meters.items()])
    return np.asarray(row / row.sum()) if row.sum() > 0 else None


def estimated_meters(clips: Iterable[Fused], assumed: Mapping[str, float], steps: int = 200) -> dict[str, float]:
    """Shares of the meters in a corpus; ``assumed``: the shares that its probabilities were made with."""
    rows = [row for fused in clips if (row := belief(fused, assumed)) is not None]
    before = np.array(list(assumed.values()))
    if not rows:
        return dict(assumed)
    table, shares = np.stack(rows), before.copy()
    for _ in range(steps):
        judged = table * (shares / before)
        judged /= judged.sum(axis=1, keepdims=True)
        shares = (judged.sum(axis=0) + _PRIOR_CLIPS * before) / (len(table) + _PRIOR_CLIPS)
    return {name: round(float(share), 4) for name, share in zip(assumed, shares, strict=True)}


def with_meters(fused: Fused, expected: Mapping[str, float], assumed: Mapping[str, float]) -> Fused:
    """A clip judged with other shares of meters than were assumed; it is given one that it names.

    A meter that changes has no bars.
    """
    row = belief(fused, assumed)
    if row is None:
        return fused
    names = list(assumed)
    judged = row * np.array([expected.get(name, 0.0) / assumed[name] for name in names])
    if judged.sum() <= 0:
        return fused
    judged /= judged.sum()
    named = {fused.time_signature, *(other.value for other in fused.meter_alternatives)}
    best = int(
        np.argmax([round(float(p), 9) if name in named else -1.0 for name, p in zip(names, judged, strict=True)])
    )
    changed = replace(
        fused,
        time_signature=names[best],
        meter_probability=round(float(judged[best]), 4),
        meter_alternatives=named_others(names, judged.tolist(), best, len(names), LEAST_OTHER),
    )
    if names[best] == fused.time_signature:
        return changed
    return replace(changed, downbeats=(), downbeats_probability=None)
