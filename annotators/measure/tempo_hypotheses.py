"""How likely each tempo and bar length is, given a tracker's activations: the evidence for octaves and 6/8.

A tracker decodes one tempo. Here madmom's bar model (Krebs, Boeck, Widmer, ISMIR 2015) is run again with its beats
held near other ratios of that tempo: half, double, and the thirds that distinguish 6/8 from 3/4.
"""

from typing import Any

from fgmcaps.annotators.evidence.tempi import TempoLikelihoods
from fgmcaps.annotators.kernels.bar_viterbi import BarViterbi
from fgmcaps.annotators.libraries.madmom import import_madmom

MIN_BPM, MAX_BPM = 30.0, 300.0
_WITHIN = 0.08


class TempoHypotheses:
    """Log-likelihood of tempi and bar lengths under activations at ``fps`` frames/s."""

    def __init__(self, fps: int) -> None:
        downbeats = import_madmom("madmom.features.downbeats")
        models = downbeats.DBNDownBeatTrackingProcessor(
            beats_per_bar=list(TempoLikelihoods.BARS), min_bpm=MIN_BPM, max_bpm=MAX_BPM, num_tempi=None, fps=fps
        )
        self._models, self._fps = [BarViterbi(hmm) for hmm in models.hmms], fps

    def __call__(self, activations: Any, interval_s: float) -> TempoLikelihoods | None:
        """Likelihoods of tempi around that of beats ``interval_s`` seconds apart; ``activations``: float[frames, 2].

        A tempo outside 30 .. 300 BPM has an empty row. None for activations of exactly 0 or 1.
        """
        densities = self._models[0].densities(activations)
        if densities is None or len(densities) == 0:
            return None
        rows: list[list[float]] = []
        for ratio in TempoLikelihoods.RATIOS:
            frames = interval_s * self._fps / ratio
            inside = 60 / MAX_BPM <= interval_s / ratio <= 60 / MIN_BPM
            low, high = frames * (1 - _WITHIN), frames * (1 + _WITHIN)
            found = [model.log_probability(densities, low, high) for model in self._models] if inside else []
            rows.append([score for score in found if score is not None])
        highest = max((score for row in rows for score in row), default=0.0)
        seconds = len(densities) / self._fps
        return TempoLikelihoods(tuple(tuple(round((v - highest) / seconds, 2) for v in row) for row in rows))
