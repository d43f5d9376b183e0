"""One clip through a profile, without Beam: for notebooks and for ``fgmcaps annotate-file``."""

from fgmcaps.annotators.audio import ClipAudio
from fgmcaps.annotators.base import Samples
from fgmcaps.annotators.fusion import fuse
from fgmcaps.annotators.profile import Profile
from fgmcaps.schemas import Estimate, Labels


def annotate_clip(profile: Profile, samples: Samples, sample_rate: int) -> tuple[tuple[Estimate, ...], Labels]:
    """Estimates of all tools of the profile and the labels made of them.

    ``samples``: float32[n] mono, full scale 1.0, at any ``sample_rate`` in Hz. The gate is the caller's to ask first.
    Threads may call it at once. torch is left with one thread (:mod:`fgmcaps.annotators.kernels.torch_threads`).
    """
    audio = ClipAudio(samples, sample_rate)
    estimates = tuple(a.annotate(audio.at(a.sample_rate), a.sample_rate) for a in profile.annotators)
    return estimates, fuse(estimates, profile.fusion)
