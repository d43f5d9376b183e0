"""madmom's downbeat tracker: an ensemble of recurrent networks and a DBN over bars.

Boeck, Krebs, Widmer, "Joint beat and downbeat tracking with recurrent neural networks", ISMIR 2016. Features, weights
and DBN are madmom's own; only the recurrence runs
in :mod:`annotators.peephole_lstm` (the same numbers in an eighth of the time).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from schemas import BeatGrid, ToolInfo
from schemas.estimate import Detail, Value

from .base import Annotator, Samples, installed_version
from .madmom_lib import DISTRIBUTION, LICENCE, URL, BarDecoder, bar_evidence, import_madmom

if TYPE_CHECKING:
    from .peephole_lstm import LstmEnsemble

FRAME_RATE = 100


@dataclass(frozen=True, slots=True)
class _DownbeatModel:
    features: Any
    ensemble: "LstmEnsemble"
    decoder: BarDecoder


class MadmomDownbeat(Annotator[_DownbeatModel]):
    """Beats at 10 ms resolution.

    ``beats_per_bar`` are the bar lengths to choose from ([3, 4] measured best: 31 of 32 clips against 26 for
    [2, 3, 4]); the likelihoods of ``evidence_bars`` go into the details only, for fusion.
    """

    attribute: ClassVar = "beats"
    sample_rate: ClassVar[int] = 44_100
    requires: ClassVar[tuple[str, ...]] = (DISTRIBUTION,)

    def __init__(self, beats_per_bar: tuple[int, ...] = (3, 4), evidence_bars: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.beats_per_bar, self.evidence_bars = tuple(beats_per_bar), tuple(evidence_bars)

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        return ToolInfo("madmom_downbeat", installed_version(DISTRIBUTION), LICENCE, URL)

    def settings(self) -> dict[str, Detail]:
        """Bar lengths."""
        return {
            "beats_per_bar": [float(b) for b in self.beats_per_bar],
            "evidence_bars": [float(b) for b in self.evidence_bars],
        }

    def _load(self) -> _DownbeatModel:
        from .peephole_lstm import LstmEnsemble

        shipped = import_madmom("madmom.features.downbeats").RNNDownBeatProcessor()
        features, ensemble, _ = shipped.processors
        networks = list(ensemble.processors[0].processors)
        decoder = BarDecoder(self.beats_per_bar, FRAME_RATE, self.evidence_bars)
        return _DownbeatModel(features, LstmEnsemble(networks), decoder)

    def _estimate(self, model: _DownbeatModel, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        activations = self.activations(model, samples)
        times, positions, by_bar = model.decoder(activations)
        strength = round(float(activations.max(axis=1).max(initial=0.0)), 4)
        details: dict[str, Detail] = {**bar_evidence(by_bar, len(activations)), "peak_activation": strength}
        return BeatGrid(tuple(times), tuple(positions)), None, details

    @staticmethod
    def activations(model: _DownbeatModel, samples: Samples) -> Any:
        """Beat and downbeat activations float32[frames, 2] at 100 frames/s."""
        classes = model.ensemble(np.asarray(model.features(samples)))
        return np.ascontiguousarray(classes[:, 1:])
