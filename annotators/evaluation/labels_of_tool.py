"""One tool alone, taken at its word: its estimate as labels, to compare fusion with."""

from fgmcaps.annotators.evidence.tempi import TempoCandidates
from fgmcaps.annotators.fusion.felt_beats import felt_beats
from fgmcaps.annotators.fusion.tempo import pulse
from fgmcaps.schemas import BeatGrid, ChordSequence, Estimate, Key, Labels, Tempo


def labels_of_tool(estimate: Estimate) -> Labels:
    """The labels that this tool alone gives; its own confidence, cut to 0 .. 1, where it has one.

    A beat tracker gives tempo (from its steady intervals), beats, downbeats and the meter (written with as many beats
    as it counts to); a tempo tool gives its tempo and, where it names them, its ticks as beats.
    """
    own = None if estimate.confidence is None else min(1.0, max(0.0, estimate.confidence))
    match estimate.value:
        case BeatGrid() as grid:
            steady, felt = pulse(grid.times), felt_beats(grid)
            return Labels(
                tempo_bpm=None if steady is None else round(steady[0] / felt.division, 2),
                beats=felt.beats,
                downbeats=felt.downbeats,
                beat_count=None if felt.meter is None else felt.meter.felt,
                time_signature=None if felt.meter is None else felt.meter.signature,
            )
        case Tempo(bpm=bpm):
            own_beats = TempoCandidates.from_details(estimate.details, estimate.annotator)
            return Labels(tempo_bpm=bpm, tempo_confidence=own, beats=() if own_beats is None else own_beats.ticks)
        case Key(name=name):
            return Labels(key=name, key_confidence=own)
        case ChordSequence(spans=spans):
            return Labels(chords=spans, chords_confidence=own)
