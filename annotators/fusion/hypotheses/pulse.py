"""Tempo and meter decided together: what a bar of 6/8 is at one tempo is one of 3/4 at another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fgmcaps.annotators.fusion.choose import probabilities
from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence
from fgmcaps.annotators.fusion.features import Floats, Row
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS, meter_rows
from fgmcaps.annotators.fusion.hypotheses.tempo import tempo_rows


@dataclass(frozen=True, slots=True)
class Pulse:
    """The likeliest tempo in BPM and the likeliest meter at it.

    ``other_bpm``: the next best tempo. ``tempo_shares`` and ``meter_shares``: belief in the chosen one and in the best
    other; ``by_tempo``: every tempo with the belief in it over all meters; ``by_meter``: belief in each of
    ``FELT_BEATS`` at the chosen tempo, of sum 1; ``evidence``: features of the chosen pair.
    """

    bpm: float
    signature: str
    other_bpm: float
    tempo_shares: tuple[float, float]
    meter_shares: tuple[float, float]
    by_tempo: tuple[tuple[float, float], ...]
    by_meter: tuple[float, ...]
    evidence: Row


def pulse_rows(clip: ClipEvidence, hypotheses: Sequence[float]) -> list[Row]:
    """Features of every pair of a tempo of ``hypotheses`` and a meter of ``FELT_BEATS``, meters changing faster."""
    tempi = tempo_rows(clip, hypotheses)
    return [{**tempo, **meter} for bpm, tempo in zip(hypotheses, tempi, strict=True) for meter in meter_rows(clip, bpm)]


def choose_pulse(
    hypotheses: Sequence[float], rows: Sequence[Row], log_odds: Floats, tilt: Floats | None = None
) -> Pulse:
    """The tempo that is likeliest over all meters, the meter that is likeliest at it; ``log_odds`` of the pairs.

    ``tilt`` float64[meters]: how much commoner each meter is than it was in what the scores were fitted on. It decides
    the meter, not the tempo: an octave is no matter of what meters are common.
    """
    shares = probabilities(log_odds).reshape(len(hypotheses), len(FELT_BEATS))
    by_tempo = shares.sum(axis=1)
    best = int(np.argmax(np.round(by_tempo, 9)))
    by_meter = shares[best] if tilt is None else shares[best] * tilt
    by_meter = by_meter / max(float(by_meter.sum()), 1e-12)
    which = int(np.argmax(np.round(by_meter, 9)))
    return Pulse(
        hypotheses[best],
        tuple(FELT_BEATS)[which],
        hypotheses[_best_other(by_tempo, best)],
        (float(by_tempo[best]), _other(by_tempo, best)),
        (float(by_meter[which]), _other(by_meter, which)),
        tuple(zip(map(float, hypotheses), by_tempo.tolist(), strict=True)),
        tuple(by_meter.tolist()),
        rows[best * len(FELT_BEATS) + which],
    )


def _best_other(shares: Floats, chosen: int) -> int:
    others = shares.copy()
    others[chosen] = -1.0
    return int(np.argmax(np.round(others, 9)))


def _other(shares: Floats, chosen: int) -> float:
    return float(np.delete(shares, chosen).max(initial=0.0))
