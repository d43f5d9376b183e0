"""``config.json`` of a model: what decides what its heads compute, and the encoders that they were trained on.

A model may come from anybody. Every number has a bound, so that reading one ends, and takes no memory that its weights
do not take.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.common.json_file import read_bounded
from fgmcaps.training.settings import FrameStride, Heads, Layers, Tokens, TrainSettings, Width

FORMAT: Literal["figma/1"] = "figma/1"
_Name = Annotated[str, Field(max_length=200)]


class EncoderRecord(BaseModel):
    """A frozen encoder as a model needs it again: name, revision, licence, width, and all that changes its output."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: _Name
    revision: _Name = ""
    licence: _Name = ""
    dim: Width
    settings: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, encoder: Any) -> "EncoderRecord":
        """The record of a :class:`fgmcaps.training.encoders.base.Encoder`."""
        return cls(
            name=encoder.name,
            revision=encoder.revision,
            licence=encoder.licence,
            dim=encoder.dim,
            settings=encoder.settings(),
        )


class ModelConfig(BaseModel):
    """Sizes and settings that decide what the heads compute, and the encoders that they were trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    format: Literal["figma/1"] = FORMAT
    audio_encoder: EncoderRecord
    text_encoder: EncoderRecord
    head_width: Width
    head_layers: Layers
    head_heads: Heads
    head_ffn: Width
    head_out: Width
    dropout: float = Field(ge=0, lt=1)
    padding: Literal["masked", "attended"]
    global_pooling: Literal["features", "layers"]
    text_global: Literal["first", "mean"]
    frame_stride: FrameStride
    frame_reduce: Literal["mean", "first"]
    max_tokens: Tokens
    alpha: float = Field(ge=0, le=1)
    temperature: float = Field(gt=0, le=1e6)
    label_licences: dict[_Name, _Name] = Field(default_factory=dict)
    """Licence of each tool that made the labels of the training data."""

    @model_validator(mode="after")
    def _fit_together(self) -> "ModelConfig":
        if self.head_width % self.head_heads:
            raise ValueError(f"head_heads {self.head_heads} does not divide head_width {self.head_width}")
        return self

    @classmethod
    def of(
        cls,
        settings: TrainSettings,
        audio: EncoderRecord,
        text: EncoderRecord,
        label_licences: Mapping[str, str] | None = None,
    ) -> "ModelConfig":
        """The part of a training's settings that a model keeps."""
        shared = {k: v for k, v in settings.model_dump().items() if k in cls.model_fields and not k.endswith("encoder")}
        return cls(audio_encoder=audio, text_encoder=text, label_licences=dict(label_licences or {}), **shared)


def read_config(path: Path) -> ModelConfig:
    """The configuration in a file. Raises InvalidDataError in one line with the file and the first thing wrong."""
    try:
        return ModelConfig.model_validate_json(read_bounded(path), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        line = f"{where}: {first['msg']}" if where else first["msg"]
    except (ValueError, OSError) as error:
        line = str(error)
    raise InvalidDataError(f"{path} is not the configuration of a model: {' '.join(line.split())[:200]}")
