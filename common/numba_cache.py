"""numba without a place for its cache: functions are compiled in memory, where numba itself would refuse to import."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from fgmcaps.common.caches import NUMBA, place_caches

_lock = threading.Lock()


def prepare_numba() -> None:
    """Call it before the first import of a module that numba compiles; calling it again is free.

    Caches go where :func:`fgmcaps.common.caches.place_caches` finds room. Where there is none, and where a cache cannot
    be written (a full quota), the compiled function stays in memory and the next process compiles it again.
    """
    with _lock:
        place_caches()
        import numba

        vars(numba.config)["CACHE_DIR"] = os.environ.get(NUMBA, "")  # numba may have been imported before
        from numba.core.caching import Cache
        from numba.core.dispatcher import Dispatcher
        from numba.np.ufunc.ufuncbuilder import UFuncDispatcher

        for kind, method, error in (
            (Dispatcher, "enable_caching", RuntimeError),
            (UFuncDispatcher, "enable_caching", RuntimeError),
            (Cache, "save_overload", OSError),
        ):
            original = getattr(kind, method)
            if not hasattr(original, "__wrapped__"):
                setattr(kind, method, _or_in_memory(original, error))


def _or_in_memory(method: Callable[..., None], error: type[Exception]) -> Callable[..., None]:
    @wraps(method)
    def wrapped(*args: Any, **named: Any) -> None:
        with suppress(error):  # what is compiled is used all the same
            method(*args, **named)

    return wrapped
