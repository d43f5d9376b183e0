"""A front end that several tools share, computed once for a clip.

All tools of a profile are given the same array for the same rate (:class:`fgmcaps.annotators.audio.ClipAudio`), so a
tool may use what another has computed from it. Only the last clip is kept, by identity and weakly: nothing outlives its
clip.
"""

import weakref
from collections.abc import Callable
from threading import Lock, local
from typing import Any, Generic, TypeVar

from fgmcaps.annotators.base import Samples

T = TypeVar("T")


class OncePerClip(Generic[T]):
    """``compute(samples)``, remembered for the last array. The array must not be written to between two calls."""

    def __init__(self, compute: Callable[[Samples], T]) -> None:
        self._compute, self._last, self._computing = compute, local(), Lock()

    def __call__(self, samples: Samples) -> T:
        """The value for ``samples``; computed again unless the last call had this very array."""
        held: tuple[weakref.ref[Any], T] | None = getattr(self._last, "held", None)
        if held is not None and held[0]() is samples:
            return held[1]
        with self._computing:  # several tools share it, each with a lock of its own
            value = self._compute(samples)
        self._last.held = (weakref.ref(samples), value)
        return value
