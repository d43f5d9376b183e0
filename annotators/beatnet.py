"""BeatNet: beats and downbeats by a causal CRNN and an offline DBN, the tool of the published recipe.

Heydari, Cwitkowitz, Duan, "BeatNet: CRNN and particle filtering for online joint beat, downbeat and meter tracking",
ISMIR 2021. The package's own class keeps the LSTM's state from one clip to the next, so its answer depends on what it
heard before; here the state is zeroed for each clip, which equals a fresh instance. Its handler module also imports
pyaudio and matplotlib for modes that are not used here; only its network and its features are imported.

Licence: weights and code of BeatNet are CC BY 4.0; the features and the DBN are madmom's code, which is BSD-licensed.
None of madmom's own (non-commercial) models is read.
"""

from dataclasses import dataclass
from importlib import resources
from typing import Any, ClassVar

from schemas import BeatGrid, ToolInfo
from schemas.estimate import Detail, Value

from .base import Annotator, Samples, installed_version
from .madmom_lib import DISTRIBUTION, BarDecoder, bar_evidence, import_madmom

FRAME_RATE = 50
_RATE = 22_050
_FEATURES, _CELLS, _LAYERS = 272, 150, 2


@dataclass(frozen=True, slots=True)
class _BeatNet:
    features: Any
    network: Any
    decoder: BarDecoder


class BeatNet(Annotator[_BeatNet]):
    """Beats at 20 ms resolution.

    ``model``: 1, 2 or 3, the package's weights that were trained without GTZAN, Ballroom and Rock Corpus.
    """

    attribute: ClassVar = "beats"
    sample_rate: ClassVar[int] = _RATE
    requires: ClassVar[tuple[str, ...]] = ("BeatNet", DISTRIBUTION)

    def __init__(self, model: int = 1, beats_per_bar: tuple[int, ...] = (2, 3, 4)) -> None:
        super().__init__()
        if model not in (1, 2, 3):
            raise ValueError(f"BeatNet has models 1, 2 and 3, got {model}")
        self.model, self.beats_per_bar = model, tuple(beats_per_bar)

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        return ToolInfo("beatnet", installed_version("BeatNet"), "CC BY 4.0", "https://github.com/mjhydri/BeatNet")

    def settings(self) -> dict[str, Detail]:
        """Weights and bar lengths."""
        return {"model": float(self.model), "beats_per_bar": [float(b) for b in self.beats_per_bar]}

    def _load(self) -> _BeatNet:
        import torch

        log_spect = import_madmom("BeatNet.log_spect")
        network = import_madmom("BeatNet.model").BDA(_FEATURES, _CELLS, _LAYERS, "cpu")
        weights = resources.files("BeatNet").joinpath(f"models/model_{self.model}_weights.pt")
        with weights.open("rb") as file:
            network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True), strict=False)
        network.eval()
        features = log_spect.LOG_SPECT(
            sample_rate=_RATE,
            win_length=int(0.064 * _RATE),
            hop_size=int(0.020 * _RATE),
            n_bands=[24],
            mode="offline",
        )
        return _BeatNet(features, network, BarDecoder(self.beats_per_bar, FRAME_RATE))

    def _estimate(self, model: _BeatNet, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        activations = self.activations(model, samples)
        times, positions, by_bar = model.decoder(activations)
        return BeatGrid(tuple(times), tuple(positions)), None, {**bar_evidence(by_bar, len(activations))}

    @staticmethod
    def activations(model: _BeatNet, samples: Samples) -> Any:
        """Beat and downbeat activations float32[frames, 2] at 50 frames/s, from a zero LSTM state."""
        import torch

        from .torch_threads import one_thread

        network = model.network
        features = torch.from_numpy(model.features.process_audio(samples).T).unsqueeze(0)
        with one_thread():
            network.hidden = torch.zeros(_LAYERS, 1, _CELLS)
            network.cell = torch.zeros(_LAYERS, 1, _CELLS)
            scores = network.final_pred(network(features)[0])
        return scores.numpy()[:2].T
