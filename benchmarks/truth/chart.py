"""A piece as MMA text, with the times of its bars and chords: the truth before a note sounds."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.truth.harmony import Chord, defines_key, harte_name, mma_name, prefers_flats, progression, realise
from benchmarks.truth.made import groove_text, harmony_text
from benchmarks.truth.styles import Style
from fgmcaps.schemas.music import KEYS

CLIP_S = 10.0
_TAIL_S = 0.7  # rendered beyond the clip, so that a lossy round trip has no edge inside it


@dataclass(frozen=True, slots=True)
class Chart:
    """MMA text and what it plays; ``chords`` = (start, end, chord) over the whole piece, in MMA's beats.

    ``start_s`` is where the clip is cut; ``bpm`` is MMA's tempo; ``key`` as in fgmcaps.schemas.music.KEYS.
    """

    text: str
    style: Style
    bpm: float
    key: str
    chords: tuple[tuple[float, float, Chord], ...]
    flats: bool
    start_s: float
    bars: int

    @property
    def beat_s(self) -> float:
        """Seconds of an MMA beat."""
        return 60.0 / self.bpm

    @property
    def bar_starts(self) -> list[float]:
        """Seconds of each written bar's start, and of the end."""
        written = self.style.mma_beats / self.style.bars * self.beat_s
        return [i * written for i in range(self.bars * self.style.bars + 1)]

    @property
    def spans(self) -> list[tuple[float, float, str]]:
        """(start, end, Harte label) in seconds from the piece's start."""
        return [(a * self.beat_s, b * self.beat_s, harte_name(c, self.flats)) for a, b, c in self.chords]

    @property
    def seconds(self) -> float:
        """How much of the piece must be rendered."""
        return self.start_s + CLIP_S + _TAIL_S


def make_chart(rng: np.random.Generator, style: Style, key: str) -> Chart:
    """A loop of 2 to 8 chords in ``key``, played round and round at a tempo from the style's range, and where to cut.

    The clip holds a whole return to the tonic, and the tonic for at least a sixth of it. Tempo in steps of 0.01 BPM.
    """
    bpm = round(float(rng.uniform(*style.tempo)), 2)
    beat_s = 60.0 / bpm
    bar_s = style.mma_beats * beat_s
    minor = key.endswith("minor")
    tonic = KEYS.index(key) % 12
    flats = prefers_flats(tonic, minor)
    sevenths, inversions = float(rng.choice([0.0, 0.25, 0.6, 0.95])), float(rng.choice([0.0, 0.1, 0.3]))
    while True:
        bars = _loop_bars(rng, style, bar_s)
        length = sum(len(bar) for bar in bars)
        loop = realise(rng, progression(rng, minor, length), tonic, minor, sevenths, inversions)
        turn = int(rng.integers(0, len(bars)))
        start_s = max(1, int(np.ceil(0.8 / bar_s))) * bar_s + float(rng.uniform(0, max(bar_s, 1.0)))
        count = int(np.ceil((start_s + CLIP_S + _TAIL_S) / bar_s)) + 1
        if not defines_key(loop, tonic, minor):
            continue
        rows, chords = _lay_out(loop, bars, turn, count, style.mma_beats)
        if _tonic_returns(chords, tonic, start_s / beat_s, (start_s + CLIP_S) / beat_s):
            break
    names = [" ".join(f"{mma_name(c, flats)}@{beat + 1:.4g}" for beat, c in row) for row in rows]
    text = [f"RndSeed {int(rng.integers(1, 2**31))}", _groove(rng, style), f"Tempo {bpm}"]
    text += [f"Seq {int(rng.integers(1, style.sequence + 1))}"] + [f"{i + 1} {row}" for i, row in enumerate(names)]
    return Chart("\n".join(text) + "\n", style, bpm, key, tuple(chords), flats, start_s, count)


def _groove(rng: np.random.Generator, style: Style) -> str:
    if style.library == "made":
        return groove_text(style)
    return f"Groove {style.groove}" + ("\n" + harmony_text(rng, style) if style.drums_only else "")


def _loop_bars(rng: np.random.Generator, style: Style, bar_s: float) -> list[tuple[float, ...]]:
    """The loop's MMA bars, each the beats at which a chord starts: (0,) or (0, middle). 2 to 8 chords, about 8 s."""
    middle = {2: 1.0, 4: 2.0, 5: 3.0, 6: 3.0}.get(style.mma_beats)
    splits = middle is not None and bar_s / 2 >= 0.8
    rate = float(rng.choice([0.0, 0.3, 1.0], p=[0.5, 0.3, 0.2])) if splits else 0.0
    if bar_s > 3.2 and splits:
        rate = 1.0
    most = max(1, min(8, int(8.5 / bar_s)))
    while True:
        count = int(rng.integers(1, most + 1)) if rng.random() < 0.5 else min(most, int(rng.choice([2, 4, 4, 8])))
        bars: list[tuple[float, ...]] = [
            (0.0, middle) if middle is not None and rng.random() < rate else (0.0,) for _ in range(count)
        ]
        if 2 <= sum(len(bar) for bar in bars) <= 8:
            return bars
        rate = rate or (0.5 if most < 2 and splits else 0.0)
        most = max(most, 2)


def _lay_out(
    loop: list[Chord], bars: list[tuple[float, ...]], turn: int, count: int, beats: int
) -> tuple[list[list[tuple[float, Chord]]], list[tuple[float, float, Chord]]]:
    """``count`` bars of the loop from its bar ``turn`` on: (beat from 0, chord) of each bar, and chords by beats."""
    first = [sum(len(bar) for bar in bars[:i]) for i in range(len(bars))]
    rows = []
    for number in range(count):
        index = (turn + number) % len(bars)
        rows.append([(beat, loop[first[index] + place]) for place, beat in enumerate(bars[index])])
    starts = [(number * beats + beat, chord) for number, row in enumerate(rows) for beat, chord in row]
    ends = [start for start, _ in starts[1:]] + [float(count * beats)]
    return rows, [(start, end, chord) for (start, chord), end in zip(starts, ends, strict=True)]


def _tonic_returns(chords: list[tuple[float, float, Chord]], tonic: int, start: float, end: float) -> bool:
    """In ``start .. end`` (beats) the tonic has a sixth of the time or more, and is come back to from another chord."""
    inside = [(max(a, start), min(b, end), c) for a, b, c in chords if b > start and a < end]
    home = [c.root == tonic and c.quality not in ("7", "9") for _, _, c in inside]
    share = sum(b - a for (a, b, _), is_home in zip(inside, home, strict=True) if is_home) / (end - start)
    return share >= 1 / 6 and any(now and not before for before, now in pairwise(home))
