"""Billboard songs as band music: the song's own chords, bars and tempo in a style of MMA's."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.chart import CLIP_S
from benchmarks.truth.harmony import prefers_flats
from benchmarks.truth.jams_file import jams_text
from benchmarks.truth.made import groove_text, harmony_text
from benchmarks.truth.mix import Mix, apply_mix, draw_mix
from benchmarks.truth.mma import DRUM_CHANNEL, NotAsWrittenError, notes_of, run_mma, set_tempo, to_bytes
from benchmarks.truth.render import write_clip
from benchmarks.truth.songs.billboard import Song, read_songs
from benchmarks.truth.songs.chords import Played
from benchmarks.truth.songs.corpus import soundfont_of, split_of_song, synth, write_songs
from benchmarks.truth.songs.live import Feel, bar_times, draw_feel, played_live
from benchmarks.truth.songs.mastering import Master, draw_master, mastered
from benchmarks.truth.songs.voice import sing, tune
from benchmarks.truth.songs.windows import Window, chords_of, style_for, windows_of
from benchmarks.truth.soundfonts import SOUNDFONTS
from benchmarks.truth.styles import Style
from benchmarks.truth.synth import SAMPLE_RATE
from benchmarks.truth.truth import TruthClip, cut_beats, cut_spans
from fgmcaps.schemas.harte import QUALITIES
from fgmcaps.schemas.music import KEYS

LICENCE = "CC0-1.0 (McGill Billboard)"
MIN_SOUNDING = 0.75
_ATTEMPTS = 6
_GUITARS = {24: 29, 25: 30, 26: 29, 27: 30, 28: 29}  # clean -> overdriven, distorted
_TAIL_S = 0.7


def write_billboard(folder: Path, annotations: Path, seed: int, workers: int, songs: int | None) -> dict[str, int]:
    """Two windows of every song (four where it is to be judged on), those that exist left as they are."""
    found = read_songs(annotations)[:songs]
    return write_songs(folder, found, partial(_write_song, folder, seed), workers)


def _write_song(folder: Path, seed: int, song: object) -> list[str]:
    if not isinstance(song, Song):
        raise TypeError("a song is expected")
    split = split_of_song(song.name)
    rng = np.random.default_rng([seed, int(song.slot)])
    windows = windows_of(song, rng, 4 if split == "test" else 2)
    if not windows:
        return [f"{song.slot}: no steady stretch that can be played"]
    paths = [_path(folder, song, number) for number in range(len(windows))]
    if all(path.exists() and path.with_suffix(".jams").exists() for path in paths):
        return ["kept"] * len(paths)
    reason = ""
    for attempt in range(_ATTEMPTS):  # a style that does not play the chords is drawn anew, for the whole song
        band = _Band.drawn(np.random.default_rng([seed, int(song.slot), attempt]), windows[0], split)
        try:
            clips = [
                _render(folder, path, np.random.default_rng([seed, int(song.slot), 99, number]), window, band)
                for number, (path, window) in enumerate(zip(paths, windows, strict=True))
            ]
        except NotAsWrittenError as error:
            reason = f"{song.slot}, {band.style.groove}: {error}"
            continue
        for path, (samples, jams) in zip(paths, clips, strict=True):
            write_clip(path, samples, jams)
        return ["made"] * len(paths)
    return [reason] * len(paths)


def _path(folder: Path, song: Song, number: int) -> Path:
    return folder / "clips" / song.slot[:2] / f"song-{song.slot}-{number}.flac"


@dataclass(frozen=True, slots=True)
class _Band:
    """What all windows of a song share: style, instruments, feel and sound."""

    style: Style
    split: str
    font: str
    feel: Feel
    master: Master
    mix: Mix
    loud_guitars: bool

    @classmethod
    def drawn(cls, rng: np.random.Generator, window: Window, split: str) -> "_Band":
        style = style_for(window, split, rng)
        font = soundfont_of(split, rng)
        return cls(style, split, font, draw_feel(rng), draw_master(rng), draw_mix(rng), bool(rng.random() < 0.35))

    def program(self, channel: int, program: int) -> int:
        return _GUITARS.get(program, program) if self.loud_guitars and channel != DRUM_CHANNEL else program


def _render(
    folder: Path, path: Path, rng: np.random.Generator, window: Window, band: _Band
) -> tuple[NDArray[np.float32], str]:
    """Samples and truth of one window."""
    style = band.style
    spans = chords_of(window, style)
    beat_s = window.bar_s / style.mma_beats
    tonic = window.bars[0].tonic
    flats = tonic is not None and prefers_flats(tonic, bool(window.key and window.key.endswith("minor")))
    bpm = round(60 / beat_s, 2)
    midi = run_mma(_text(rng, style, spans, bpm, len(window.bars), flats))
    set_tempo(midi, bpm)
    share = _sounding(midi, spans, bpm, window.start_s)
    if share < MIN_SOUNDING:
        raise NotAsWrittenError(f"the chords' root and third are played {share:.0%} of the time")
    times = bar_times(rng, np.full(len(window.bars), window.bar_s), band.feel.drift)
    even = np.arange(len(window.bars) + 1) * window.bar_s

    def warp(time: float) -> float:
        return float(np.interp(time, even, times)) + max(0.0, time - float(even[-1]))

    start = warp(window.start_s)
    total = start + CLIP_S + _TAIL_S
    if float(times[-1]) < start + CLIP_S:
        raise NotAsWrittenError("the song ends inside the clip")
    live = played_live(midi, warp, band.feel, rng, band.program)
    sound = synth(band.font, folder / ".tools").render(
        to_bytes(live), total, band.mix.reverb_room, band.mix.reverb_level
    )
    beats, positions = cut_beats(times.tolist(), style.beats, 0.0, total)
    real = [(warp(a * beat_s), warp(b * beat_s), chord) for a, b, chord in spans]
    voice = None
    if band.master.voice_db is not None:
        triads = [(a, b, tuple((c.root + step) % 12 for step in QUALITIES[c.quality][:3])) for a, b, c in real]
        mode = None if window.key is None else window.key.split()[1]
        line = tune(rng, [t for t in beats if t > start - 1.0], triads, tonic, mode)
        voice = sing(rng, line, total, band.feel.cents)
    record = mastered(sound, voice, band.master)
    clip = apply_mix(record, band.mix, round(start * SAMPLE_RATE), round(CLIP_S * SAMPLE_RATE))
    inside = [(t - start, p) for t, p in zip(beats, positions, strict=True) if start <= t < start + CLIP_S]
    gaps = np.diff([t for t, _ in inside])
    truth = TruthClip(
        path=path,
        split=band.split,
        family=window.song.name,
        style=style.groove,
        library="billboard",
        tempo_bpm=round(60 / float(np.mean(gaps)), 4),
        beats=tuple(t for t, _ in inside),
        downbeats=tuple(t for t, p in inside if p == 1),
        meter=style.meter,
        beats_per_bar=style.beats,
        key=window.key,
        chords=cut_spans([(a, b, c.harte_name(flats)) for a, b, c in real], start, start + CLIP_S),
        marks=("compound_4/4",) if style.compound and style.meter == "4/4" else (),
        sandbox={
            "song": window.song.slot,
            "tonic": None if tonic is None else KEYS[tonic].split()[0],
            "at_s": round(window.bars[0].start_s + window.start_s, 3),
            "soundfont": band.font,
            "licence": f"{LICENCE}; {SOUNDFONTS[band.font].licence}",
            "feel": band.feel.record(),
            "master": band.master.record(),
            "mix": band.mix.record(),
        },
        duration_s=CLIP_S,
    )
    return clip, jams_text(truth, [p for _, p in inside])


def _text(
    rng: np.random.Generator,
    style: Style,
    spans: list[tuple[float, float, Played]],
    bpm: float,
    bars: int,
    flats: bool,
) -> str:
    """MMA's text of the window."""
    groove = groove_text(style) if style.library == "made" else f"Groove {style.groove}"
    if style.drums_only:
        groove += "\n" + harmony_text(rng, style)
    lines = [f"RndSeed {int(rng.integers(1, 2**31))}", groove, f"Tempo {bpm}"]
    lines.append(f"Seq {int(rng.integers(1, style.sequence + 1))}")
    for bar in range(bars):
        low, high = bar * style.mma_beats, (bar + 1) * style.mma_beats
        row = [f"{c.mma_name(flats)}@{a - low + 1:.4g}" for a, _, c in spans if low - 1e-6 <= a < high - 1e-6]
        lines.append(f"{bar + 1} {' '.join(row)}")
    return "\n".join(lines) + "\n"


def _sounding(midi: mido.MidiFile, spans: list[tuple[float, float, Played]], bpm: float, start_s: float) -> float:
    """Share of the clip's time at whose chords what tells them is played."""
    notes = notes_of(midi, 60 / bpm / midi.ticks_per_beat)
    pitched = notes.channel != DRUM_CHANNEL
    heard = total = 0.0
    for a, b, chord in spans:
        low, high = max(a * 60 / bpm, start_s), min(b * 60 / bpm, start_s + CLIP_S)
        if high - low < 0.3:
            continue
        inside = pitched & (notes.start < high - 0.05) & (notes.end > low + 0.05)
        classes = {int(p) % 12 for p in notes.pitch[inside]}
        total += high - low
        heard += (high - low) * all(tone in classes for tone in chord.told_by)
    return heard / total if total else 0.0
