"""Changes to a piece's MIDI that make a label wrong, undefined or hard: what the negative set is made of."""

from collections.abc import Callable

import mido
import numpy as np

from benchmarks.truth.mma import DRUM_CHANNEL


def keep_messages(midi: mido.MidiFile, wanted: Callable[[mido.Message], bool]) -> mido.MidiFile:
    """A copy with only the channel messages that ``wanted`` accepts; times stay."""
    copy = mido.MidiFile(type=1, ticks_per_beat=midi.ticks_per_beat)
    for track in midi.tracks:
        kept, waited = mido.MidiTrack(), 0
        for message in track:
            waited += message.time
            if message.is_meta or not hasattr(message, "channel") or wanted(message):
                kept.append(message.copy(time=waited))
                waited = 0
        copy.tracks.append(kept)
    return copy


def without_drums(midi: mido.MidiFile) -> mido.MidiFile:
    """Every channel but the drums."""
    return keep_messages(midi, lambda message: message.channel != DRUM_CHANNEL)


def only_drums(midi: mido.MidiFile) -> mido.MidiFile:
    """The drums alone."""
    return keep_messages(midi, lambda message: message.channel == DRUM_CHANNEL)


def map_pitches(midi: mido.MidiFile, new_pitch: Callable[[int, int], int]) -> mido.MidiFile:
    """A copy whose pitched notes have ``new_pitch(tick of the note's start, pitch)``, clipped to 21 .. 108.

    Two notes that come to one pitch are kept apart by their note-off: a note ends the pitch that it began.
    """
    copy = mido.MidiFile(type=1, ticks_per_beat=midi.ticks_per_beat)
    for track in midi.tracks:
        changed, tick = mido.MidiTrack(), 0
        sounding: dict[tuple[int, int], int] = {}
        for message in track:
            tick += message.time
            if message.type in ("note_on", "note_off") and message.channel != DRUM_CHANNEL:
                key = (message.channel, message.note)
                if message.type == "note_on" and message.velocity:
                    sounding[key] = int(np.clip(new_pitch(tick, message.note), 21, 108))
                changed.append(message.copy(note=sounding.get(key, message.note)))
            else:
                changed.append(message.copy())
        copy.tracks.append(changed)
    return copy


def transposed_from(midi: mido.MidiFile, tick: int, semitones: int) -> mido.MidiFile:
    """Notes that begin at ``tick`` (less a 32nd: players are early at times) or later moved by ``semitones``."""
    early = midi.ticks_per_beat // 8
    return map_pitches(midi, lambda start, pitch: pitch + (semitones if start >= tick - early else 0))


def atonal(midi: mido.MidiFile, rng: np.random.Generator) -> mido.MidiFile:
    """The same rhythm with every pitched note's pitch drawn anew, uniform over four octaves."""
    return map_pitches(midi, lambda _start, _pitch: int(rng.integers(36, 85)))


def with_tempo_change(midi: mido.MidiFile, tick: int, microseconds: int) -> mido.MidiFile:
    """A copy with another tempo (microseconds a quarter) from ``tick`` on, written into the first track."""
    copy = mido.MidiFile(type=1, ticks_per_beat=midi.ticks_per_beat)
    copy.tracks.extend(mido.MidiTrack(message.copy() for message in track) for track in midi.tracks)
    first, now, place = copy.tracks[0], 0, 0
    while place < len(first) and now + first[place].time <= tick and first[place].type != "end_of_track":
        now += first[place].time
        place += 1
    if place < len(first):
        first[place].time = max(0, first[place].time - (tick - now))
    first.insert(place, mido.MetaMessage("set_tempo", tempo=microseconds, time=tick - now))
    return copy
