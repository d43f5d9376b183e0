"""Annotators: clip audio in, estimates with confidence out, fused into labels. Imports ``schemas`` only.

>>> from fgmcaps.annotators import annotate_clip, load_profile
>>> estimates, labels = annotate_clip(load_profile("best"), samples, sample_rate)  # doctest: +SKIP
"""

from fgmcaps.annotators.audio import ClipAudio, resample
from fgmcaps.annotators.base import Annotator
from fgmcaps.annotators.clip import annotate_clip
from fgmcaps.annotators.fusion import fuse
from fgmcaps.annotators.gate import GateResult, gate
from fgmcaps.annotators.profile import Profile, load_profile
from fgmcaps.annotators.settings import FusionSettings, GateSettings, ProfileError

__all__ = [
    "Annotator",
    "ClipAudio",
    "FusionSettings",
    "GateResult",
    "GateSettings",
    "Profile",
    "ProfileError",
    "annotate_clip",
    "fuse",
    "gate",
    "load_profile",
    "resample",
]
