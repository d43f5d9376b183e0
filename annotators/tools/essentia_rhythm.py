"""Essentia's multi-feature beat tracker, used for its tempo.

Zapata, Davies, Gomez, "Multi-feature beat tracking", IEEE/ACM TASLP 22(4), 2014. On signals without beats it returns
any number (738 BPM on silence): a tempo outside the range of music is answered with None.
"""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Annotator, Samples, installed_version
from fgmcaps.annotators.evidence.base import rounded
from fgmcaps.annotators.evidence.tempi import TempoCandidates
from fgmcaps.annotators.libraries.essentia import DISTRIBUTION, LICENCE, RATE, URL, import_essentia
from fgmcaps.schemas import Tempo, ToolInfo
from fgmcaps.schemas.estimate import Detail, Value

MIN_BPM, MAX_BPM = 40.0, 240.0
MIN_TICKS = 3


class EssentiaRhythm(Annotator[Any]):
    """Tempo by ``RhythmExtractor2013(method="multifeature")``; its confidence is in 0 .. 5.32."""

    attribute: ClassVar = "tempo"
    sample_rate: ClassVar[int] = RATE
    requires: ClassVar[tuple[str, ...]] = (DISTRIBUTION,)

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        return ToolInfo("essentia_rhythm", installed_version(DISTRIBUTION), LICENCE, URL)

    def settings(self) -> dict[str, Detail]:
        """Range of believable tempi."""
        return {"min_bpm": MIN_BPM, "max_bpm": MAX_BPM}

    def _load(self) -> Any:
        return import_essentia().RhythmExtractor2013(method="multifeature")

    def _estimate(self, model: Any, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        bpm, ticks, confidence, estimates, _ = model(samples)
        times = tuple(round(float(t), 4) for t in ticks)
        believable = MIN_BPM <= bpm <= MAX_BPM and len(times) >= MIN_TICKS
        peaks, heights = tempo_histogram(np.asarray(estimates, np.float64))
        evidence = TempoCandidates(
            raw_bpm=round(float(bpm), 3),
            ticks=times if believable else (),
            tempo_bpm=rounded(peaks, 2),
            tempo_share=rounded(heights),
        )
        tempo = Tempo(round(float(bpm), 3) if believable else None)
        return tempo, round(float(confidence), 4), evidence.to_details()


def tempo_histogram(estimates: npt.NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """The tracker's tempo estimates [n] in BPM, grouped within 4 %: ``(mean of each group, share of the estimates)``.

    At most four groups, the largest first; equal sizes by tempo.
    """
    ordered = np.sort(estimates[estimates > 0])
    if ordered.size == 0:
        return [], []
    groups = np.split(ordered, np.flatnonzero(ordered[1:] > ordered[:-1] * 1.04) + 1)
    groups.sort(key=lambda group: (-group.size, group[0]))
    return [float(g.mean()) for g in groups[:4]], [g.size / ordered.size for g in groups[:4]]
