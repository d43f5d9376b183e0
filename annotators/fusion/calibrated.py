"""The recipe ``calibrated``: hypotheses from all tools, scored by a fitted model, then a filter.

Conventions
-----------
- The confidence of tempo, meter and key is the probability that the value is right (tempo within 4 %). That of the
  downbeats is their expected F-measure at 70 ms, that of chords the expected share of time with right root and third.
- Tempo first, then the meter at that tempo, then where its bars begin; keys from profiles and chords; chords with the
  belief in the keys. These are decided without thresholds (:func:`find`); the filter
  (:mod:`fgmcaps.annotators.fusion.keep`) then withholds what is not certain enough.
"""

from collections.abc import Sequence

from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence, read_evidence
from fgmcaps.annotators.fusion.decide import Harmony, Rhythm, decide_harmony, decide_rhythm
from fgmcaps.annotators.fusion.fusion_model import FusionModel, load_model
from fgmcaps.annotators.fusion.hypotheses.key import key_unity
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS
from fgmcaps.annotators.fusion.keep import MODULATES, TOO_SHORT, UNSTEADY, keep
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.schemas import Estimate, Fused, Labels

_MODULATES = -0.22
"""Of :func:`fgmcaps.annotators.fusion.hypotheses.key.key_unity`: below it a clip has no one key (all of 6 modulating
clips that were looked at, 1 % of 500 others)."""
_UNSTEADY = 0.7
"""Share of beat intervals near the median below which a withheld tempo is flagged as unsteady."""


def fuse_calibrated(estimates: Sequence[Estimate], settings: FusionSettings) -> Labels:
    """Labels of one clip; ``estimates`` in a fixed order. Raises ValueError for an unknown model."""
    return keep(find(read_evidence(estimates), load_model(settings.model)), settings)


def find(clip: ClipEvidence, model: FusionModel) -> Fused:
    """The likeliest value of every attribute with its probability, whatever a filter makes of it."""
    rhythm = decide_rhythm(clip, model)
    harmony = decide_harmony(clip, model, None if rhythm is None else rhythm.bpm)
    bars = None if rhythm is None else rhythm.bars
    return Fused(
        tempo_bpm=None if rhythm is None else round(rhythm.bpm, 2),
        tempo_probability=None if rhythm is None else rhythm.tempo_probability,
        tempo_alternatives=() if rhythm is None else rhythm.other_tempi,
        beats=() if bars is None else bars.beats,
        downbeats=() if bars is None else bars.downbeats,
        downbeats_probability=None if rhythm is None else rhythm.downbeats_probability,
        time_signature=None if rhythm is None else rhythm.signature,
        meter_probability=None if rhythm is None else rhythm.meter_probability,
        meter_alternatives=() if rhythm is None else rhythm.other_meters,
        key=harmony.key,
        key_probability=harmony.key_probability,
        key_alternatives=harmony.other_keys,
        chords=harmony.spans,
        chords_probability=harmony.chords_probability,
        findings=tuple(_findings(clip, rhythm, harmony)),
    )


def _findings(clip: ClipEvidence, rhythm: Rhythm | None, harmony: Harmony) -> list[str]:
    found = []
    if rhythm is not None:
        if max((t.regularity for t in clip.trackers), default=0.0) < _UNSTEADY:
            found.append(UNSTEADY)
        if clip.seconds < 2 * FELT_BEATS[rhythm.signature] * 60.0 / rhythm.bpm:
            found.append(TOO_SHORT)
    if harmony.key is not None and key_unity(clip) < _MODULATES:
        found.append(MODULATES)
    return found
