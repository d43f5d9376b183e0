"""MuQ, the paper's audio encoder: last hidden state, 1024 wide, 25 frames a second of 24 kHz audio.

Zhu et al., MuQ: Self-Supervised Music Representation Learning with Mel Residual Vector Quantization, 2025. The model
is the package ``muq``'s own; its weights (1.3 GB on the Hub) are CC BY-NC 4.0. Always fp32: fp16 gives NaN.
"""

import importlib
import importlib.util
import json
import sys
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import torch
from torch import Tensor

from fgmcaps.common.errors import InvalidDataError, MachineError
from fgmcaps.training.encoders.base import AudioEncoder
from fgmcaps.training.encoders.mel import provide_torchaudio, withdraw_torchaudio
from fgmcaps.training.encoders.weights import WeightsSource

REPOSITORY = "OpenMuQ/MuQ-large-msd-iter"
SAMPLE_RATE, FRAME_RATE = 24_000, 25
SAMPLES_PER_FRAME = SAMPLE_RATE // FRAME_RATE
FILES = ("config.json", "*.safetensors")
# Used in pre-training only: a checkpoint may lack them, or hold others.
TRAINING_ONLY = ("model.rvq.", "model.quantizer_", "model.linear.", "model.cls_token", "model.recon_proj.")


class MuQEncoder(AudioEncoder):
    """``revision``: a commit, or a branch that is resolved to one; ``path``: a local folder instead of the Hub."""

    name: ClassVar[str] = "muq"
    licence: ClassVar[str] = "CC-BY-NC-4.0"
    sample_rate = SAMPLE_RATE
    frame_rate = float(FRAME_RATE)

    def __init__(
        self, repository: str = REPOSITORY, revision: str = "main", path: str | None = None, dim: int = 1024
    ) -> None:
        self.dim = dim
        self.source = WeightsSource(self.name, repository, revision, FILES, path)
        self._model: Any = None
        self._device = torch.device("cpu")

    @cached_property
    def revision(self) -> str:  # type: ignore[override]
        """Commit of the weights, or a hash of a local folder's."""
        return self.source.resolve()

    def settings(self) -> dict[str, Any]:
        """What changes the frames."""
        return {"repository": self.source.repository if self.source.path is None else "local", "layer": "last"}

    def setup(self, device: torch.device | str = "cpu") -> None:
        """Load the weights. Raises MachineError (package missing), InvalidDataError (wrong config or shapes)."""
        self._device = torch.device(device)
        if self._model is None:
            self._model = load_muq(self.source.folder(), self.dim)
        self._model.to(self._device).eval()

    def frames(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class. A clip of n samples has ``n // 960`` frames, at least one; padding is not attended to."""
        if self._model is None:
            raise RuntimeError("encoder muq: call setup() first")
        counts = (lengths // SAMPLES_PER_FRAME).clamp(min=1)
        time = int(counts.max())
        short = max(0, time * SAMPLES_PER_FRAME - audio.shape[1])
        audio = torch.nn.functional.pad(audio, (0, short))[:, : time * SAMPLES_PER_FRAME].to(
            self._device, torch.float32
        )
        mask = (torch.arange(time)[None, :] < counts[:, None].cpu()).to(self._device)
        with torch.no_grad(), torch.autocast(self._device.type, enabled=False):
            states = last_states(self._model, audio, None if bool(mask.all()) else mask)
        return states * mask[..., None], mask


def last_states(model: Any, audio: Tensor, mask: Tensor | None) -> Tensor:
    """Last hidden states [B, T, dim] of waveforms [B, 960 T]; ``mask`` bool[B, T] where clips differ in length.

    The steps are those of the model's own ``get_predictions``, which reads a list of all hidden states that
    transformers 5 does not return any more.
    """
    inner = model.model
    mel = inner.normalize(inner.preprocessing(audio, features=["melspec_2048"]))["melspec_2048"]
    embedded = inner.conv(mel)
    if embedded.shape[1] != audio.shape[1] // SAMPLES_PER_FRAME:
        raise InvalidDataError(f"encoder muq: {embedded.shape[1]} frames of {audio.shape[1]} samples, not 25 a second")
    states: Tensor = inner.conformer(embedded, attention_mask=mask)["last_hidden_state"]
    return states


def load_muq(folder: Path, dim: int) -> Any:
    """The model of a folder with ``config.json`` and ``*.safetensors``, on the CPU, fp32.

    Raises MachineError (the package is missing), InvalidDataError (config or weights do not fit).
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    muq = _muq_module()
    try:
        config = json.loads((folder / "config.json").read_bytes())
        config = muq.MuQConfig(**config.get("config", config))
        config.w2v2_config = _complete(config.w2v2_config or {})
        if config.encoder_dim != dim:
            raise InvalidDataError(f"encoder muq: {folder}: frames have width {config.encoder_dim}, expected {dim}")
        model = muq.MuQ(config)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise InvalidDataError(f"encoder muq: {folder / 'config.json'}: no config of MuQ ({error})") from None
    weights: dict[str, Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        try:
            weights |= load_file(file)
        except (SafetensorError, OSError) as error:
            raise InvalidDataError(f"encoder muq: {file}: no safetensors file ({error})") from None
    wanted = model.state_dict()
    for name, tensor in weights.items():
        if name in wanted and wanted[name].shape != tensor.shape:
            raise InvalidDataError(
                f"encoder muq: {folder}: weight {name} has shape {list(tensor.shape)}, expected "
                f"{list(wanted[name].shape)}: config.json is of another model"
            )
    missing = [n for n in wanted if n not in weights and not n.startswith(TRAINING_ONLY)]
    if missing:
        raise InvalidDataError(f"encoder muq: {folder}: {len(missing)} weights are missing ({', '.join(missing[:3])})")
    model.load_state_dict({n: t.float() for n, t in weights.items() if n in wanted}, strict=False)
    return model.float().eval()


def _complete(given: dict[str, Any]) -> dict[str, Any]:
    """The conformer's settings with the defaults that today's transformers reads and an older config lacks."""
    from transformers import Wav2Vec2ConformerConfig

    defaults = json.loads(Wav2Vec2ConformerConfig().to_json_string(use_diff=False))
    return {**defaults, **given, "_attn_implementation": "eager"}


def _muq_module() -> Any:
    """``muq.muq.muq`` without ``muq/__init__``, which imports MuQ-MuLan and what that needs."""
    name = "muq.muq.muq"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec("muq")
    if spec is None or not spec.submodule_search_locations:
        raise MachineError("encoder muq: the package muq 0.1.0 is not installed (`pip install --no-deps muq==0.1.0`)")
    package = ModuleType("muq")
    package.__path__ = list(spec.submodule_search_locations)
    put = "muq" not in sys.modules
    if put:
        sys.modules["muq"] = package
    importlib.import_module("transformers.modeling_outputs")  # before: it looks whether torchaudio is installed
    provide_torchaudio()
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MachineError(f"encoder muq: the package muq cannot be imported ({error})") from None
    finally:
        withdraw_torchaudio()
        if put:
            sys.modules.pop("muq", None)
