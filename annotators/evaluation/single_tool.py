"""One tool alone, taken at its word: its estimate as labels, to compare fusion with."""

from fgmcaps.annotators.fusion.meter import SIGNATURES
from fgmcaps.annotators.fusion.tempo import pulse
from fgmcaps.schemas import BeatGrid, ChordSequence, Estimate, Key, Labels, Tempo


def labels_of_tool(estimate: Estimate) -> Labels:
    """The labels that this tool alone gives; its own confidence, cut to 0 .. 1, where it has one.

    A beat tracker gives tempo (from its steady intervals), beats, downbeats and the bar length (its largest beat
    number); a tempo tool gives its tempo and, where it tells them, its ticks as beats.
    """
    own = None if estimate.confidence is None else min(1.0, max(0.0, estimate.confidence))
    match estimate.value:
        case BeatGrid() as grid:
            found = pulse(grid.times)
            bar = max(grid.positions, default=0)
            named = bar in SIGNATURES
            return Labels(
                tempo_bpm=None if found is None else round(found[0], 2),
                beats=grid.times,
                downbeats=grid.downbeats,
                beat_count=bar if named else None,
                time_signature=SIGNATURES.get(bar),
            )
        case Tempo(bpm=bpm):
            ticks = estimate.details.get("ticks")
            beats = tuple(t for t in ticks if isinstance(t, float)) if isinstance(ticks, list) else ()
            return Labels(tempo_bpm=bpm, tempo_confidence=own, beats=beats)
        case Key(name=name):
            return Labels(key=name, key_confidence=own)
        case ChordSequence(spans=spans):
            return Labels(chords=spans, chords_confidence=own)
