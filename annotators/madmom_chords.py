"""madmom's deep chroma and conditional random field: major and minor chords at 10 frames/s.

Korzeniowski, Widmer, "Feature learning for chord recognition: the deep chroma extractor", ISMIR 2016.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from schemas import ChordSequence, ChordSpan, ToolInfo
from schemas.estimate import Detail, Value

from .base import Annotator, Samples, installed_version, within_clip
from .madmom_lib import DISTRIBUTION, LICENCE, URL, import_madmom

FRAME_RATE = 10


@dataclass(frozen=True, slots=True)
class _DeepChroma:
    chroma: Any
    decode: Any


class MadmomChords(Annotator[_DeepChroma]):
    """Major and minor triads and ``N``; details hold the clip's mean deep chroma, 12 values from C."""

    attribute: ClassVar = "chords"
    sample_rate: ClassVar[int] = 44_100
    requires: ClassVar[tuple[str, ...]] = (DISTRIBUTION,)

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        return ToolInfo("madmom_chords", installed_version(DISTRIBUTION), LICENCE, URL)

    def _load(self) -> _DeepChroma:
        chroma = import_madmom("madmom.audio.chroma").DeepChromaProcessor()
        return _DeepChroma(chroma, import_madmom("madmom.features.chords").DeepChromaChordRecognitionProcessor())

    def _estimate(self, model: _DeepChroma, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        chroma = np.asarray(model.chroma(samples))
        spans = tuple(
            ChordSpan(round(float(start), 4), round(float(end), 4), str(label))
            for start, end, label in model.decode(chroma)
        )
        spans = within_clip(spans, samples.size / self.sample_rate)
        return ChordSequence(spans), None, {"chroma": [round(float(v), 4) for v in chroma.mean(axis=0)]}
