"""The published recipe: one tool an attribute, nothing fused.

Tempo and meter from BeatNet by MusicBench's conventions (60 / median beat interval, at least 3 beats; beats in a bar =
largest beat number), chords from Omnizart, key from Essentia where Essentia's own strength exceeds ``min_confidence``.
Only the key has a confidence, because only Essentia gives one.
"""

from collections.abc import Sequence

from fgmcaps.annotators.fusion.chords import decide_chords, summarise
from fgmcaps.annotators.fusion.decision import Decision
from fgmcaps.annotators.fusion.meter import SIGNATURES
from fgmcaps.annotators.fusion.tempo import median_tempo
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.schemas import BeatGrid, ChordSequence, Estimate, Key, Labels


def fuse_as_published(estimates: Sequence[Estimate], settings: FusionSettings) -> Labels:
    """Labels of one clip from one beat tracker, one key finder and one chord recogniser."""
    grid = next((e.value for e in estimates if isinstance(e.value, BeatGrid)), BeatGrid((), ()))
    bpm = median_tempo(grid.times)
    tempo: Decision[float] = Decision(None if bpm is None else round(bpm, 2), None, "not_found")
    count = max(grid.positions, default=0)
    meter: Decision[int] = Decision(
        count if tempo.value is not None and count in SIGNATURES else None,
        None,
        "no_tempo" if tempo.value is None else "no_bars",
    )
    sequence = next((e.value for e in estimates if isinstance(e.value, ChordSequence)), ChordSequence(()))
    chords = decide_chords(sequence.spans, settings.chords)
    key = _key(estimates, settings)
    return Labels(
        tempo_bpm=tempo.value,
        beats=grid.times if tempo.value is not None else (),
        downbeats=grid.downbeats if meter.value is not None else (),
        beat_count=meter.value,
        time_signature=None if meter.value is None else SIGNATURES[meter.value],
        key=key.value,
        key_confidence=key.confidence,
        chords=chords.value or (),
        chord_summary=() if chords.value is None else summarise(chords.value, settings.chords),
        chords_confidence=chords.confidence,
        qc_flags=tempo.flags("tempo") + meter.flags("meter") + key.flags("key") + chords.flags("chords"),
    )


def _key(estimates: Sequence[Estimate], settings: FusionSettings) -> Decision[str]:
    found = next((e for e in estimates if isinstance(e.value, Key)), None)
    if found is None or not isinstance(found.value, Key) or found.value.name is None:
        return Decision(None, None, "not_found")
    strength = None if found.confidence is None else round(min(1.0, max(0.0, found.confidence)), 4)
    if strength is None or strength <= settings.key.min_confidence:
        return Decision(None, strength, "low_confidence")
    return Decision(found.value.name, strength)
