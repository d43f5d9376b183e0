"""What is known of a clip, and how a performance with a constant tempo is cut to a clip.

**Conventions.** Times are seconds from the clip's start. ``meter`` is the written one (``6/8``); ``beats_per_bar`` and
``tempo_bpm`` count the felt beat (two dotted quarters in 6/8). Downbeats are a subset of the beats.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from fgmcaps.schemas.estimate import ChordSpan

# What the felt-beat numbers of a meter are: beats in a bar.


@dataclass(frozen=True, slots=True)
class TruthClip:
    """One clip with its truth; None (or empty) where an attribute is not defined, and ``marks`` says why.

    ``meter`` as written (``6/8``), ``beats_per_bar`` felt beats; ``key`` one of fgmcaps.schemas.music.KEYS; ``marks``
    = words on what is unusual, see README.md; ``sandbox`` = how the clip was made.
    """

    path: Path
    split: str
    family: str
    style: str
    library: str
    tempo_bpm: float | None
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    meter: str | None
    beats_per_bar: int | None
    key: str | None
    chords: tuple[ChordSpan, ...]
    marks: tuple[str, ...]
    sandbox: dict[str, object]
    duration_s: float


def cut_spans(spans: list[tuple[float, float, str]], start: float, end: float) -> tuple[ChordSpan, ...]:
    """The parts of ``(start, end, label)`` spans within ``start .. end`` s, from 0; equal neighbours are joined."""
    cut: list[ChordSpan] = []
    for span_start, span_end, label in spans:
        low, high = max(span_start, start) - start, min(span_end, end) - start
        if high - low <= 1e-6:
            continue
        if cut and cut[-1].label == label and abs(cut[-1].end - low) < 1e-6:
            cut[-1] = ChordSpan(cut[-1].start, high, label)
        else:
            cut.append(ChordSpan(low, high, label))
    return tuple(cut)


def cut_beats(bar_starts: list[float], beats_per_bar: int, start: float, end: float) -> tuple[list[float], list[int]]:
    """Beats in ``start <= t < end`` seconds, from 0, and each one's position in its bar (1 = downbeat).

    ``bar_starts`` holds one time more than there are bars; beats divide a bar evenly.
    """
    times: list[float] = []
    positions: list[int] = []
    for bar, after in pairwise(bar_starts):
        for beat in range(beats_per_bar):
            time = bar + (after - bar) * beat / beats_per_bar
            if start <= time < end:
                times.append(time - start)
                positions.append(beat + 1)
    return times, positions
