"""madmom's downbeat tracker: an ensemble of recurrent networks and a DBN over bars.

Boeck, Krebs, Widmer, "Joint beat and downbeat tracking with recurrent neural networks", ISMIR 2016. Weights,
filterbanks and bar model are madmom's own; the arithmetic runs in :mod:`fgmcaps.annotators.kernels.log_spectrum`,
:mod:`fgmcaps.annotators.kernels.peephole_lstm` and :mod:`fgmcaps.annotators.kernels.bar_viterbi`: the same numbers in
a twentieth of the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Samples, installed_version
from fgmcaps.annotators.evidence.bars import BarLikelihoods
from fgmcaps.annotators.frames import FrameAnnotator, Frames, by_length
from fgmcaps.annotators.kernels.bar_decoder import BarDecoder
from fgmcaps.annotators.kernels.devices import available_device, checked_device
from fgmcaps.annotators.kernels.onset_bands import band_edges, onset_bands
from fgmcaps.annotators.kernels.torch_threads import one_thread
from fgmcaps.annotators.libraries.madmom import DISTRIBUTION, LICENCE, URL, import_madmom
from fgmcaps.annotators.measure.tempo_hypotheses import TempoHypotheses
from fgmcaps.annotators.measure.tracker_details import tracker_details
from fgmcaps.schemas import BeatGrid, ToolInfo
from fgmcaps.schemas.estimate import Detail, Value

if TYPE_CHECKING:
    from fgmcaps.annotators.kernels.log_spectrum import LogSpectrum
    from fgmcaps.annotators.kernels.peephole_lstm import LstmEnsemble

FRAME_RATE = 100


@dataclass(frozen=True, slots=True)
class _DownbeatModel:
    spectra: list["LogSpectrum"]
    ensemble: "LstmEnsemble"
    decoder: BarDecoder
    bands: tuple[slice, ...]
    hypotheses: TempoHypotheses
    device: str


class MadmomDownbeat(FrameAnnotator[_DownbeatModel]):
    """Beats at 10 ms resolution.

    ``beats_per_bar`` are the bar lengths to choose from ([3, 4] measured best: 31 of 32 clips against 26 for
    [2, 3, 4]); the likelihoods of ``evidence_bars`` go into the details only, for fusion.
    """

    attribute: ClassVar = "beats"
    sample_rate: ClassVar[int] = 44_100
    requires: ClassVar[tuple[str, ...]] = (DISTRIBUTION,)

    def __init__(
        self, beats_per_bar: tuple[int, ...] = (3, 4), evidence_bars: tuple[int, ...] = (), device: str = "cpu"
    ) -> None:
        super().__init__()
        self.beats_per_bar, self.evidence_bars = tuple(beats_per_bar), tuple(evidence_bars)
        self.device = checked_device(device, "madmom_downbeat")

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        return ToolInfo("madmom_downbeat", installed_version(DISTRIBUTION), LICENCE, URL)

    def settings(self) -> dict[str, Detail]:
        """Bar lengths."""
        return {
            "beats_per_bar": [float(b) for b in self.beats_per_bar],
            "evidence_bars": [float(b) for b in self.evidence_bars],
            "device": self.device,
        }

    def _load(self) -> _DownbeatModel:
        from fgmcaps.annotators.kernels.log_spectrum import LogSpectrum
        from fgmcaps.annotators.kernels.peephole_lstm import LstmEnsemble

        device = available_device(self.device, self.info.name)
        shipped = import_madmom("madmom.features.downbeats").RNNDownBeatProcessor()
        features, ensemble, _ = shipped.processors
        networks = list(ensemble.processors[0].processors)
        decoder = BarDecoder(self.beats_per_bar, FRAME_RATE, self.evidence_bars)
        features(np.zeros(self.sample_rate, dtype=np.float32))  # madmom builds its filterbanks at the first call
        chains = features.processors[1].processors
        filterbanks = [chain.processors[2].filterbank for chain in chains]
        first, second = (2 * bank.shape[1] for bank in filterbanks[:2])  # spectrum and its rise, side by side
        bands = band_edges(filterbanks[1].center_frequencies, offset=first + second // 2)
        spectra = [LogSpectrum(chain, device) for chain in chains]
        ensemble = LstmEnsemble(networks, device)
        return _DownbeatModel(spectra, ensemble, decoder, bands, TempoHypotheses(FRAME_RATE), device)

    def _frames(self, model: _DownbeatModel, clips: Sequence[Samples]) -> list[Frames]:
        return by_length(clips, lambda stack: _scores(model, stack))

    def _conclude(
        self, model: _DownbeatModel, samples: Samples, frames: Frames
    ) -> tuple[Value, float | None, dict[str, Detail]]:
        activations = frames["activations"]
        times, positions, by_bar = model.decoder(activations)
        grid = BeatGrid(tuple(times), tuple(positions))
        details = BarLikelihoods.of(by_bar, len(activations)).to_details()
        details["peak_activation"] = round(float(activations.max(axis=1).max(initial=0.0)), 4)
        details |= tracker_details(activations, frames["onsets"], FRAME_RATE, grid.times, model.hypotheses)
        return grid, None, details


def _scores(model: _DownbeatModel, stack: npt.NDArray[np.float32]) -> list[Frames]:
    """Beat and downbeat activations [frames, 2] and onsets [frames, 3], both at 100 frames/s, of clips [k, n]."""
    import torch

    with one_thread():
        signals = torch.from_numpy(stack).to(model.device)
        features = torch.cat([spectrum(signals) for spectrum in model.spectra], dim=2)
        activations = model.ensemble(features)[..., 1:].cpu().numpy()
    return [
        {"activations": np.ascontiguousarray(clip), "onsets": onset_bands(found, model.bands)}
        for clip, found in zip(activations, features.cpu().numpy(), strict=True)
    ]
