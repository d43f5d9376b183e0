"""How likely each tempo and bar length is, given a tracker's activations: the evidence for octaves and 6/8.

A tracker decodes one tempo. Here madmom's bar model (Krebs, Boeck, Widmer, ISMIR 2015) is asked again with its beats
held near other ratios of that tempo: half, double, and the thirds that tell 6/8 from 3/4.
"""

from typing import Any

from fgmcaps.annotators.kernels.bar_viterbi import BarViterbi
from fgmcaps.annotators.libraries.madmom import import_madmom
from fgmcaps.schemas.estimate import Detail

RATIOS = (1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0)
BARS = (2, 3, 4, 6)
MIN_BPM, MAX_BPM = 30.0, 300.0
_WITHIN = 0.08


class TempoHypotheses:
    """Log-likelihood of tempi and bar lengths under activations at ``fps`` frames/s."""

    def __init__(self, fps: int) -> None:
        downbeats = import_madmom("madmom.features.downbeats")
        models = downbeats.DBNDownBeatTrackingProcessor(
            beats_per_bar=list(BARS), min_bpm=MIN_BPM, max_bpm=MAX_BPM, num_tempi=None, fps=fps
        )
        self._models, self._fps = [BarViterbi(hmm) for hmm in models.hmms], fps

    def __call__(self, activations: Any, interval_s: float) -> dict[str, Detail]:
        """``hypothesis_loglik``: nats per second for each tempo ratio (rows: 1/3, 1/2, 2/3, 1, 3/2, 2, 3 times the
        tempo of ``interval_s``) and bar length (columns: 2, 3, 4, 6 beats), relative to the highest, so 0 is likeliest.

        A row outside 30 .. 300 BPM is empty. Nothing at all for activations of exactly 0 or 1.
        """
        densities = self._models[0].densities(activations)
        if densities is None or len(densities) == 0:
            return {}
        rows: list[list[float]] = []
        for ratio in RATIOS:
            frames = interval_s * self._fps / ratio
            inside = 60 / MAX_BPM <= interval_s / ratio <= 60 / MIN_BPM
            low, high = frames * (1 - _WITHIN), frames * (1 + _WITHIN)
            found = [model.log_probability(densities, low, high) for model in self._models] if inside else []
            rows.append([score for score in found if score is not None])
        highest = max((score for row in rows for score in row), default=0.0)
        seconds = len(densities) / self._fps
        return {"hypothesis_loglik": [[round((v - highest) / seconds, 2) for v in row] for row in rows]}
