"""The frozen encoders that a model was trained on, made again from its ``config.json``."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

import torch

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.training.encoders import AUDIO_ENCODERS, TEXT_ENCODERS, make_audio_encoder, make_text_encoder
from fgmcaps.training.encoders.base import AudioEncoder, Encoder, TextEncoder
from fgmcaps.training.encoders.run import LongAudio
from fgmcaps.training.model.model import EncoderRecord, FigmaModel

Options = Mapping[str, Any]


def restore_audio_encoder(model: FigmaModel, options: Options | None = None) -> AudioEncoder:
    """The audio encoder of a model, with its fitted statistics; not set up yet.

    ``options`` win over what the model says, e.g. ``{"path": FOLDER}`` for weights that are on disk.
    Raises FgmcapsError (unknown encoder) and InvalidDataError (another revision or other settings than in training).
    """
    record = model.config.audio_encoder
    encoder = make_audio_encoder(record.name, **_options(record, AUDIO_ENCODERS, options or {}))
    if model.encoder_state:
        encoder.load_state({name: value.cpu().numpy() for name, value in model.encoder_state.items()})
    if encoder.needs_fit:
        raise InvalidDataError(
            f"encoder {record.name}: the model folder lacks the statistics of its training data (encoder.safetensors)"
        )
    _check(encoder, record)
    return encoder


def restore_text_encoder(model: FigmaModel, options: Options | None = None) -> TextEncoder:
    """The text encoder of a model, not set up yet; otherwise as :func:`restore_audio_encoder`."""
    record = model.config.text_encoder
    encoder = make_text_encoder(record.name, **_options(record, TEXT_ENCODERS, options or {}))
    _check(encoder, record)
    return encoder


def long_audio(model: FigmaModel) -> LongAudio:
    """What training did with audio longer than the encoder takes."""
    return "first" if model.config.audio_encoder.settings.get("long") == "first" else "windows"


def _options(record: EncoderRecord, registry: Mapping[str, tuple[str, str]], options: Options) -> dict[str, Any]:
    """Constructor options of the encoder: the model's settings and revision where it takes them, then ``options``."""
    known: set[str] = set()
    if record.name in registry:
        module, attribute = registry[record.name]
        known = set(inspect.signature(getattr(importlib.import_module(module), attribute)).parameters)
    made = {name: value for name, value in record.settings.items() if name in known}
    if "revision" in known and not options.get("path"):
        made["revision"] = record.revision
    return made | dict(options)


def _check(encoder: Encoder, record: EncoderRecord) -> None:
    if encoder.revision != record.revision:
        raise InvalidDataError(
            f"encoder {record.name}: revision {encoder.revision} here, the model was trained on {record.revision}: its "
            "features would differ; install or give that revision"
        )
    for name, value in encoder.settings().items():
        if name in record.settings and record.settings[name] != value:
            raise InvalidDataError(
                f"encoder {record.name}: {name} is {value!r} here, the model was trained with {record.settings[name]!r}"
            )


def default_device() -> str:
    """``cuda`` where there is one, else ``cpu``."""
    return "cuda" if torch.cuda.is_available() else "cpu"
