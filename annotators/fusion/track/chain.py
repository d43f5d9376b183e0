"""A hidden Markov chain over the clips of a track: beliefs of each clip alone become beliefs given all.

Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77(2), 1989; the forward-backward recursion.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_FLOOR = 1e-6
_MOST_CLIPS = 12  # beyond two minutes more clips say no more and err no more


@dataclass(frozen=True, slots=True)
class Chain:
    """How a value goes on through a track.

    ``change_per_s``: rate at which it changes. Clips of one track err alike, so ten of them are less evidence than ten
    of ten tracks: ``trust``, the exponent of what the other clips say, and ``shrink``, by which the log-odds of all
    together are divided by ``clips ** shrink``. Both were measured (``python -m benchmarks.labels.track_context``).
    """

    change_per_s: float
    trust: float
    shrink: float


def smoothed(beliefs: Floats, times: Floats, chain: Chain) -> Floats:
    """Beliefs given the whole track, float64[clips, states]; rows sum to 1.

    ``beliefs`` [clips, states] of each clip alone, rows summing to 1; ``times`` [clips] in seconds, rising. A clip's
    own belief counts in full, that of the others with ``trust``; a track of one clip stays as it is.
    """
    clips, states = beliefs.shape
    if clips < 2 or states < 2:
        return beliefs
    heard = np.log(np.maximum(beliefs, _FLOOR)) * chain.trust
    from_before = _messages(heard, np.diff(times), chain, states)
    from_after = _messages(heard[::-1], np.diff(times)[::-1], chain, states)[::-1]
    others = from_before + from_after
    joint = (np.log(np.maximum(beliefs, _FLOOR)) + others) * float(min(clips, _MOST_CLIPS)) ** -chain.shrink
    joint = np.exp(joint - joint.max(axis=1, keepdims=True))
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def _messages(heard: Floats, gaps: Floats, chain: Chain, states: int) -> Floats:
    """What the clips before say of each clip's state, as log-odds up to a constant; zeros for the first."""
    out = np.zeros_like(heard)
    message = np.zeros(states)
    for i, gap in enumerate(gaps, start=1):
        share = np.exp(message + heard[i - 1] - (message + heard[i - 1]).max())
        share /= share.sum()
        change = 1.0 - np.exp(-chain.change_per_s * max(float(gap), 0.0))
        message = np.log((1.0 - change) * share + change / states)
        out[i] = message
    return out
