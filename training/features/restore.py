"""The frozen encoders that a model was trained on, made again from its ``config.json``."""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fgmcaps.common.errors import FgmcapsError, InvalidDataError, MachineError
from fgmcaps.training.encoders import AUDIO_ENCODERS, TEXT_ENCODERS, make_audio_encoder, make_text_encoder
from fgmcaps.training.encoders.base import AudioEncoder, Encoder, TextEncoder
from fgmcaps.training.encoders.run import LongAudio
from fgmcaps.training.model.config import EncoderRecord
from fgmcaps.training.model.model import FigmaModel

Options = Mapping[str, Any]


def restore_audio_encoder(model: FigmaModel, options: Options | None = None) -> AudioEncoder:
    """The audio encoder of a model, with its fitted statistics; not set up yet.

    ``options`` win over what the model says, e.g. ``{"path": FOLDER}`` for weights that are on disk.
    Raises FgmcapsError (unknown encoder) and InvalidDataError (another revision or other settings than in training).
    """
    with _of(model):
        record = model.config.audio_encoder
        encoder = make_audio_encoder(record.name, **_options(record, AUDIO_ENCODERS, options or {}))
        if model.encoder_state:
            encoder.load_state({name: value.cpu().numpy() for name, value in model.encoder_state.items()})
        if encoder.needs_fit:
            raise InvalidDataError(
                f"encoder {record.name}: the model folder lacks the statistics of its training data "
                "(encoder.safetensors)"
            )
        _check(encoder, record)
        return encoder


def restore_text_encoder(model: FigmaModel, options: Options | None = None) -> TextEncoder:
    """The text encoder of a model, not set up yet; otherwise as :func:`restore_audio_encoder`."""
    with _of(model):
        record = model.config.text_encoder
        encoder = make_text_encoder(record.name, **_options(record, TEXT_ENCODERS, options or {}))
        _check(encoder, record)
        return encoder


@contextmanager
def _of(model: FigmaModel) -> Iterator[None]:
    """Name the model's file where its encoders cannot be made again."""
    try:
        yield
    except FgmcapsError as error:
        if not model.origin:
            raise
        kind = type(error) if isinstance(error, MachineError) else InvalidDataError
        raise kind(f"{model.origin}: {error}") from None


def long_audio(model: FigmaModel) -> LongAudio:
    """What training did with audio longer than the encoder takes."""
    return "first" if model.config.audio_encoder.settings.get("long") == "first" else "windows"


def _options(record: EncoderRecord, registry: Mapping[str, tuple[str, str]], options: Options) -> dict[str, Any]:
    """Constructor options of the encoder: the model's settings and revision where it takes them, then ``options``."""
    taken: dict[str, type] = {}
    if record.name in registry:
        module, attribute = registry[record.name]
        parameters = inspect.signature(getattr(importlib.import_module(module), attribute)).parameters
        taken = {name: type(p.default) for name, p in parameters.items()}
    made = {}
    for name, value in record.settings.items():
        if name == "path" or name not in taken:  # a model of others names no folder of this machine
            continue
        if type(value) is not taken[name]:
            raise InvalidDataError(f"encoder {record.name}: {name} is {value!r}, not {taken[name].__name__}")
        made[name] = value
    if "revision" in taken and not options.get("path"):
        made["revision"] = record.revision
    return made | dict(options)


def _check(encoder: Encoder, record: EncoderRecord) -> None:
    if encoder.dim != record.dim:
        raise InvalidDataError(f"encoder {record.name} has width {encoder.dim}, the model was trained on {record.dim}")
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
