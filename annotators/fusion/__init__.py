"""Fusion and filter: the estimates of several tools become the labels of a clip. Pure, in any order.

Conventions
-----------
- Recipe ``calibrated``: hypotheses of all tools scored by a model that was fitted on music with known truth; the
  confidence is the probability that the value is right (:mod:`fgmcaps.annotators.fusion.calibrated`).
- Recipe ``paper``: one tool an attribute, as published (:mod:`fgmcaps.annotators.fusion.paper`).
- A value below its threshold is withheld: None or empty, the confidence stays, ``qc_flags`` says why.
- Beats, bars and meter are counted in the chosen tempo's beats. Where the tempo is withheld, all of them are, unless
  only its octave is in doubt; where only the meter is withheld, the beats stay and the downbeats go.
"""

from collections.abc import Callable, Sequence

from fgmcaps.annotators.fusion.calibrated import fuse_calibrated
from fgmcaps.annotators.fusion.paper import fuse_as_published
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.schemas import Estimate, Labels

FUSION_VERSION = "4"
"""Part of a build's fingerprint: change it with every change of fusion that can change a label."""


def fuse(estimates: Sequence[Estimate], settings: FusionSettings) -> Labels:
    """Labels of one clip from the estimates of its tools, in any order. Raises ValueError if a tool appears twice."""
    ordered = tuple(sorted(estimates, key=lambda e: (e.attribute, e.annotator)))
    names = [e.annotator for e in ordered]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"fusion: more than one estimate of {', '.join(sorted(twice))} for the same clip")
    return _RECIPES[settings.recipe](ordered, settings)


_RECIPES: dict[str, Callable[[Sequence[Estimate], FusionSettings], Labels]] = {
    "calibrated": fuse_calibrated,
    "paper": fuse_as_published,
}


__all__ = ["FUSION_VERSION", "fuse"]
