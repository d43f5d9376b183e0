"""The frozen encoders by name. A new one is one file here and one line in a registry; heavy imports wait."""

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError

if TYPE_CHECKING:
    from fgmcaps.training.encoders.base import AudioEncoder, TextEncoder

AUDIO_ENCODERS = {
    "muq": ("fgmcaps.training.encoders.muq", "MuQEncoder"),
    "spectral": ("fgmcaps.training.encoders.spectral", "SpectralEncoder"),
}
TEXT_ENCODERS = {
    "e5": ("fgmcaps.training.encoders.e5", "E5Encoder"),
    "minilm": ("fgmcaps.training.encoders.minilm", "MiniLMEncoder"),
}


def make_audio_encoder(name: str, **options: Any) -> "AudioEncoder":
    """An audio encoder that is not set up yet. FgmcapsError names the nearest encoder or option for an unknown one."""
    encoder: AudioEncoder = _make("audio", AUDIO_ENCODERS, name, options)
    return encoder


def make_text_encoder(name: str, **options: Any) -> "TextEncoder":
    """A text encoder that is not set up yet. FgmcapsError names the nearest encoder or option for an unknown one."""
    encoder: TextEncoder = _make("text", TEXT_ENCODERS, name, options)
    return encoder


def _make(what: str, registry: dict[str, tuple[str, str]], name: str, options: dict[str, Any]) -> Any:
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
    return cls(**options)
