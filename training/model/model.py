"""The trained part of FIGMA: two heads, and what it takes to use them again.

A model folder holds ``config.json`` (sizes, settings, encoders with their revisions), ``heads.safetensors`` and, where
the audio encoder was fitted on the training set, ``encoder.safetensors``. Nothing in it is a pickle.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.common.files import write_atomically
from fgmcaps.common.json_file import MIB
from fgmcaps.training.data.batch import Batch
from fgmcaps.training.model.config import FORMAT, EncoderRecord, ModelConfig, read_config
from fgmcaps.training.model.heads import ProjectionHead, masked_mean
from fgmcaps.training.model.views import Views, pad_to

CONFIG, HEADS, ENCODER = "config.json", "heads.safetensors", "encoder.safetensors"
_DAMAGE = (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError, OverflowError, MemoryError)
STATE_BYTES = 16 * MIB
"""Most that the fitted statistics of an encoder take; those of ``spectral`` take 4 KB."""


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
        self.origin = ""
        """The configuration's file, for messages; empty for a model that was made here."""
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
        config = read_config(folder / CONFIG)
        with torch.device("meta"):  # shapes only: what a file asks for is not allocated before it is compared
            expected = cls(config).state_dict()
        weights = read_tensors(folder / HEADS, expected)
        state = read_tensors(folder / ENCODER, most=STATE_BYTES) if (folder / ENCODER).is_file() else {}
        model = cls(config, state)
        model.load_state_dict(weights)
        model.origin = str(folder / CONFIG)
        return model.to(device).eval()


def reduce_frames(x: Tensor, mask: Tensor, stride: int, how: Literal["mean", "first"]) -> tuple[Tensor, Tensor]:
    """Each ``stride`` frames of ``x`` [B, T, d] become one: the mean of the real ones, or the first.

    A reduced frame is real where any (mean) or the first (first) of its frames is; it is never 0 x NaN.
    """
    stride = min(stride, max(1, x.shape[1]))
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


def read_tensors(
    path: Path, expected: Mapping[str, Tensor] | None = None, *, most: int | None = None
) -> dict[str, Tensor]:
    """Tensors of a safetensors file.

    ``expected``: weights whose names and shapes the file must have, compared before any of it is read; they are finite.
    ``most``: bytes of the file. Raises InvalidDataError that names the file, and refuses pickles by name.
    """
    if not path.is_file():
        pickles = [p.name for p in path.parent.glob("*") if p.suffix in {".ckpt", ".pt", ".pth", ".bin", ".pkl"}]
        why = f"; {pickles[0]} may be a pickle, which can run code and is not read" if pickles else ""
        raise InvalidDataError(f"{path} is missing{why}")
    if most is not None and path.stat().st_size > most:
        raise InvalidDataError(f"{path} has {path.stat().st_size:,} bytes; what belongs there has at most {most:,}")
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if expected is not None:
                check_shapes({name: file.get_slice(name).get_shape() for name in names}, expected, path)
            tensors = {name: file.get_tensor(name) for name in names}
    except InvalidDataError:
        raise
    except _DAMAGE as error:
        with path.open("rb") as handle:
            start = handle.read(2)
        if start in {b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"}:
            raise InvalidDataError(f"{path} is a pickle, which can run code and is not read; convert it") from None
        first = " ".join(str(error).split())[:200]
        raise InvalidDataError(f"{path} is not a safetensors file, or damaged: {first}; copy it again") from None
    for name, tensor in tensors.items() if expected is not None else ():
        if not tensor.is_floating_point():
            raise InvalidDataError(f"{path}: {name} holds {tensor.dtype}, not weights")
        if not torch.isfinite(tensor.float()).all():
            raise InvalidDataError(f"{path}: {name} holds NaN or infinity; it is damaged")
    return tensors


def check_shapes(found: Mapping[str, Sequence[int]], expected: Mapping[str, Tensor], path: Path) -> None:
    """Compare the shapes of a file's tensors with the model's. Raises InvalidDataError naming the first misfit."""
    if missing := sorted(set(expected) - set(found)):
        raise InvalidDataError(
            f"{path} lacks {missing[0]} ({len(missing)} of {len(expected)} tensors); other head sizes?"
        )
    if extra := sorted(set(found) - set(expected)):
        raise InvalidDataError(f"{path} has {extra[0]}, which the configuration does not know; other head sizes?")
    for name, shape in found.items():
        if list(shape) != list(expected[name].shape):
            raise InvalidDataError(
                f"{path}: {name} is {list(shape)}, but the configuration needs {list(expected[name].shape)}; "
                "the weights are of another head size"
            )


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Put ``weights`` of the file ``path`` into ``model``. Raises InvalidDataError naming the first that misfits."""
    check_shapes({name: value.shape for name, value in weights.items()}, model.state_dict(), path)
    model.load_state_dict(dict(weights))
