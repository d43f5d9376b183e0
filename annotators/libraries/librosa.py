"""librosa, whose compiled parts only one process of a machine loads at a time.

numba names a stencil by its address, and librosa keeps functions and their stencils in files of numba's cache of their
own. What two processes wrote that compiled at once, each its half, crashes whoever loads it, for good.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from types import ModuleType

from fgmcaps.common.numba_cache import prepare_numba


@cache
def load_librosa() -> ModuleType:
    """The package, its compiled parts in memory and in numba's cache (the first time on a machine: about 10 s)."""
    with alone("librosa"):
        prepare_numba()
        import librosa
        import librosa.core.pitch
        import librosa.util.utils
    return librosa


@contextlib.contextmanager
def alone(package: str) -> Iterator[None]:
    """Hold the lock of an installed package's folder; where its file system has no locks, hold none."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    folder = os.open(spec.submodule_search_locations[0], os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
