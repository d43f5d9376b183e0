"""Essentia's multi-feature beat tracker, used for its tempo.

Zapata, Davies, Gomez, "Multi-feature beat tracking", IEEE/ACM TASLP 22(4), 2014. On signals without beats it returns
any number (738 BPM on silence): a tempo outside the range of music is answered with None.
"""

from typing import Any, ClassVar

from schemas import Tempo, ToolInfo
from schemas.estimate import Detail, Value

from .base import Annotator, Samples, installed_version
from .essentia_lib import DISTRIBUTION, LICENCE, RATE, URL, import_essentia

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
        bpm, ticks, confidence, _, _ = model(samples)
        times = [round(float(t), 4) for t in ticks]
        believable = MIN_BPM <= bpm <= MAX_BPM and len(times) >= MIN_TICKS
        details: dict[str, Detail] = {"raw_bpm": round(float(bpm), 3), "ticks": times if believable else []}
        return Tempo(round(float(bpm), 3) if believable else None), round(float(confidence), 4), details
