"""The recipe of the ``best`` and ``permissive`` profiles: every attribute by the agreement of tools."""

from collections.abc import Sequence

from fgmcaps.annotators.fusion.chords import decide_chords, summarise, witnessed
from fgmcaps.annotators.fusion.decision import Decision
from fgmcaps.annotators.fusion.key import decide_key
from fgmcaps.annotators.fusion.meter import SIGNATURES, bar_vote, decide_meter
from fgmcaps.annotators.fusion.tempo import agree, decide_tempo, tempo_votes
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.schemas import BeatGrid, Estimate, Labels


def fuse_by_agreement(estimates: Sequence[Estimate], settings: FusionSettings) -> Labels:
    """Labels of one clip; ``estimates`` in a fixed order."""
    votes = tempo_votes(estimates, settings.tempo)
    tempo = decide_tempo(votes, settings.tempo)
    # Trackers whose beats are the chosen ones, the most trusted first.
    on_tempo = [
        v.tool for v in votes if tempo.value is not None and agree(tempo.value, v.bpm, settings.tempo.tolerance)
    ]
    by_tool = {e.annotator: e for e in estimates}

    meter: Decision[int]
    if tempo.value is None:
        meter = Decision(None, None, "no_tempo")
    else:
        bars = [bar_vote(by_tool[tool], settings.meter) for tool in on_tempo]
        meter = decide_meter([vote for vote in bars if vote is not None], settings.meter)
    beats, downbeats = _grid([by_tool[tool] for tool in on_tempo], meter.value)

    spans = witnessed(estimates, settings.chords)
    chords = decide_chords(spans, settings.chords)
    key = decide_key(estimates, spans, settings.key)
    flags = tempo.flags("tempo") + meter.flags("meter") + key.flags("key") + chords.flags("chords")
    if tempo.value is not None and not beats:
        flags += ("beats:no_tracker_on_tempo",)
    return Labels(
        tempo_bpm=tempo.value,
        tempo_confidence=tempo.confidence,
        beats=beats,
        downbeats=downbeats,
        beat_count=meter.value,
        time_signature=None if meter.value is None else SIGNATURES[meter.value],
        meter_confidence=meter.confidence,
        key=key.value,
        key_confidence=key.confidence,
        chords=chords.value or (),
        chord_summary=() if chords.value is None else summarise(chords.value, settings.chords),
        chords_confidence=chords.confidence,
        qc_flags=flags,
    )


def _grid(estimates: Sequence[Estimate], bar: int | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Beats of the first tracker, downbeats too if its bars have ``bar`` beats; else of the first that fits both.

    A tool that gives a tempo only may still tell its beats (``ticks``); they come last.
    """
    grids = [e.value for e in estimates if isinstance(e.value, BeatGrid)]
    fitting = [g for g in grids if bar is not None and max(g.positions, default=0) == bar]
    if fitting:
        return fitting[0].times, fitting[0].downbeats
    if grids:
        return grids[0].times, ()
    for estimate in estimates:
        ticks = estimate.details.get("ticks")
        if isinstance(ticks, list):
            return tuple(t for t in ticks if isinstance(t, float)), ()
    return (), ()
