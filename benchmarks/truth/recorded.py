"""Real recordings with a known tempo: the Frets on Fire songs of two Debian packages, mixed from their two stems.

The game's ``notes.mid`` holds the tempo map that the players' notes were laid on. All eight songs have one tempo. The
file says nothing on bars that could be relied on (five songs state no time signature, three the editor's 4/4), so beats
have no number and there are no downbeats; key and chords are not known either.
"""

from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.truth.chart import CLIP_S
from benchmarks.truth.debian import unpacked
from benchmarks.truth.jams_file import jams_text
from benchmarks.truth.manifest import write_manifest
from benchmarks.truth.render import write_clip
from benchmarks.truth.synth import SAMPLE_RATE
from benchmarks.truth.truth import TruthClip

SONGS = "usr/share/games/fretsonfire/data/songs"
# Package, folder of its songs, licence.
PACKAGES = (
    ("fretsonfire-songs-sectoid", "sectoid", "MIT"),
    ("fretsonfire-songs-muldjord", "muldjord", "CC-BY-SA-3.0"),
)
# The audio of this song does not begin on the map's time 0: its tempo is known, its beats are not.
UNKNOWN_PHASE = ("Metal madness",)


# How far the audio lies behind the map: mean onset strength over the whole song against the shift of the beats, less
# the 8 ms that the same measure finds in rendered clips (`check`). The other songs: 6 ms at most.
AUDIO_LAG_S = {"Escape from chaosland": 0.025, "Feelings": 0.028, "War of freedom": 0.038}


@dataclass(frozen=True, slots=True)
class TempoMap:
    """``changes`` = (seconds, beat number, seconds a beat) from 0 on, in time order."""

    changes: tuple[tuple[float, float, float], ...]

    @property
    def bpm(self) -> float | None:
        """The tempo, where there is one only."""
        tempos = {round(60 / beat_s, 3) for _, _, beat_s in self.changes}
        return tempos.pop() if len(tempos) == 1 else None

    def beats(self, end: float) -> NDArray[np.float64]:
        """Times of all beats in ``0 <= t < end`` seconds."""
        times = []
        ends = [*(start for start, _, _ in self.changes[1:]), end]
        for (start, beat, beat_s), stop in zip(self.changes, ends, strict=True):
            first = int(np.ceil(beat - 1e-9))
            count = int(np.ceil((stop - start) / beat_s - (first - beat) - 1e-9))
            times += [start + (first - beat + i) * beat_s for i in range(max(0, count))]
        return np.array(times)


def read_tempo_map(path: Path) -> TempoMap:
    """The tempo map of a MIDI file (120 BPM where it states none); a quarter is a beat."""
    midi = mido.MidiFile(str(path))
    found: dict[int, int] = {0: 500_000}
    for track in midi.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "set_tempo":
                found[tick] = message.tempo
    changes: list[tuple[float, float, float]] = []
    for tick, microseconds in sorted(found.items()):
        beat = tick / midi.ticks_per_beat
        start = changes[-1][0] + (beat - changes[-1][1]) * changes[-1][2] if changes else 0.0
        changes.append((start, beat, microseconds / 1e6))
    return TempoMap(tuple(changes))


def write_recorded(folder: Path, per_song: int, seed: int) -> dict[str, int]:
    """Writes up to ``per_song`` clips that do not overlap of each song, and the manifest; returns clips by song.

    The stems are added as they are and the mix turned down only where it would clip.
    """
    counts = {}
    for package, artist, licence in PACKAGES:
        home = unpacked(folder / ".tools", f"{SONGS}/{artist}", package)
        for song in sorted(path.parent for path in home.glob("*/notes.mid")):
            counts[song.name] = _write_song(folder, song, artist, licence, per_song, seed)
    write_manifest(folder)
    return counts


def _write_song(folder: Path, song: Path, artist: str, licence: str, per_song: int, seed: int) -> int:
    mixed = _mix(song)
    tempo_map = read_tempo_map(song / "notes.mid")
    length = len(mixed) / SAMPLE_RATE
    slug = song.name.lower().replace(" ", "_")
    rng = np.random.default_rng([seed, *song.name.encode()])
    # Slots of equal length between the first and last 5 s; a clip lies anywhere in its slot: no bar line is favoured.
    slots = min(per_song, int((length - 10) // CLIP_S))
    slot = (length - 10) / slots
    for number in range(slots):
        start = round(5 + number * slot + float(rng.uniform(0, slot - CLIP_S)), 4)
        path = folder / "clips" / slug / f"{slug}-{number:02d}.flac"
        first = round(start * SAMPLE_RATE)
        samples = mixed[first : first + round(CLIP_S * SAMPLE_RATE)]
        beats = tempo_map.beats(length) + AUDIO_LAG_S.get(song.name, 0.0)
        inside = beats[(beats >= start) & (beats < start + CLIP_S)] - start
        marks = ["no_key", "no_chords", "no_meter", "no_downbeats"]
        if song.name in UNKNOWN_PHASE:
            inside, marks = inside[:0], [*marks, "no_beats"]
        if float(np.sqrt(np.mean(samples**2))) < 0.01:
            marks.append("quiet")
        clip = TruthClip(
            path=path,
            split="test",
            family="metal" if artist == "muldjord" else "rock",
            style=song.name,
            library="recorded",
            tempo_bpm=tempo_map.bpm,
            beats=tuple(float(time) for time in inside),
            downbeats=(),
            meter=None,
            beats_per_bar=None,
            key=None,
            chords=(),
            marks=tuple(marks),
            sandbox={"artist": artist, "start_s": start, "licence": licence},
            duration_s=CLIP_S,
        )
        write_clip(path, samples, jams_text(clip, [None] * len(inside)))
    return slots


def _mix(song: Path) -> NDArray[np.float32]:
    """Both stems added, mono float32 [n] at SAMPLE_RATE. ValueError names a stem at another rate."""
    stems = []
    for name in ("song.ogg", "guitar.ogg"):
        samples, rate = soundfile.read(song / name, dtype="float32", always_2d=True)
        if rate != SAMPLE_RATE:
            raise ValueError(f"{song / name}: {rate} Hz, expected {SAMPLE_RATE}: unpack the Debian package again")
        stems.append(samples.mean(axis=1))
    length = min(len(stem) for stem in stems)
    mixed = stems[0][:length] + stems[1][:length]
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)
