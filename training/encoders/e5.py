"""Multilingual E5 large instruct, the paper's text encoder: last hidden states of XLM-R, 1024 wide.

Wang et al., Multilingual E5 Text Embeddings, 2024. The weights are 2.2 GB on the Hub.
"""

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from fgmcaps.training.encoders.transformer_text import TransformerTextEncoder
from fgmcaps.training.encoders.weights import WeightsSource

REPOSITORY = "intfloat/multilingual-e5-large-instruct"
REVISION = "baa7be480a7de1539afce709c8f13f833a510e0a"
FILES = ("config.json", "*.safetensors", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


class E5Encoder(TransformerTextEncoder):
    """``instruction`` goes before every caption (none, as released; the model's own form is
    ``Instruct: ...\\nQuery: ``). ``path``: a local folder instead of the Hub."""

    name: ClassVar[str] = "e5"
    licence: ClassVar[str] = "MIT"

    def __init__(
        self,
        repository: str = REPOSITORY,
        revision: str = REVISION,
        path: str | None = None,
        instruction: str = "",
        max_tokens: int = 128,
        dim: int = 1024,
    ) -> None:
        super().__init__(dim, max_tokens, instruction)
        self.source = WeightsSource(self.name, repository, revision, FILES, path)

    @cached_property
    def revision(self) -> str:  # type: ignore[override]
        """Commit of the weights, or a hash of a local folder's."""
        return self.source.resolve()

    def folder(self) -> Path:
        """Downloaded where it is not there yet."""
        return self.source.folder()

    def settings(self) -> dict[str, Any]:
        """What changes the states."""
        return {**super().settings(), "repository": self.source.repository if self.source.path is None else "local"}
