"""One typed object with every number and every open point of the method: defaults, then a YAML file, then options.

The defaults are the paper's (FIGMA, arXiv 2606.06615); where the public record is silent, the field says so.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.set_option import read_pairs
from fgmcaps.common.yaml_text import read_yaml

CONFIGS = Path(__file__).parent / "configs"
MONITORS = r"(global|frame|fused)/(t2a|a2t)(_same_caption)?/(R@(1|5|10|20)|MRR|median_rank)"


Width = Annotated[int, Field(ge=1, le=1 << 16)]
Layers = Annotated[int, Field(ge=0, le=64)]
Heads = Annotated[int, Field(ge=1, le=1024)]
FrameStride = Annotated[int, Field(ge=1, le=1000)]
Tokens = Annotated[int, Field(ge=1, le=1 << 13)]
"""Bounds far above what is of use: a model of others, or a slip of the finger, must not fill the memory."""


class TrainSettings(BaseModel):
    """Everything that decides what a training run computes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # Encoders, frozen.
    audio_encoder: str = "muq"
    text_encoder: str = "e5"
    audio_options: dict[str, Any] = Field(default_factory=dict, description="Options of the audio encoder.")
    text_options: dict[str, Any] = Field(default_factory=dict, description="Options of the text encoder.")
    cache_dtype: Literal["float16", "bfloat16"] = "float16"

    # Heads: at these numbers and encoders of width 1024, 11,030,016 parameters each.
    head_width: Width = 1024
    head_layers: Layers = 2
    head_heads: Heads = 8
    head_ffn: Width = 512
    head_out: Width = 512
    dropout: float = Field(0.1, ge=0, lt=1)

    # Views. Open in the public record: padding, pooling.
    padding: Literal["masked", "attended"] = Field(
        "masked", description="Padding leaves attention and maximum, or stays in both as in the released head."
    )
    global_pooling: Literal["features", "layers"] = Field(
        "features", description="Pool the encoder's output, then the head; or layers first, then pool, then linear."
    )
    text_global: Literal["first", "mean"] = Field("first", description="Token that stands for a text, or their mean.")
    frame_stride: FrameStride = Field(1, description="Frames of the cache that become one frame of the model.")
    frame_reduce: Literal["mean", "first"] = Field("mean", description="How frame_stride frames become one.")
    max_tokens: Tokens = 128
    min_facts: int = Field(1, ge=0, le=4, description="Facts that a caption of ours must state to be trained on.")

    # Loss. Open in the public record: where negatives come from, the t->a direction.
    alpha: float = Field(0.6, ge=0, le=1)
    temperature: float = Field(0.07, gt=0, le=1e6)
    learn_temperature: bool = False
    t2a_direction: Literal["columns", "reversed"] = "columns"
    negatives: Literal["batch", "devices", "pool"] = "batch"
    pool_batches: int = Field(8, ge=2, description="With negatives=pool: candidates in batches, the own one included.")
    mask_same_track: bool = True
    mask_same_caption: bool = True
    score_budget_mb: float = Field(256, gt=0, description="Temporary memory of the frame score.")

    # Optimisation.
    epochs: int = Field(15, ge=1)
    batch: int = Field(256, ge=2, description="Pairs a step and process.")
    micro_batch: int | None = Field(None, ge=1, description="Pairs whose activations are held at a time; exact.")
    accumulate: int = Field(1, ge=1, description="Batches whose gradients are averaged in a step.")
    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: float = Field(1e-4, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = Field(0, ge=0)
    clip_norm: float | None = Field(None, gt=0)
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    seed: int = 0
    deterministic: bool = True

    # Data.
    captions: Literal["main", "any"] = Field("main", description="A step's caption: the main one, or any style.")
    token_dropout: float = Field(0.0, ge=0, lt=1)
    frame_dropout: float = Field(0.0, ge=0, lt=1)
    one_clip_per_track: bool = True

    # Watching and stopping.
    monitor: str = "fused/t2a/R@10"
    patience: int = Field(3, ge=0, description="Epochs without a better monitor before the end; 0 never stops early.")
    validation_limit: int = Field(1000, ge=2)
    validation_minimum: int = Field(50, ge=2, description="Below it, validation is shown but chooses nothing.")
    checkpoint_steps: int = Field(0, ge=0, description="Steps between checkpoints besides those at an epoch's end.")
    tensorboard: bool = False

    @field_validator("monitor")
    @classmethod
    def _is_measured(cls, value: str) -> str:
        if not re.fullmatch(MONITORS, value):
            raise ValueError("give view/direction/metric such as fused/t2a/R@10, global/a2t/MRR, frame/t2a/median_rank")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> "TrainSettings":
        if self.head_width % self.head_heads:
            raise ValueError(f"head_heads {self.head_heads} does not divide head_width {self.head_width}")
        return self

    def fingerprint(self) -> str:
        """SHA-256 (hex) of what decides the result; how often to write and log is left out."""
        data = self.model_dump(mode="json", exclude={"checkpoint_steps", "tensorboard", "score_budget_mb"})
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def load_settings(
    config: str | Path | None = None, overrides: Mapping[str, Any] | None = None, pairs: Sequence[str] = ()
) -> TrainSettings:
    """Defaults, then a configuration, then ``overrides``, then ``key=value`` pairs.

    ``config``: a YAML file, or the name of one that comes along (``paper``, ``small``).
    Raises FgmcapsError that names the file, the key, and for an unknown key the nearest known one.
    """
    data, where = ({}, "") if config is None else _read(config)
    data |= {key: value for key, value in (overrides or {}).items() if value is not None}
    data |= read_pairs(pairs)
    for key in data:
        if key not in TrainSettings.model_fields:
            raise FgmcapsError(f"{where}unknown setting {key!r}{did_you_mean(str(key), TrainSettings.model_fields)}")
    try:
        return TrainSettings(**{key: _number(value) for key, value in data.items()})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise FgmcapsError(where + message) from None
        key = str(first["loc"][0])
        if first["type"] == "literal_error" and isinstance(first["input"], str):
            message += did_you_mean(first["input"], re.findall(r"'(\w+)'", first["ctx"]["expected"]))
        raise FgmcapsError(f"{where}setting {key!r} = {data[key]!r}: {message}") from None


def shipped_configs() -> list[str]:
    """Names of the configurations that come along."""
    return sorted(path.stem for path in CONFIGS.glob("*.yaml"))


def _read(config: str | Path) -> tuple[dict[str, Any], str]:
    name = str(config)
    shipped = CONFIGS / f"{name.removesuffix('.yaml')}.yaml"
    path = Path(config)
    if not path.is_file() and "/" not in name:
        path = shipped
    if not path.is_file():
        known = did_you_mean(name, shipped_configs())
        raise FgmcapsError(
            f"no configuration {name}{known}; give a YAML file, or one of {', '.join(shipped_configs())}"
        )
    try:
        loaded = read_yaml(path)
    except (OSError, ValueError) as error:
        raise FgmcapsError(f"cannot read the configuration {path}: {' '.join(str(error).split())}") from None
    if not isinstance(loaded, dict | None):
        raise FgmcapsError(f"{path}: a configuration is a list of 'key: value' lines, not a {type(loaded).__name__}")
    return dict(loaded or {}), f"{path}: "


def _number(value: Any) -> Any:
    """``1e-4`` is text to YAML 1.1 and a number to everybody else."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):
        return float(value)
    return value
