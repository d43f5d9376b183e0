"""The recipe ``calibrated``: hypotheses from all tools, scored by a fitted model, then a filter.

Conventions
-----------
- The confidence of tempo, meter and key is the probability that the value is right (tempo within 4 %). That of the
  downbeats is their expected F-measure at 70 ms, that of chords the expected share of time with right root and third.
- Tempo first, then the meter at that tempo, then where its bars begin; keys from profiles and chords; chords with the
  belief in the keys. These are decided without thresholds; the filter then withholds what is not certain enough.
- A withheld tempo takes beats, meter and downbeats along, a withheld meter the downbeats.
"""

from collections.abc import Sequence

from fgmcaps.annotators.fusion.chords import summarise
from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence, read_evidence
from fgmcaps.annotators.fusion.decide import Harmony, Rhythm, decide_harmony, decide_rhythm
from fgmcaps.annotators.fusion.decision import Decision
from fgmcaps.annotators.fusion.fusion_model import AttributeModel, FusionModel, load_model
from fgmcaps.annotators.fusion.hypotheses.key import key_unity
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS
from fgmcaps.annotators.settings import ChordSettings, FusionSettings
from fgmcaps.schemas import ChordSpan, Estimate, Labels

_MODULATES = -0.22
"""Of :func:`fgmcaps.annotators.fusion.hypotheses.key.key_unity`: below it a clip has no one key (all of 6 modulating
clips that were looked at, 1 % of 500 others)."""
_NO_MUSIC = 0.5
"""Where tempo and chords are both less probable, pitch alone makes no key: a voice that speaks has pitch (so it was for
all 5 of 120 spoken clips that were given a key, and for 3 of 3,164 keys of music)."""
_UNSTEADY = 0.7
"""Share of beat intervals near the median below which a withheld tempo is flagged as unsteady."""


def fuse_calibrated(estimates: Sequence[Estimate], settings: FusionSettings) -> Labels:
    """Labels of one clip; ``estimates`` in a fixed order. Raises ValueError for an unknown model."""
    clip, model = read_evidence(estimates), load_model(settings.model)
    rhythm = decide_rhythm(clip, model)
    harmony = decide_harmony(clip, model, None if rhythm is None else rhythm.bpm)
    tempo, meter, downbeats = _filter_rhythm(clip, rhythm, model, settings)
    key = _kept(harmony.key, harmony.key_probability, model["key"], settings.key.precision)
    if key.value is not None and settings.key.precision > 0:
        if key_unity(clip) < _MODULATES:
            key = Decision(None, key.confidence, "modulates")
        elif not _musical(rhythm, harmony):
            key = Decision(None, key.confidence, "no_music")
    chords = _kept_chords(harmony, model["chords"], settings.chords)
    bars = None if rhythm is None or tempo.value is None else rhythm.bars
    return Labels(
        tempo_bpm=tempo.value,
        tempo_confidence=tempo.confidence,
        beats=() if bars is None else bars.beats,
        downbeats=downbeats.value or (),
        beat_count=None if meter.value is None else FELT_BEATS[meter.value],
        time_signature=meter.value,
        meter_confidence=meter.confidence,
        key=key.value,
        key_confidence=key.confidence,
        chords=chords.value or (),
        chord_summary=() if chords.value is None else summarise(chords.value, settings.chords),
        chords_confidence=chords.confidence,
        qc_flags=tempo.flags("tempo")
        + meter.flags("meter")
        + downbeats.flags("downbeats")
        + key.flags("key")
        + chords.flags("chords"),
        downbeats_confidence=downbeats.confidence,
    )


def _kept(value: str | None, probability: float | None, model: AttributeModel, precision: float) -> Decision[str]:
    if value is None or probability is None:
        return Decision(None, None, "not_found")
    if probability < model.threshold(precision).probability:
        return Decision(None, probability, "low_confidence")
    return Decision(value, probability)


def _musical(rhythm: Rhythm | None, harmony: Harmony) -> bool:
    """Whether tempo or chords are believable, so that there is music to have a key."""
    tempo, chords = None if rhythm is None else rhythm.tempo_probability, harmony.chords_probability
    return max(tempo or 0.0, chords or 0.0) >= _NO_MUSIC


def _kept_chords(harmony: Harmony, model: AttributeModel, settings: ChordSettings) -> Decision[tuple[ChordSpan, ...]]:
    if not harmony.spans or harmony.chords_probability is None:
        return Decision(None, None, "not_found")
    if harmony.chords_probability < model.threshold(settings.precision).probability:
        return Decision(None, harmony.chords_probability, "low_confidence")
    return Decision(harmony.spans, harmony.chords_probability)


def _filter_rhythm(
    clip: ClipEvidence, rhythm: Rhythm | None, model: FusionModel, settings: FusionSettings
) -> tuple[Decision[float], Decision[str], Decision[tuple[float, ...]]]:
    if rhythm is None:
        return Decision(None, None, "not_found"), Decision(None, None, "no_tempo"), Decision(None, None, "no_tempo")
    tempo_ok = rhythm.tempo_probability >= model["tempo"].threshold(settings.tempo.precision).probability
    tempo: Decision[float]
    if tempo_ok:
        tempo = Decision(round(rhythm.bpm, 2), rhythm.tempo_probability)
    else:
        steady = max((t.regularity for t in clip.trackers), default=0.0)
        tempo = Decision(None, rhythm.tempo_probability, "unsteady" if steady < _UNSTEADY else "low_confidence")
    meter: Decision[str] = Decision(rhythm.signature, rhythm.meter_probability)
    if not tempo_ok:
        meter = Decision(None, rhythm.meter_probability, "no_tempo")
    elif clip.seconds < 2 * FELT_BEATS[rhythm.signature] * 60.0 / rhythm.bpm:
        meter = Decision(None, rhythm.meter_probability, "too_short")
    elif rhythm.meter_probability < model["meter"].threshold(settings.meter.precision).probability:
        meter = Decision(None, rhythm.meter_probability, "low_confidence")
    downbeats: Decision[tuple[float, ...]]
    if rhythm.bars is None or rhythm.downbeats_probability is None:
        downbeats = Decision(None, None, "no_tempo" if not tempo_ok else "no_tracker_on_tempo")
    elif meter.value is None:
        downbeats = Decision(None, rhythm.downbeats_probability, "no_meter" if tempo_ok else "no_tempo")
    elif rhythm.downbeats_probability < model["downbeats"].threshold(settings.downbeats.precision).probability:
        downbeats = Decision(None, rhythm.downbeats_probability, "low_confidence")
    else:
        downbeats = Decision(rhythm.bars.downbeats, rhythm.downbeats_probability)
    return tempo, meter, downbeats
