"""FIGMA, the retriever: from published shards to a trained, evaluated, searchable model.

>>> from fgmcaps.training import Figma
>>> figma = Figma.from_pretrained("demo-out-model")  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fgmcaps.training.retrieval.figma import Figma

__all__ = ["Figma"]


def __getattr__(name: str) -> Any:
    if name == "Figma":  # late: it imports torch, and `figma --help` needs none
        from fgmcaps.training.retrieval.figma import Figma

        return Figma
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
