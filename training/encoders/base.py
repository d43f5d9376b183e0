"""The contract of the frozen encoders: clips to frames, captions to token states."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class Encoder(ABC):
    """What both kinds share. An encoder is cheap to make and to pickle until :meth:`setup` loads its weights."""

    name: ClassVar[str]
    licence: ClassVar[str]
    """SPDX name of the licence of the weights; a model card lists it."""
    revision: str
    """Pins what computes the features: a commit of the weights, or the version of the code."""
    dim: int
    """Width of a frame or token state."""

    @abstractmethod
    def setup(self, device: torch.device | str = "cpu") -> None:
        """Load the weights, once per process. Raises MachineError (not there), InvalidDataError (wrong shapes)."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """All that changes the features, as JSON-able values: it keys the feature cache and goes into the model."""


class AudioEncoder(Encoder):
    """Clips to frames at ``frame_rate`` Hz."""

    sample_rate: int
    frame_rate: float
    max_seconds: float = 10.0
    """Longest clip that goes through in one piece; longer ones are cut into windows
    (``fgmcaps.training.data.audio``)."""

    @abstractmethod
    def frames(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Frames of B clips.

        ``audio``: float32[B, n] at ``sample_rate`` Hz, zero after each clip's end; ``lengths``: int64[B] in samples.
        Returns float32[B, T, dim] (0 where padded) and bool[B, T] (True = a real frame), on the CPU or the device.
        """

    @property
    def needs_fit(self) -> bool:
        """True while statistics of the training split are missing."""
        return False

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Take statistics from ``(audio, lengths)`` batches of the training split; the order does not matter."""

    @property
    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Fitted statistics, to be saved as safetensors beside a cache and a model; empty for most encoders."""
        return {}

    def load_state(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Take fitted statistics back. Raises InvalidDataError where they do not fit."""
        if state:
            from fgmcaps.common.errors import InvalidDataError

            raise InvalidDataError(f"encoder {self.name} keeps no fitted state, but was given {sorted(state)}")


class TextEncoder(Encoder):
    """Captions to token states."""

    max_tokens: int

    @abstractmethod
    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Last hidden states of B texts: float32[B, L, dim] (0 where padded) and bool[B, L], L <= ``max_tokens``."""

    @abstractmethod
    def pieces(self, texts: list[str]) -> list[list[str]]:
        """The tokens of :meth:`tokens` as text, one list a caption, special tokens included."""


def state_digest(state: dict[str, npt.NDArray[Any]]) -> str:
    """SHA-256 of fitted statistics (empty string for none), as part of a cache's key."""
    import hashlib

    if not state:
        return ""
    digest = hashlib.sha256()
    for key in sorted(state):
        array = np.ascontiguousarray(state[key])
        digest.update(f"{key}:{array.dtype}:{array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
