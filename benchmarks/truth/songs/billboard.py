"""The McGill Billboard annotations: bars and chords of popular songs as experts wrote them down (CC0).

Burgoyne, Wild, Fujinaga, "An expert ground truth set for audio chord recognition and music analysis", ISMIR 2011.
One file a slot of the chart; some songs occur in several slots, so files are put together by title and artist.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from fgmcaps.schemas.harte import pitch_class

_NOTE = re.compile(r"[A-G][#b]*$")
_REPEATED = re.compile(r"^\s*,?\s*x(\d+)\b")
_METER = re.compile(r"^\((\d+/\d+)\)$")
NO_CHORD = "N"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: when it begins and how long it lasts in seconds, its meter, and its chords in equal parts of it.

    ``regular`` is False where the annotation says more than that (a pause, an elision, a part that is not in time).
    ``tonic`` is a pitch class, None where the song has none.
    """

    start_s: float
    seconds: float
    meter: str
    tonic: int | None
    chords: tuple[str, ...]
    regular: bool


@dataclass(frozen=True, slots=True)
class Song:
    """A song with its bars in time order; ``name``: ``title, artist``, in lower case."""

    name: str
    slot: str
    bars: tuple[Bar, ...]


def read_songs(folder: Path) -> list[Song]:
    """Every song of a folder of annotations once (the first of its slots), by slot.

    Raises FileNotFoundError where the folder holds none.
    """
    songs: dict[str, Song] = {}
    for path in sorted(folder.glob("*.txt")):
        song = read_song(path.read_text("utf-8"), path.stem)
        songs.setdefault(song.name, song)
    if not songs:
        raise FileNotFoundError(f"{folder}: no annotations (NNNN.txt) here")
    return list(songs.values())


def read_song(text: str, slot: str) -> Song:
    """One annotation. The bars of a timed line share its time evenly, as the annotators asked readers to take it."""
    meta: dict[str, str] = {}
    meter, tonic = "4/4", None
    lines: list[tuple[float, str, str, int | None]] = []
    for line in text.splitlines():
        head = re.match(r"# (\w+):\s*(.*)", line)
        if head and head[1] in ("title", "artist"):
            meta[head[1]] = " ".join(head[2].lower().split())
        elif head and head[1] == "metre":
            meter = head[2].strip()
        elif head and head[1] == "tonic":
            tonic = pitch_class(head[2].strip()) if _NOTE.match(head[2].strip()) else None
        elif line[:1].isdigit() and "\t" in line:
            time, rest = line.split("\t", 1)
            lines.append((float(time), rest, meter, tonic))
    bars = [bar for (start, rest, own, key), (end, *_) in pairwise(lines) for bar in _bars(start, end, rest, own, key)]
    return Song(f"{meta.get('title', '')}, {meta.get('artist', '')}", slot, tuple(bars))


def _bars(start: float, end: float, text: str, meter: str, tonic: int | None) -> Iterator[Bar]:
    pieces = text.split("|")
    written = [piece.split() for piece in pieces[1:-1]]
    if not written:
        return
    tail = pieces[-1]
    repeated = _REPEATED.match(tail)
    written *= int(repeated[1]) if repeated else 1
    seconds = (end - start) / len(written)
    even = "->" not in tail and not any(_METER.match(word) for bar in written for word in bar)
    before = NO_CHORD
    for number, words in enumerate(written):
        own = next((m[1] for word in words if (m := _METER.match(word))), meter)
        chords = []
        for word in words:
            if ":" in word or word == NO_CHORD:
                before = word
                chords.append(word)
            elif word == ".":
                chords.append(before)
        odd = any(word.startswith("&") or word == "*" for word in words)
        regular = even and not odd and bool(chords)
        yield Bar(start + number * seconds, seconds, own, tonic, tuple(chords) or (NO_CHORD,), regular)


def mode_of(song: Song, tonic: int) -> str | None:
    """``major`` or ``minor`` where the tonic chord clearly is one in the part of the song with this tonic, else None.

    Clearly: at least 4 s of it, three quarters of that with one third.
    """
    seconds = {"major": 0.0, "minor": 0.0}
    for bar in song.bars:
        for chord in bar.chords if bar.tonic == tonic else ():
            root, colon, kind = chord.partition(":")
            if colon and _NOTE.match(root) and pitch_class(root) == tonic:
                quality = kind.split("/")[0]
                if quality.startswith("min"):
                    seconds["minor"] += bar.seconds / len(bar.chords)
                elif not quality.startswith(("dim", "hdim", "sus", "aug", "1", "5")):
                    seconds["major"] += bar.seconds / len(bar.chords)
    total = sum(seconds.values())
    best = max(seconds, key=lambda name: seconds[name])
    return best if total >= 4 and seconds[best] >= 0.75 * total else None
