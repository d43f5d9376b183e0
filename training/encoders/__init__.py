"""The frozen encoders by name. A new one is one file here and one line in a registry; heavy imports wait."""

import importlib
import inspect
from typing import Any, TypeVar

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.training.encoders.base import AudioEncoder, Encoder, TextEncoder, state_digest

AUDIO_ENCODERS = {
    "muq": ("fgmcaps.training.encoders.muq", "MuQEncoder"),
    "spectral": ("fgmcaps.training.encoders.spectral", "SpectralEncoder"),
}
TEXT_ENCODERS = {
    "e5": ("fgmcaps.training.encoders.e5", "E5Encoder"),
    "minilm": ("fgmcaps.training.encoders.minilm", "MiniLMEncoder"),
}

E = TypeVar("E", bound=Encoder)


def make_audio_encoder(name: str, **options: Any) -> AudioEncoder:
    """An audio encoder that is not set up yet. FgmcapsError names the nearest encoder or option for an unknown one."""
    return _make(AudioEncoder, "audio", AUDIO_ENCODERS, name, options)  # type: ignore[type-abstract]


def make_text_encoder(name: str, **options: Any) -> TextEncoder:
    """A text encoder that is not set up yet. FgmcapsError names the nearest encoder or option for an unknown one."""
    return _make(TextEncoder, "text", TEXT_ENCODERS, name, options)  # type: ignore[type-abstract]


def _make(kind: type[E], what: str, registry: dict[str, tuple[str, str]], name: str, options: dict[str, Any]) -> E:
    if name not in registry:
        known = ", ".join(registry)
        raise FgmcapsError(f"no such {what} encoder: {name}{did_you_mean(name, registry)}; there are {known}")
    module, attribute = registry[name]
    cls = getattr(importlib.import_module(module), attribute)
    known_options = list(inspect.signature(cls).parameters)
    for option in options:
        if option not in known_options:
            raise FgmcapsError(
                f"{what} encoder {name}: no such option: {option}{did_you_mean(option, known_options)}; "
                f"there are {', '.join(known_options) or 'none'}"
            )
    encoder = cls(**options)
    if not isinstance(encoder, kind):
        raise TypeError(f"{cls.__name__} is no {kind.__name__}")
    return encoder


__all__ = [
    "AUDIO_ENCODERS",
    "TEXT_ENCODERS",
    "AudioEncoder",
    "Encoder",
    "TextEncoder",
    "make_audio_encoder",
    "make_text_encoder",
    "state_digest",
]
