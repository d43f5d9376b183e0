"""BeatNet: beats and downbeats by a causal CRNN and an offline DBN, the tool of the published recipe.

Heydari, Cwitkowitz, Duan, "BeatNet: CRNN and particle filtering for online joint beat, downbeat and meter tracking",
ISMIR 2021. The package's own class keeps the LSTM's state from one clip to the next, so its answer depends on
the clips before; here the state is zeroed for each clip, which equals a fresh instance. Its handler module also imports
pyaudio and matplotlib for modes that are not used here; only its network and its features are imported.

Licence: weights and code of BeatNet are CC BY 4.0; the features and the DBN are madmom's code, which is BSD-licensed.
None of madmom's own (non-commercial) models is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Samples, installed_version
from fgmcaps.annotators.evidence.bars import BarLikelihoods
from fgmcaps.annotators.frames import FrameAnnotator, Frames, by_length
from fgmcaps.annotators.kernels.bar_decoder import BarDecoder
from fgmcaps.annotators.kernels.devices import available_device, checked_device
from fgmcaps.annotators.kernels.onset_bands import band_edges, onset_bands
from fgmcaps.annotators.kernels.torch_threads import one_thread
from fgmcaps.annotators.libraries.madmom import DISTRIBUTION, import_madmom
from fgmcaps.annotators.measure.tempo_hypotheses import TempoHypotheses
from fgmcaps.annotators.measure.tracker_details import tracker_details
from fgmcaps.schemas import BeatGrid, ToolInfo
from fgmcaps.schemas.estimate import Detail, Value

if TYPE_CHECKING:
    from fgmcaps.annotators.kernels.log_spectrum import LogSpectrum

FRAME_RATE = 50
_RATE = 22_050
_FEATURES, _CELLS, _LAYERS = 272, 150, 2


@dataclass(frozen=True, slots=True)
class _BeatNet:
    spectrum: "LogSpectrum"
    network: Any
    decoder: BarDecoder
    bands: tuple[slice, ...]
    hypotheses: TempoHypotheses
    device: str


class BeatNet(FrameAnnotator[_BeatNet]):
    """Beats at 20 ms resolution.

    ``model``: 1, 2 or 3, the package's weights that were trained without GTZAN, Ballroom and Rock Corpus. The
    likelihoods of ``evidence_bars`` go into the details only, for fusion.
    """

    attribute: ClassVar = "beats"
    sample_rate: ClassVar[int] = _RATE
    requires: ClassVar[tuple[str, ...]] = ("BeatNet", DISTRIBUTION)

    def __init__(
        self,
        model: int = 1,
        beats_per_bar: tuple[int, ...] = (2, 3, 4),
        evidence_bars: tuple[int, ...] = (),
        device: str = "cpu",
    ) -> None:
        super().__init__()
        if model not in (1, 2, 3):
            raise ValueError(f"BeatNet has models 1, 2 and 3, got {model}")
        self.model, self.beats_per_bar, self.evidence_bars = model, tuple(beats_per_bar), tuple(evidence_bars)
        self.device = checked_device(device, "beatnet")

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        return ToolInfo("beatnet", installed_version("BeatNet"), "CC BY 4.0", "https://github.com/mjhydri/BeatNet")

    def settings(self) -> dict[str, Detail]:
        """Weights and bar lengths."""
        return {
            "model": float(self.model),
            "beats_per_bar": [float(b) for b in self.beats_per_bar],
            "evidence_bars": [float(b) for b in self.evidence_bars],
            "device": self.device,
        }

    def _load(self) -> _BeatNet:
        import torch

        from fgmcaps.annotators.kernels.log_spectrum import LogSpectrum

        device = available_device(self.device, self.info.name)
        log_spect = import_madmom("BeatNet.log_spect")
        network = import_madmom("BeatNet.model").BDA(_FEATURES, _CELLS, _LAYERS, device)
        weights = resources.files("BeatNet").joinpath(f"models/model_{self.model}_weights.pt")
        with weights.open("rb") as file:
            network.load_state_dict(torch.load(file, map_location=device, weights_only=True), strict=False)
        network.eval()
        features = log_spect.LOG_SPECT(
            sample_rate=_RATE,
            win_length=int(0.064 * _RATE),
            hop_size=int(0.020 * _RATE),
            n_bands=[24],
            mode="offline",
        )
        decoder = BarDecoder(self.beats_per_bar, FRAME_RATE, self.evidence_bars)
        features.process_audio(np.zeros(_RATE, dtype=np.float32))  # madmom builds its filterbanks at the first call
        chain = features.pipe.processors[1].processors[0]
        bands = band_edges(chain.processors[2].filterbank.center_frequencies, _FEATURES // 2)
        return _BeatNet(LogSpectrum(chain, device), network, decoder, bands, TempoHypotheses(FRAME_RATE), device)

    def _frames(self, model: _BeatNet, clips: Sequence[Samples]) -> list[Frames]:
        return by_length(clips, lambda stack: _scores(model, stack))

    def _conclude(
        self, model: _BeatNet, samples: Samples, frames: Frames
    ) -> tuple[Value, float | None, dict[str, Detail]]:
        scores = frames["activations"]
        times, positions, by_bar = model.decoder(scores)
        grid = BeatGrid(tuple(times), tuple(positions))
        details = BarLikelihoods.of(by_bar, len(scores)).to_details()
        details |= tracker_details(scores, frames["onsets"], FRAME_RATE, grid.times, model.hypotheses)
        return grid, None, details


def _scores(model: _BeatNet, stack: npt.NDArray[np.float32]) -> list[Frames]:
    """Beat and downbeat activations [frames, 2] and onsets [frames, 3], both at 50 frames/s, of clips [k, n].

    The LSTM starts from a zero state in every clip.
    """
    import torch

    network = model.network
    with one_thread():
        features = model.spectrum(torch.from_numpy(stack).to(model.device))
        network.hidden = torch.zeros(_LAYERS, len(stack), _CELLS, device=model.device)
        network.cell = torch.zeros(_LAYERS, len(stack), _CELLS, device=model.device)
        scores = torch.softmax(network(features), dim=1)[:, :2].transpose(1, 2).cpu().numpy()
    return [
        {"activations": np.ascontiguousarray(clip), "onsets": onset_bands(found, model.bands)}
        for clip, found in zip(scores, features.cpu().numpy(), strict=True)
    ]
