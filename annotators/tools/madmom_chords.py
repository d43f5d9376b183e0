"""madmom's deep chroma and conditional random field: major and minor chords at 10 frames/s.

Korzeniowski, Widmer, "Feature learning for chord recognition: the deep chroma extractor", ISMIR 2016.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Samples, installed_version, within_clip
from fgmcaps.annotators.evidence.base import rounded
from fgmcaps.annotators.evidence.chord_classes import CLASSES, NO_CHORD
from fgmcaps.annotators.evidence.keys import MeanChroma
from fgmcaps.annotators.frames import FrameAnnotator, Frames
from fgmcaps.annotators.libraries.madmom import DISTRIBUTION, LICENCE, URL, import_madmom
from fgmcaps.annotators.measure.chords import chain_marginals, chord_posteriors
from fgmcaps.schemas import ChordSequence, ChordSpan, ToolInfo
from fgmcaps.schemas.estimate import Detail, Value

FRAME_RATE = 10
_CLASS_OF = [*((k + 9) % 12 for k in range(12)), *((k + 9) % 12 + 12 for k in range(12)), NO_CHORD]  # 0 is A:maj


@dataclass(frozen=True, slots=True)
class _DeepChroma:
    chroma: Any
    decode: Any


class MadmomChords(FrameAnnotator[_DeepChroma]):
    """Major and minor triads and ``N``.

    Details hold the clip's mean deep chroma, 12 values from C, and the field's posteriors of its spans
    (:class:`fgmcaps.annotators.evidence.chords.ChordPosteriors`).
    """

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

    def _frames(self, model: _DeepChroma, clips: Sequence[Samples]) -> list[Frames]:
        chromas = [np.asarray(model.chroma(samples)) for samples in clips]
        return [{"deep_chroma": chroma, "majmin": posteriors(model, chroma)} for chroma in chromas]

    def _conclude(
        self, model: _DeepChroma, samples: Samples, frames: Frames
    ) -> tuple[Value, float | None, dict[str, Detail]]:
        chroma = frames["deep_chroma"]
        spans = tuple(
            ChordSpan(round(float(start), 4), round(float(end), 4), str(label))
            for start, end, label in model.decode(chroma)
        )
        spans = within_clip(spans, samples.size / self.sample_rate)
        mean = MeanChroma(rounded(chroma.mean(axis=0), 4))
        evidence = chord_posteriors(frames["majmin"], 1 / FRAME_RATE, spans)
        return ChordSequence(spans), None, mean.to_details() | evidence.to_details()


def posteriors(model: _DeepChroma, chroma: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Marginals of the random field by class of chord evidence, float64[frames, 26]."""
    field = model.decode.processors[0]
    found = chain_marginals(chroma @ field.W + field.c, field.A, field.pi, field.tau)
    out = np.zeros((len(chroma), CLASSES))
    out[:, _CLASS_OF] = found
    return out
