"""The confidence filter: what fusion found becomes the labels that are given. Pure, and needs no estimates.

- A value below its threshold is withheld: None or empty; its confidence stays, ``qc_flags`` says why.
- Beats go with the tempo, unless only its octave is in doubt: then they are beats of one level or the next.
- The meter goes with the tempo in the same way: a bar of four is one at either octave. Downbeats need both.
- No key where the clip modulates, or where neither tempo nor chords are believable.
"""

from math import log2

from fgmcaps.annotators.fusion.chords import summarise
from fgmcaps.annotators.fusion.decision import Decision
from fgmcaps.annotators.fusion.fusion_model import FusionModel, load_model
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS
from fgmcaps.annotators.fusion.meter_prior import with_meters
from fgmcaps.annotators.fusion.recalibrate import recalibrated
from fgmcaps.annotators.fusion.spelling import spelled_all
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.schemas import ChordSpan, Fused, Labels

UNSTEADY, TOO_SHORT, MODULATES = "tempo:unsteady", "meter:too_short", "key:modulates"
"""Findings of :class:`fgmcaps.schemas.Fused`."""
OCTAVE = "octave"
"""Why a tempo is withheld: it is this one, its half or its double."""
_SAME_OCTAVES = 0.06
_SURE_TO_SPELL = 0.5
_NO_MUSIC = 0.5
"""Where tempo and chords are both less probable, pitch alone makes no key: a voice that speaks has pitch (so it was for
all 5 of 120 spoken clips that were given a key, and for 3 of 3,164 keys of music)."""


def keep(found: Fused, settings: FusionSettings) -> Labels:
    """The labels that pass the filter of recipe ``calibrated``. Raises ValueError for an unknown model or precision.

    ``found`` goes into the labels as it is; they are judged with other shares of meters, and their confidences
    recalibrated, where the settings say so.
    """
    model = load_model(settings.model)
    fused = found
    if settings.meters and model.meters is not None:
        fused = with_meters(fused, settings.meters, model.meters)
    fused = recalibrated(fused, settings.calibration)
    tempo = _tempo(fused, model, settings)
    beats = fused.beats if tempo.value is not None or tempo.reason == OCTAVE else ()
    meter = _meter(fused, tempo, model, settings)
    downbeats = _downbeats(fused, beats, meter, model, settings)
    key = _key(fused, model, settings)
    chords = _chords(fused, model, settings)
    return Labels(
        tempo_bpm=tempo.value,
        tempo_confidence=tempo.confidence,
        beats=beats,
        downbeats=downbeats.value or (),
        beat_count=None if meter.value is None else FELT_BEATS[meter.value],
        time_signature=meter.value,
        meter_confidence=meter.confidence,
        key=key.value,
        key_confidence=key.confidence,
        chords=chords.value or (),
        chord_summary=()
        if chords.value is None
        else spelled_all(summarise(chords.value, settings.chords), likely_key(fused)),
        chords_confidence=chords.confidence,
        qc_flags=tempo.flags("tempo")
        + meter.flags("meter")
        + downbeats.flags("downbeats")
        + key.flags("key")
        + chords.flags("chords"),
        downbeats_confidence=downbeats.confidence,
        fused=found,
    )


def likely_key(fused: Fused) -> str | None:
    """The key that chords are spelt in: the likeliest one, kept or not, where it is more likely than all others."""
    return fused.key if (fused.key_probability or 0.0) >= _SURE_TO_SPELL else None


def _tempo(fused: Fused, model: FusionModel, settings: FusionSettings) -> Decision[float]:
    if fused.tempo_bpm is None or fused.tempo_probability is None:
        return Decision(None, None, "not_found")
    needed = model["tempo"].threshold(settings.tempo.precision).probability
    if fused.tempo_probability >= needed:
        return Decision(fused.tempo_bpm, fused.tempo_probability)
    if UNSTEADY in fused.findings:
        return Decision(None, fused.tempo_probability, "unsteady")
    reason = OCTAVE if fused.tempo_probability + _octaves(fused) >= needed else "low_confidence"
    return Decision(None, fused.tempo_probability, reason)


def _octaves(fused: Fused) -> float:
    """Probability that the tempo is half or double of the likeliest."""
    near = (abs(abs(log2(other.bpm / (fused.tempo_bpm or 1.0))) - 1.0) for other in fused.tempo_alternatives)
    return sum(o.probability for o, off in zip(fused.tempo_alternatives, near, strict=True) if off < _SAME_OCTAVES)


def _meter(fused: Fused, tempo: Decision[float], model: FusionModel, settings: FusionSettings) -> Decision[str]:
    probability = fused.meter_probability
    if (tempo.value is None and tempo.reason != OCTAVE) or fused.time_signature is None or probability is None:
        return Decision(None, probability, "no_tempo")
    if TOO_SHORT in fused.findings:
        return Decision(None, probability, "too_short")
    if probability < model["meter"].threshold(settings.meter.precision).probability:
        return Decision(None, probability, "low_confidence")
    return Decision(fused.time_signature, probability)


def _downbeats(
    fused: Fused, beats: tuple[float, ...], meter: Decision[str], model: FusionModel, settings: FusionSettings
) -> Decision[tuple[float, ...]]:
    probability = fused.downbeats_probability
    if probability is None:
        return Decision(None, None, "no_tracker_on_tempo" if beats else "no_tempo")
    if not beats or meter.value is None:
        return Decision(None, probability, "no_meter" if beats else "no_tempo")
    if probability < model["downbeats"].threshold(settings.downbeats.precision).probability:
        return Decision(None, probability, "low_confidence")
    return Decision(fused.downbeats, probability)


def _key(fused: Fused, model: FusionModel, settings: FusionSettings) -> Decision[str]:
    probability = fused.key_probability
    if fused.key is None or probability is None:
        return Decision(None, None, "not_found")
    if probability < model["key"].threshold(settings.key.precision).probability:
        return Decision(None, probability, "low_confidence")
    if settings.key.precision > 0:
        if MODULATES in fused.findings:
            return Decision(None, probability, "modulates")
        if max(fused.tempo_probability or 0.0, fused.chords_probability or 0.0) < _NO_MUSIC:
            return Decision(None, probability, "no_music")
    return Decision(fused.key, probability)


def _chords(fused: Fused, model: FusionModel, settings: FusionSettings) -> Decision[tuple[ChordSpan, ...]]:
    probability = fused.chords_probability
    if not fused.chords or probability is None:
        return Decision(None, None, "not_found")
    if probability < model["chords"].threshold(settings.chords.precision).probability:
        return Decision(None, probability, "low_confidence")
    return Decision(fused.chords, probability)
