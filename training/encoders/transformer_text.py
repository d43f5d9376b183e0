"""Token states of a BERT-like text encoder loaded by ``transformers`` from a folder."""

from abc import abstractmethod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.training.encoders.base import TextEncoder

MOST_TOKENS = 1 << 13


class TransformerTextEncoder(TextEncoder):
    """Last hidden states in fp32. A subclass says where its files are (:meth:`folder`)."""

    def __init__(self, dim: int, max_tokens: int, instruction: str = "") -> None:
        if not 3 <= max_tokens <= MOST_TOKENS:
            raise FgmcapsError(f"encoder {self.name}: max_tokens {max_tokens}: 3 to {MOST_TOKENS}")
        self.dim, self.max_tokens, self.instruction = dim, max_tokens, instruction
        self._model: Any = None
        self._tokenizer: Any = None
        self._device = torch.device("cpu")

    @abstractmethod
    def folder(self) -> Path:
        """Folder with ``config.json``, ``model.safetensors`` and the tokenizer."""

    def settings(self) -> dict[str, Any]:
        """What changes the states."""
        return {"max_tokens": self.max_tokens, "instruction": self.instruction}

    def setup(self, device: torch.device | str = "cpu") -> None:
        """Load tokenizer and weights. Raises InvalidDataError for missing or wrongly shaped weights."""
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging as theirs

        self._device = torch.device(device)
        if self._model is not None:
            self._model.to(self._device)
            return
        folder = self.folder()
        theirs.disable_progress_bar()  # type: ignore[no-untyped-call]  # it has its own idea of a terminal
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, **local)
            model, report = AutoModel.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **local
            )
        except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
            first = " ".join(str(error).split())[:300]
            raise InvalidDataError(f"encoder {self.name}: {folder}: cannot be loaded: {first}") from None
        missing = sorted(k for k in report["missing_keys"] if not k.startswith("pooler."))
        if missing:
            raise InvalidDataError(
                f"encoder {self.name}: {folder}: {len(missing)} weights are missing ({', '.join(missing[:3])}, ...)"
            )
        width = int(model.config.hidden_size)
        if width != self.dim:
            raise InvalidDataError(
                f"encoder {self.name}: {folder}: token states have width {width}, expected {self.dim}: another model?"
            )
        if len(self._tokenizer) > model.config.vocab_size:
            raise InvalidDataError(
                f"encoder {self.name}: {folder}: the tokenizer knows {len(self._tokenizer)} tokens, the model "
                f"{model.config.vocab_size}: they do not belong together"
            )
        self._model = model.to(self._device).eval()
        if self._tokenizer.pad_token is None:
            raise InvalidDataError(f"encoder {self.name}: {folder}: the tokenizer has no padding token")

    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """See the base class; longer texts are cut at ``max_tokens``."""
        found = self._encode(texts)
        with torch.no_grad():
            states = self._model(input_ids=found["input_ids"], attention_mask=found["attention_mask"])
        mask = found["attention_mask"].bool()
        return states.last_hidden_state * mask[..., None], mask

    def pieces(self, texts: list[str]) -> list[list[str]]:
        """See the base class."""
        found = self._encode(texts)
        return [
            self._tokenizer.convert_ids_to_tokens(ids[mask.bool()].tolist())
            for ids, mask in zip(found["input_ids"].cpu(), found["attention_mask"].cpu(), strict=True)
        ]

    def _encode(self, texts: list[str]) -> Any:
        if self._model is None:
            raise RuntimeError(f"encoder {self.name}: call setup() first")
        return self._tokenizer(
            [self.instruction + text for text in texts],
            padding=True,
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
        ).to(self._device)
