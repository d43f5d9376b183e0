"""Annotators: clip audio in, estimates with confidence out, fused into labels. Imports ``schemas`` only.

>>> from annotators import annotate_clip, load_profile
>>> estimates, labels = annotate_clip(load_profile("best"), samples, sample_rate)  # doctest: +SKIP
"""

from .audio import ClipAudio, resample
from .base import Annotator
from .clip import annotate_clip
from .fusion import fuse
from .gate import GateResult, gate
from .profile import Profile, load_profile
from .settings import FusionSettings, GateSettings, ProfileError

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
