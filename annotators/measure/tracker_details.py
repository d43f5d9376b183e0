"""All the evidence of a beat tracker, as details of its estimate."""

import numpy as np

from fgmcaps.annotators.measure.beats import MIN_BEATS, beat_activations, beat_periods
from fgmcaps.annotators.measure.curves import Floats
from fgmcaps.annotators.measure.onsets import onset_evidence
from fgmcaps.annotators.measure.tempo_hypotheses import TempoHypotheses
from fgmcaps.schemas.estimate import Detail


def tracker_details(
    activations: Floats, onsets: Floats, fps: int, times: tuple[float, ...], hypotheses: TempoHypotheses
) -> dict[str, Detail]:
    """Details for the beats ``times`` (seconds).

    ``activations``: float[frames, 2], beat and downbeat; ``onsets``: float[frames, bands]; both at ``fps`` frames/s.
    Below three beats only the activations are evidence.
    """
    found = [
        beat_activations(activations, fps, times),
        beat_periods(activations, fps, times),
        onset_evidence(onsets, fps, times),
        hypotheses(activations, float(np.median(np.diff(times)))) if len(times) >= MIN_BEATS else None,
    ]
    return {name: value for kind in found if kind is not None for name, value in kind.to_details().items()}
