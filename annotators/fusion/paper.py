"""The published recipe: one tool an attribute, nothing fused.

Tempo and meter from BeatNet by MusicBench's conventions (60 / median beat interval, at least 3 beats; beats in a bar =
largest beat number), chords from Omnizart, key from Essentia where Essentia's own strength exceeds ``min_confidence``.
Only the key has a confidence, because only Essentia gives one.

Here MusicBench's rule is refined: its beats in a bar are the written ones. Bars that a tracker counts to 6 (6/8) or 12
(12/8) are labelled with the felt beat, every third of the tracker's, and tempo, beats and beat count are those of the
felt beat, as in every row. BeatNet's own decoder counts to 2, 3 or 4 only, so its labels are as published.
"""

from collections.abc import Sequence

from fgmcaps.annotators.fusion.chords import decide_chords, summarise
from fgmcaps.annotators.fusion.decision import Decision
from fgmcaps.annotators.fusion.felt_beats import felt_beats
from fgmcaps.annotators.fusion.spelling import spelled_all
from fgmcaps.annotators.fusion.tempo import median_tempo
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.schemas import BeatGrid, ChordSequence, Estimate, Fused, Key, Labels
from fgmcaps.schemas.meter import Meter

PAPER_VERSION = "2"
"""Part of a build's fingerprint: change it with every change of this recipe that can change a label."""


def fuse_as_published(estimates: Sequence[Estimate], settings: FusionSettings) -> Labels:
    """Labels of one clip from one beat tracker, one key finder and one chord recogniser."""
    grid = next((e.value for e in estimates if isinstance(e.value, BeatGrid)), BeatGrid((), ()))
    bpm, felt = median_tempo(grid.times), felt_beats(grid)
    tempo: Decision[float] = Decision(None if bpm is None else round(bpm / felt.division, 2), None, "not_found")
    meter: Decision[Meter] = Decision(
        None if tempo.value is None else felt.meter,
        None,
        "no_tempo" if tempo.value is None else "no_bars",
    )
    sequence = next((e.value for e in estimates if isinstance(e.value, ChordSequence)), ChordSequence(()))
    chords = decide_chords(sequence.spans, settings.chords)
    key = _key(estimates, settings)
    return Labels(
        tempo_bpm=tempo.value,
        beats=felt.beats if tempo.value is not None else (),
        downbeats=felt.downbeats if meter.value is not None else (),
        beat_count=None if meter.value is None else meter.value.felt,
        time_signature=None if meter.value is None else meter.value.signature,
        key=key.value,
        key_confidence=key.confidence,
        chords=chords.value or (),
        chord_summary=() if chords.value is None else spelled_all(summarise(chords.value, settings.chords), key.value),
        chords_confidence=chords.confidence,
        qc_flags=tempo.flags("tempo") + meter.flags("meter") + key.flags("key") + chords.flags("chords"),
        fused=Fused(
            tempo_bpm=tempo.value,
            beats=felt.beats,
            downbeats=felt.downbeats,
            time_signature=None if meter.value is None else meter.value.signature,
            key=_named_key(estimates),
            chords=tuple(sequence.spans),
        ),
    )


def _named_key(estimates: Sequence[Estimate]) -> str | None:
    found = next((e.value for e in estimates if isinstance(e.value, Key)), None)
    return None if found is None else found.name


def _key(estimates: Sequence[Estimate], settings: FusionSettings) -> Decision[str]:
    found = next((e for e in estimates if isinstance(e.value, Key)), None)
    if found is None or not isinstance(found.value, Key) or found.value.name is None:
        return Decision(None, None, "not_found")
    strength = None if found.confidence is None else round(min(1.0, max(0.0, found.confidence)), 4)
    if strength is None or strength <= settings.key.min_confidence:
        return Decision(None, strength, "low_confidence")
    return Decision(found.value.name, strength)
