"""madmom's downbeat tracker: an ensemble of recurrent networks and a DBN over bars.

Boeck, Krebs, Widmer, "Joint beat and downbeat tracking with recurrent neural networks", ISMIR 2016. Features, weights
and DBN are madmom's own; only the recurrence runs
in :mod:`annotators.peephole_lstm` (the same numbers in an eighth of the time).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from schemas import BeatGrid, ToolInfo
from schemas.estimate import Detail, Value

from .base import Samples, installed_version
from .beat_evidence import MIN_BEATS, beat_evidence, onset_evidence
from .frames import FrameAnnotator, Frames
from .madmom_lib import DISTRIBUTION, LICENCE, URL, BarDecoder, band_edges, bar_evidence, import_madmom, onset_bands
from .tempo_hypotheses import TempoHypotheses

if TYPE_CHECKING:
    from .peephole_lstm import LstmEnsemble

FRAME_RATE = 100


@dataclass(frozen=True, slots=True)
class _DownbeatModel:
    features: Any
    ensemble: "LstmEnsemble"
    decoder: BarDecoder
    bands: tuple[slice, ...]
    hypotheses: TempoHypotheses


class MadmomDownbeat(FrameAnnotator[_DownbeatModel]):
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
        features(np.zeros(self.sample_rate, dtype=np.float32))  # madmom builds its filterbanks at the first call
        filterbanks = [spectrogram.processors[2].filterbank for spectrogram in features.processors[1].processors]
        first, second = (2 * bank.shape[1] for bank in filterbanks[:2])  # spectrum and its rise, side by side
        bands = band_edges(filterbanks[1].center_frequencies, offset=first + second // 2)
        return _DownbeatModel(features, LstmEnsemble(networks), decoder, bands, TempoHypotheses(FRAME_RATE))

    def _frames(self, model: _DownbeatModel, clips: Sequence[Samples]) -> list[Frames]:
        out: list[Frames] = []
        for samples in clips:
            features = np.asarray(model.features(samples))
            activations = np.ascontiguousarray(model.ensemble(features)[:, 1:])
            out.append({"activations": activations, "onsets": onset_bands(features, model.bands)})
        return out

    def _conclude(
        self, model: _DownbeatModel, samples: Samples, frames: Frames
    ) -> tuple[Value, float | None, dict[str, Detail]]:
        activations = frames["activations"]
        times, positions, by_bar = model.decoder(activations)
        grid = BeatGrid(tuple(times), tuple(positions))
        details: dict[str, Detail] = {
            **bar_evidence(by_bar, len(activations)),
            "peak_activation": round(float(activations.max(axis=1).max(initial=0.0)), 4),
            **beat_evidence(activations, FRAME_RATE, grid.times),
            **onset_evidence(frames["onsets"], FRAME_RATE, grid.times),
        }
        if len(times) >= MIN_BEATS:
            details |= model.hypotheses(activations, float(np.median(np.diff(times))))
        return grid, None, details
