"""POP909: pop songs as MIDI with beats, chords and keys (MIT); on pianos alone, or with bass, drums and a singer.

Wang, Chen, Jiang, Zhang, Xu, Dai, Bin, Xia, "POP909: a pop-song dataset for music arrangement generation", ISMIR 2020.
Only songs 001 to 500 are used: the others are kept for whoever judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.chart import CLIP_S
from benchmarks.truth.jams_file import jams_text
from benchmarks.truth.mix import apply_mix, draw_mix
from benchmarks.truth.mma import DRUM_CHANNEL, to_bytes
from benchmarks.truth.render import write_clip
from benchmarks.truth.songs.corpus import soundfont_of, split_of_song, synth, write_songs
from benchmarks.truth.songs.live import draw_feel, from_events, played_live
from benchmarks.truth.songs.mastering import Master, draw_master, mastered
from benchmarks.truth.songs.voice import Sung, sing
from benchmarks.truth.soundfonts import SOUNDFONTS
from benchmarks.truth.synth import SAMPLE_RATE
from benchmarks.truth.truth import TruthClip, cut_spans
from fgmcaps.schemas.harte import NO_CHORD, pitch_class
from fgmcaps.schemas.music import canonical_key

LAST_SONG = 500
LICENCE = "MIT (POP909)"
_LEAD_S, _TAIL_S = 1.5, 0.7
_PIANOS = (0, 0, 0, 1, 2, 4)
_COMPING = (0, 0, 4, 5, 24, 25, 26, 27, 88, 89)
_SECOND = (48, 49, 50, 11, 24, 25, 27, 61, 73, 81, 88)
_LEADS = (22, 40, 52, 53, 56, 65, 66, 73, 80, 81)
_BASSES = (32, 33, 33, 34, 35, 38, 39)
_PARTS = ("MELODY", "BRIDGE", "PIANO")
Note = tuple[float, float, int, int]  # start, end, pitch, velocity


@dataclass(frozen=True, slots=True)
class PopSong:
    """One song: notes by part, beats with their number in the bar (0 where no bar is known), chords and keys in s."""

    number: int
    parts: dict[str, list[Note]]
    beats: NDArray[np.float64]
    positions: NDArray[np.int64]
    beats_per_bar: NDArray[np.int64]
    chords: list[tuple[float, float, str]]
    keys: list[tuple[float, float, str]]


def read_pop_song(folder: Path, number: int) -> PopSong:
    """Song ``number`` of a clone of the dataset; ``folder`` holds ``001`` to ``909``."""
    home = folder / f"{number:03d}"
    beats = np.loadtxt(home / "beat_midi.txt", ndmin=2)
    positions, per_bar = _bars(beats[:, 1] > 0.5, beats[:, 2] > 0.5)
    return PopSong(
        number,
        _notes(home / f"{number:03d}.mid"),
        beats[:, 0],
        positions,
        per_bar,
        [(float(a), float(b), label) for a, b, label in _rows(home / "chord_midi.txt")],
        [(float(a), float(b), _key(label)) for a, b, label in _rows(home / "key_audio.txt")],
    )


def _key(label: str) -> str:
    """``Gb:maj`` as the schema names it."""
    tonic, mode = label.split(":")
    return canonical_key(f"{tonic} {'minor' if mode == 'min' else 'major'}")


def _rows(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text("utf-8").splitlines() if line.strip()]


def _bars(strong: NDArray[np.bool_], first: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each beat's number in its bar and the bar's length: of 4 by ``first``, of 3 where ``strong`` comes every 3."""
    positions, lengths = np.zeros(len(first), np.int64), np.zeros(len(first), np.int64)
    for marks, length in ((strong, 3), (first, 4)):
        places = np.flatnonzero(marks)
        for a, b in pairwise(places):
            if b - a == length:
                positions[a:b] = np.arange(1, length + 1)
                lengths[a:b] = length
    return positions, lengths


def _notes(path: Path) -> dict[str, list[Note]]:
    """Notes of each part in seconds."""
    midi = mido.MidiFile(str(path))
    names = {track.name: i for i, track in enumerate(midi.tracks)}
    found: dict[str, list[Note]] = {}
    for part in _PARTS:
        if part not in names:
            found[part] = []
            continue
        alone = mido.MidiFile(type=1, ticks_per_beat=midi.ticks_per_beat)
        alone.tracks.append(midi.tracks[0])
        if names[part]:
            alone.tracks.append(midi.tracks[names[part]])
        now, sounding, notes = 0.0, {}, []
        for message in alone:
            now += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            begun = sounding.pop(message.note, None)
            if begun is not None:
                notes.append((begun[0], now, message.note, begun[1]))
            if message.type == "note_on" and message.velocity:
                sounding[message.note] = (now, message.velocity)
        found[part] = sorted(notes)
    return found


def write_pop909(folder: Path, dataset: Path, seed: int, workers: int, songs: int | None) -> dict[str, int]:
    """One window of every song (two where it is not fitted on): half of the songs on pianos, half with a band."""
    numbers = list(range(1, min(songs or LAST_SONG, LAST_SONG) + 1))
    if not (dataset / "001").is_dir():
        raise FileNotFoundError(f"{dataset}: no folder 001 here: give the folder POP909 of a clone of POP909-Dataset")
    return write_songs(folder, numbers, partial(_write_song, folder, dataset, seed), workers)


def _write_song(folder: Path, dataset: Path, seed: int, number: object) -> list[str]:
    if not isinstance(number, int):
        raise TypeError("a number is expected")
    song = read_pop_song(dataset, number)
    rng = np.random.default_rng([seed, 909, number])
    name = f"pop909 {number:03d}"
    split = split_of_song(name)
    starts = _starts(song, rng, 1 if split == "train" else 2)
    band = bool(number % 2)
    font, feel, master, mix = soundfont_of(split, rng), draw_feel(rng), draw_master(rng), draw_mix(rng)
    programs = [int(rng.choice(kind)) for kind in ((_LEADS, _SECOND, _COMPING, _BASSES) if band else (_PIANOS,) * 4)]
    if not band:
        programs, master = [programs[0]] * 4, Master(None, master.drive_db / 3, master.ratio, master.attack_s)
    pattern = _drum_pattern(rng)
    results = []
    for place, start in enumerate(starts):
        path = folder / "clips" / f"{number // 100}" / f"pop-{number:03d}-{place}.flac"
        if path.exists() and path.with_suffix(".jams").exists():
            results.append("kept")
            continue
        own = np.random.default_rng([seed, 909, number, place])
        events = _performance(song, start, programs, pattern if band else None, master, own)
        live = played_live(events, lambda time: time, feel, own)
        total = _LEAD_S + CLIP_S + _TAIL_S
        sound = synth(font, folder / ".tools").render(to_bytes(live), total, mix.reverb_room, mix.reverb_level)
        voice = None
        if master.voice_db is not None:
            line = [Sung(a, b, p, v / 127) for a, b, p, v in _cut(song.parts["MELODY"], start)]
            voice = sing(own, line, total, feel.cents)
        clip = apply_mix(mastered(sound, voice, master), mix, round(_LEAD_S * SAMPLE_RATE), round(CLIP_S * SAMPLE_RATE))
        truth, positions = _truth(song, start, path, split, "band" if band else "piano")
        sandbox: dict[str, object] = {
            "song": name,
            "at_s": start,
            "soundfont": font,
            "licence": f"{LICENCE}; {SOUNDFONTS[font].licence}",
            "feel": feel.record(),
            "master": master.record(),
            "mix": mix.record(),
        }
        truth.sandbox.update(sandbox)
        write_clip(path, clip, jams_text(truth, positions))
        results.append("made")
    return results or [f"{name}: no steady stretch with known bars"]


def _starts(song: PopSong, rng: np.random.Generator, count: int) -> list[float]:
    """Starts of windows that do not overlap, all of whose beats stand in known, equal, steady bars with notes."""
    found: list[float] = []
    for first in rng.permutation(len(song.beats)).tolist():
        start = round(float(song.beats[first]) + float(rng.uniform(0, 0.5)), 4)
        inside = (song.beats >= start) & (song.beats < start + CLIP_S)
        lengths, gaps = song.beats_per_bar[inside], np.diff(song.beats[inside])
        steady = len(gaps) > 4 and np.abs(gaps / np.median(gaps) - 1).max() < 0.08
        if not steady or lengths.min() != lengths.max() or lengths.min() == 0 or start < _LEAD_S:
            continue
        if start + CLIP_S + _TAIL_S > song.beats[-1] or any(abs(start - other) < CLIP_S for other in found):
            continue
        if sum(start <= a < start + CLIP_S for a, *_ in song.parts["PIANO"]) < 15:
            continue
        found.append(start)
        if len(found) == count:
            break
    return sorted(found)


def _cut(notes: Sequence[Note], start: float) -> list[Note]:
    """The notes around a window, from its lead-in on."""
    low, high = start - _LEAD_S, start + CLIP_S + _TAIL_S
    return [(max(a - low, 0.0), b - low, p, v) for a, b, p, v in notes if low - 0.5 < a < high and b > low + 0.05]


def _performance(
    song: PopSong,
    start: float,
    programs: Sequence[int],
    pattern: "_Pattern | None",
    master: Master,
    rng: np.random.Generator,
) -> mido.MidiFile:
    """The window as a file of its own: three parts, and bass and drums where there is a ``pattern``."""
    parts = {name: _cut(song.parts[name], start) for name in _PARTS}
    if pattern is not None:
        parts["BASS"] = _cut(_bass(song, rng), start)
        if master.voice_db is not None:
            parts["MELODY"] = []  # sung
    events: list[tuple[float, int, mido.Message]] = []
    order = ("MELODY", "BRIDGE", "PIANO", "BASS")
    for channel, (name, program) in enumerate(zip(order, programs, strict=True)):
        events.append((0.0, 0, mido.Message("program_change", channel=channel, program=program)))
        for a, b, pitch, velocity in parts.get(name, []):
            events.append((a, 2, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
            events.append((b, 1, mido.Message("note_off", channel=channel, note=pitch)))
    for a, pitch, velocity in [] if pattern is None else pattern.hits(song, rng):
        at = a - start + _LEAD_S
        if 0 <= at < _LEAD_S + CLIP_S + _TAIL_S:
            events.append((at, 2, mido.Message("note_on", channel=DRUM_CHANNEL, note=pitch, velocity=velocity)))
            events.append((at + 0.1, 1, mido.Message("note_off", channel=DRUM_CHANNEL, note=pitch)))
    return from_events(events)


def _bass(song: PopSong, rng: np.random.Generator) -> list[Note]:
    """Roots of the chords on their first beat, and on every second or every beat after it."""
    every = int(rng.choice([1, 2, 4]))
    notes: list[Note] = []
    for low, high, label in song.chords:
        if label == NO_CHORD:
            continue
        root = 36 + (pitch_class(label.split(":")[0].split("/")[0]) - 36) % 12 - (12 if rng.random() < 0.2 else 0)
        own = [float(t) for t in song.beats if low - 0.02 <= t < high - 0.02][::every]
        for a, b in zip(own, [*own[1:], high], strict=True):
            pitch = root + (7 if rng.random() < 0.1 else 0)
            notes.append((a, max(a + 0.1, b - 0.03), pitch, 95))
    return notes


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A bar of drums in halves or quarters of a beat: which beats have kick and snare, what the cymbal does."""

    kicks: tuple[float, ...]
    cymbal: int
    divided: int
    ghosts: float

    def hits(self, song: PopSong, rng: np.random.Generator) -> list[tuple[float, int, int]]:
        """(seconds, General MIDI drum, velocity)."""
        found: list[tuple[float, int, int]] = []
        gaps = np.diff(song.beats, append=song.beats[-1] + 0.5)
        for time, position, length, gap in zip(song.beats, song.positions, song.beats_per_bar, gaps, strict=True):
            if position == 0:
                continue
            back = position in ((2, 4) if length == 4 else (2, 3))
            found += [(float(time), 38, 100)] if back else []
            found += [
                (float(time + gap * (at - (position - 1))), 36, 105)
                for at in self.kicks
                if position - 1 <= at < position
            ]
            found += [(float(time + gap * i / self.divided), self.cymbal, 75) for i in range(self.divided)]
            if rng.random() < self.ghosts:
                found.append((float(time + gap * 0.75), 38, 45))
        return found


def _drum_pattern(rng: np.random.Generator) -> _Pattern:
    kicks = [(0.0, 2.0), (0.0, 2.5), (0.0, 1.5, 2.0), (0.0, 2.0, 3.5), (0.0, 0.75, 2.5), (0.0,), (0.0, 1.0, 2.0, 3.0)]
    divided = int(rng.choice([1, 2, 4], p=[0.15, 0.6, 0.25]))
    return _Pattern(kicks[int(rng.integers(0, len(kicks)))], int(rng.choice([42, 42, 51, 70])), divided, 0.15)


def _truth(song: PopSong, start: float, path: Path, split: str, kind: str) -> tuple[TruthClip, list[int]]:
    inside = (song.beats >= start) & (song.beats < start + CLIP_S)
    times, positions = song.beats[inside] - start, song.positions[inside].tolist()
    length = int(song.beats_per_bar[inside][0])
    keys = {name for a, b, name in song.keys if min(b, start + CLIP_S) - max(a, start) > 0.2}
    # the keys' times are those of the recording, which the MIDI follows to about a beat
    chords = cut_spans([(a, b, label) for a, b, label in song.chords], start, start + CLIP_S)
    clip = TruthClip(
        path=path,
        split=split,
        family=f"pop909 {song.number:03d}",
        style=kind,
        library="pop909",
        tempo_bpm=round(60 / float(np.mean(np.diff(times))), 4),
        beats=tuple(float(t) for t in times),
        downbeats=tuple(float(t) for t, p in zip(times, positions, strict=True) if p == 1),
        meter=f"{length}/4",
        beats_per_bar=length,
        key=keys.pop() if len(keys) == 1 else None,
        chords=chords,
        marks=(),
        sandbox={},
        duration_s=CLIP_S,
    )
    return clip, positions
