"""Fusion and filter: the estimates of several tools become the labels of a clip. Pure, in any order.

Conventions
-----------
- One function an attribute. Tools vote with the weights of the profile; the confidence is the share of the votes, an
  "unknown truth" included, that the chosen value got. It grows with agreement and is not yet a probability.
- A value below its threshold is withheld: None or empty, the confidence stays, ``qc_flags`` says why.
- Beats, bars and meter are counted in the chosen tempo's beats. So where the tempo is withheld, the beats, downbeats,
  beat count and time signature are too; where only the meter is withheld, the beats stay and the downbeats go.
"""

from collections.abc import Sequence

from schemas import Estimate, Labels

from ..settings import FusionSettings
from .agreement import fuse_by_agreement
from .paper import fuse_as_published

FUSION_VERSION = "1"
"""Part of a build's fingerprint: change it with every change of fusion that can change a label."""


def fuse(estimates: Sequence[Estimate], settings: FusionSettings) -> Labels:
    """Labels of one clip from the estimates of its tools, in any order. Raises ValueError if a tool appears twice."""
    ordered = tuple(sorted(estimates, key=lambda e: (e.attribute, e.annotator)))
    names = [e.annotator for e in ordered]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"fusion: more than one estimate of {', '.join(sorted(twice))} for the same clip")
    return fuse_as_published(ordered, settings) if settings.recipe == "paper" else fuse_by_agreement(ordered, settings)


__all__ = ["FUSION_VERSION", "fuse"]
