"""Which ten seconds of a song are played, in which style: charts of songs for MMA."""

from dataclasses import dataclass

import numpy as np

from benchmarks.truth.chart import CLIP_S
from benchmarks.truth.families import split_of
from benchmarks.truth.made import made_styles
from benchmarks.truth.songs.billboard import Bar, Song, mode_of
from benchmarks.truth.songs.chords import Played, played
from benchmarks.truth.styles import Style, library
from fgmcaps.schemas.music import KEYS

# Annotated meter -> (meter of the truth, felt beats in a bar, beats of three).
METERS = {
    "4/4": ("4/4", 4, False),
    "12/8": ("4/4", 4, True),
    "3/4": ("3/4", 3, False),
    "6/8": ("6/8", 2, True),
    "2/4": ("2/4", 2, False),
    "5/4": ("5/4", 5, False),
}
STEADY = 0.06  # a bar may be this much longer or shorter than the window's median; more is a slip of the annotation
_LEAD_S, _TAIL_S = 1.6, 1.2
# Styles of other music than that of the charts, unless the tempo asks for them.
_RARELY = {"bebop", "ambient", "broadway", "tango", "charleston", "gypsy jazz", "fast swing", "hymn", "jazz", "dixie"}


@dataclass(frozen=True, slots=True)
class Window:
    """Bars of a song around ten seconds; ``start_s``: where the clip begins, in seconds from the first bar's start."""

    song: Song
    bars: tuple[Bar, ...]
    start_s: float
    key: str | None

    @property
    def meter(self) -> tuple[str, int, bool]:
        """Meter, felt beats, compound."""
        return METERS[self.bars[0].meter]

    @property
    def bar_s(self) -> float:
        """Median length of a bar in seconds."""
        return float(np.median([bar.seconds for bar in self.bars]))

    @property
    def felt_bpm(self) -> float:
        """Felt beats a minute."""
        return 60.0 * self.meter[1] / self.bar_s


def windows_of(song: Song, rng: np.random.Generator, count: int) -> list[Window]:
    """Up to ``count`` windows that do not overlap, in time order; none where no stretch is steady and playable."""
    found: list[tuple[int, int, Window]] = []
    for first in rng.permutation(len(song.bars)).tolist():
        if len(found) == count:
            break
        window = _window_at(song, first, rng)
        if window is None:
            continue
        last = first + len(window.bars)
        if all(last <= a or first >= b for a, b, _ in found):
            found.append((first, last, window))
    return [window for _, _, window in sorted(found, key=lambda entry: entry[0])]


def _window_at(song: Song, first: int, rng: np.random.Generator) -> Window | None:
    """The window whose first bar is ``first``; None where something in it cannot be played or counted."""
    head = song.bars[first]
    if head.meter not in METERS or head.seconds <= 0.5:
        return None
    need, bars = _LEAD_S + CLIP_S + _TAIL_S + head.seconds, [head]
    while sum(bar.seconds for bar in bars) < need:
        place = first + len(bars)
        if place >= len(song.bars):
            return None
        bars.append(song.bars[place])
    median = float(np.median([bar.seconds for bar in bars]))
    for bar in bars:
        even = abs(bar.seconds / median - 1) <= STEADY
        if not (bar.regular and even and bar.meter == head.meter and bar.tonic == head.tonic):
            return None
        if any(played(chord) is None for chord in bar.chords):
            return None
    lead = int(np.ceil(_LEAD_S / median)) * median
    mode = None if head.tonic is None else mode_of(song, head.tonic)
    key = None if mode is None or head.tonic is None else KEYS[head.tonic + (12 if mode == "minor" else 0)]
    return Window(song, tuple(bars), lead + float(rng.uniform(0, min(median, _LEAD_S))), key)


def chords_of(window: Window, style: Style) -> list[tuple[float, float, Played]]:
    """(start, end, chord) in MMA's beats from the first bar on."""
    spans: list[tuple[float, float, Played]] = []
    for number, bar in enumerate(window.bars):
        width = style.mma_beats / len(bar.chords)
        for place, label in enumerate(bar.chords):
            chord = played(label)
            if chord is None:
                raise ValueError(f"{window.song.slot}: {label} cannot be played")
            start = number * style.mma_beats + place * width
            spans.append((start, start + width, chord))
    return spans


def style_for(window: Window, split: str, rng: np.random.Generator) -> Style:
    """A style of ``split`` with the song's meter whose range holds the song's tempo, or comes nearest to it."""
    meter, beats, compound = window.meter
    pool = [
        style
        for style in (*library(), *made_styles())
        if style.meter == meter
        and style.beats == beats
        and style.bars == 1
        and (style.compound == compound or meter != "4/4")
        and split_of(style.family) == split
    ]
    if not pool:  # no split has every meter: 12/8 has no style of validation
        return style_for(window, "train", rng)
    bpm = window.felt_bpm
    low = np.array([style.tempo[0] * style.felt_per_mma for style in pool])
    high = np.array([style.tempo[1] * style.felt_per_mma for style in pool])
    off = np.maximum(np.maximum(np.log2(low / bpm), np.log2(bpm / high)), 0.0)
    files = {(style.library, style.file): sum(s.file == style.file for s in pool) for style in pool}
    weight = np.exp(-off / 0.12) / np.array([files[style.library, style.file] for style in pool])
    weight *= np.array([0.15 if style.family in _RARELY else 1.0 for style in pool])
    weight *= np.array([0.3 if style.library == "made" and meter == "3/4" else 1.0 for style in pool])
    return pool[int(rng.choice(len(pool), p=weight / weight.sum()))]
