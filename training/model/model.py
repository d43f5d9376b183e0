"""The trained part of FIGMA: two heads, and what it takes to use them again.

A model folder holds ``config.json`` (sizes, settings, encoders with their revisions), ``heads.safetensors`` and, where
the audio encoder was fitted on the training set, ``encoder.safetensors``. Nothing in it is a pickle.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.common.files import write_atomically
from fgmcaps.training.data.batch import Batch
from fgmcaps.training.model.heads import ProjectionHead, masked_mean
from fgmcaps.training.model.views import Views, pad_to
from fgmcaps.training.settings import TrainSettings

CONFIG, HEADS, ENCODER = "config.json", "heads.safetensors", "encoder.safetensors"
FORMAT: Literal["figma/1"] = "figma/1"


class EncoderRecord(BaseModel):
    """A frozen encoder as a model needs it again: name, revision, licence, width, and all that changes its output."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    revision: str = ""
    licence: str = ""
    dim: int = Field(ge=1)
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

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    format: Literal["figma/1"] = FORMAT
    audio_encoder: EncoderRecord
    text_encoder: EncoderRecord
    head_width: int
    head_layers: int
    head_heads: int
    head_ffn: int
    head_out: int
    dropout: float
    padding: Literal["masked", "attended"]
    global_pooling: Literal["features", "layers"]
    text_global: Literal["first", "mean"]
    frame_stride: int
    frame_reduce: Literal["mean", "first"]
    max_tokens: int
    alpha: float
    temperature: float
    label_licences: dict[str, str] = Field(default_factory=dict)
    """Licence of each tool that made the labels of the training data."""

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


class FigmaModel(nn.Module):
    """The heads of both modalities.

    Args:
        config: Sizes and settings.
        encoder_state: Fitted statistics of the audio encoder, saved with the model.
    """

    def __init__(self, config: ModelConfig, encoder_state: Mapping[str, Tensor] | None = None) -> None:
        super().__init__()
        self.config = config
        self.encoder_state = dict(encoder_state or {})
        audio, text = (
            ProjectionHead(
                record.dim,
                config.head_width,
                config.head_layers,
                config.head_heads,
                config.head_ffn,
                config.head_out,
                config.dropout,
            )
            for record in (config.audio_encoder, config.text_encoder)
        )
        self.audio_head, self.text_head = audio, text
        self.log_temperature = nn.Parameter(torch.tensor(config.temperature).log(), requires_grad=False)

    @property
    def temperature(self) -> Tensor:
        """The divisor of scores in the loss; a scalar."""
        return self.log_temperature.exp()

    def forward(self, batch: Batch) -> tuple[Views, Views]:
        """Both views of a batch's clips and captions."""
        return self.audio_views(batch.audio, batch.audio_mask), self.text_views(batch.text, batch.text_mask)

    def audio_views(self, x: Tensor, mask: Tensor) -> Views:
        """Views of clips: ``x`` float [B, T, d_audio], ``mask`` bool [B, T]. Frames come reduced by ``frame_stride``.

        Raises ValueError when the width is not that of the encoder.
        """
        self._check_width(x, self.config.audio_encoder)
        x, mask = reduce_frames(x, mask, self.config.frame_stride, self.config.frame_reduce)
        return self._views(self.audio_head, x, mask, "mean")

    def text_views(self, x: Tensor, mask: Tensor) -> Views:
        """Views of captions: ``x`` float [B, L, d_text], ``mask`` bool [B, L]; tokens after ``max_tokens`` are cut."""
        self._check_width(x, self.config.text_encoder)
        x, mask = x[:, : self.config.max_tokens], mask[:, : self.config.max_tokens]
        if self.config.padding == "attended":  # up to one length, so that a text does not depend on its batch
            x, mask = pad_to(x, mask, self.config.max_tokens)
        return self._views(self.text_head, x, mask, self.config.text_global)

    def _views(self, head: ProjectionHead, x: Tensor, mask: Tensor, pooling: Literal["first", "mean"]) -> Views:
        if self.config.padding == "attended":
            mask = torch.ones_like(mask)

        def pool(values: Tensor) -> Tensor:
            return values[:, 0] if pooling == "first" else masked_mean(values, mask)

        hidden = head.hidden(x, mask)
        frames = head.output(hidden)
        pooled = head.globals_(pool(x)) if self.config.global_pooling == "features" else head.output(pool(hidden))
        return Views(F.normalize(pooled.float(), dim=-1), F.normalize(frames.float(), dim=-1), mask)

    def _check_width(self, x: Tensor, encoder: EncoderRecord) -> None:
        if x.shape[-1] != encoder.dim:
            raise ValueError(
                f"features of width {x.shape[-1]}; this model was trained on {encoder.name}'s {encoder.dim}"
            )

    def save(self, folder: str | Path) -> None:
        """Write the model folder; each file is there whole or not at all, and equal weights give equal bytes."""
        folder = Path(folder)
        config = self.config.model_copy(update={"temperature": float(self.temperature.detach())})
        weights = {key: value.detach().cpu().contiguous() for key, value in self.state_dict().items()}
        if self.encoder_state:
            write_atomically(folder / ENCODER, save({k: v.contiguous() for k, v in self.encoder_state.items()}))
        write_atomically(folder / HEADS, save(weights, metadata={"format": FORMAT}))
        write_atomically(folder / CONFIG, (config.model_dump_json(indent=2) + "\n").encode())

    @classmethod
    def load(cls, folder: str | Path, device: torch.device | str = "cpu") -> "FigmaModel":
        """A model from its folder, ready to score.

        Raises FgmcapsError when there is none, InvalidDataError for a damaged one, for weights of other sizes than the
        configuration says, and for a pickle.
        """
        folder = Path(folder)
        if not (folder / CONFIG).is_file():
            raise FgmcapsError(f"{folder} holds no model ({CONFIG} is missing); give the OUT of `figma train`")
        try:
            config = ModelConfig(**json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        except (ValueError, TypeError, ValidationError) as error:
            line = " ".join(str(error).split())[:200]
            raise InvalidDataError(f"{folder / CONFIG} is not the configuration of a model: {line}") from None
        state = read_tensors(folder / ENCODER) if (folder / ENCODER).is_file() else {}
        model = cls(config, state)
        load_weights(model, read_tensors(folder / HEADS), folder / HEADS)
        return model.to(device).eval()


def reduce_frames(x: Tensor, mask: Tensor, stride: int, how: Literal["mean", "first"]) -> tuple[Tensor, Tensor]:
    """Each ``stride`` frames of ``x`` [B, T, d] become one: the mean of the real ones, or the first.

    A reduced frame is real where any (mean) or the first (first) of its frames is; it is never 0 x NaN.
    """
    if stride == 1:
        return x, mask
    if how == "first":
        return x[:, ::stride], mask[:, ::stride]
    missing = -x.shape[1] % stride
    x, mask = F.pad(x, (0, 0, 0, missing)), F.pad(mask, (0, missing), value=False)
    groups = mask.view(len(mask), -1, stride)
    count = groups.sum(-1)
    values = torch.where(mask[..., None], x, 0).view(len(x), -1, stride, x.shape[2]).sum(2)
    return values / count.clamp(min=1)[..., None], count > 0


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file. Raises InvalidDataError that names the file, and refuses pickles by name."""
    if not path.is_file():
        pickles = [p.name for p in path.parent.glob("*") if p.suffix in {".ckpt", ".pt", ".pth", ".bin", ".pkl"}]
        why = f"; {pickles[0]} may be a pickle, which can run code and is not read" if pickles else ""
        raise InvalidDataError(f"{path} is missing{why}")
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        with path.open("rb") as handle:
            start = handle.read(2)
        if start in {b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"}:
            raise InvalidDataError(f"{path} is a pickle, which can run code and is not read; convert it") from None
        raise InvalidDataError(f"{path} is not a safetensors file, or damaged: {error}; copy it again") from None


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Put ``weights`` of the file ``path`` into ``model``. Raises InvalidDataError naming the first that misfits."""
    expected = model.state_dict()
    if missing := sorted(set(expected) - set(weights)):
        raise InvalidDataError(
            f"{path} lacks {missing[0]} ({len(missing)} of {len(expected)} tensors); other head sizes?"
        )
    if extra := sorted(set(weights) - set(expected)):
        raise InvalidDataError(f"{path} has {extra[0]}, which the configuration does not know; other head sizes?")
    for key, value in weights.items():
        if value.shape != expected[key].shape:
            raise InvalidDataError(
                f"{path}: {key} is {list(value.shape)}, but the configuration needs {list(expected[key].shape)}; "
                "the weights are of another head size"
            )
    model.load_state_dict(dict(weights))
