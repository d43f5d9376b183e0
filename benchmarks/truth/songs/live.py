"""MIDI as people play it: a tempo that drifts, notes off the grid, uneven loudness, a pitch that is not 440 Hz."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import mido
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.mma import DRUM_CHANNEL

_TICKS = 4800  # a quarter of half a second: 0.1 ms a tick
_BEND_RANGE = 2.0  # semitones, General MIDI's default
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Feel:
    """How it is played: ``drift``: deviation of a bar's tempo; ``loose_ms``: of a note's start; ``uneven``: of its
    velocity (share); ``cents``: of the tuning from 440 Hz."""

    drift: float
    loose_ms: float
    uneven: float
    cents: float

    def record(self) -> dict[str, float]:
        """As it is written into the truth file."""
        return asdict(self)


def draw_feel(rng: np.random.Generator) -> Feel:
    """Two of five play to a click; one of five is out of tune by more than 20 cents."""
    drift = 0.0 if rng.random() < 0.4 else float(rng.uniform(0.002, 0.015))
    return Feel(
        round(drift, 4),
        round(float(rng.uniform(1.0, 14.0)), 2),
        round(float(rng.uniform(0.02, 0.15)), 3),
        round(float(np.clip(rng.normal(0, 14), -45, 45)), 1),
    )


def bar_times(rng: np.random.Generator, seconds: Floats, drift: float) -> Floats:
    """Start of every bar, and the end of the last, in seconds: bars of ``seconds`` [n], wandering by ``drift``.

    The deviation of a bar is half that of the bar before and something new.
    """
    lengths, deviation = np.asarray(seconds, np.float64).copy(), 0.0
    for i in range(len(lengths)):
        deviation = 0.5 * deviation + float(rng.normal(0, drift)) * 0.75**0.5
        lengths[i] *= 1.0 + deviation
    return np.concatenate([[0.0], np.cumsum(lengths)])


def played_live(
    midi: mido.MidiFile,
    warp: Callable[[float], float],
    feel: Feel,
    rng: np.random.Generator,
    program_of: Callable[[int, int], int] = lambda channel, program: program,
) -> mido.MidiFile:
    """``midi`` with its seconds moved by ``warp`` and everything in ``feel``; ``program_of(channel, program)`` may
    change instruments. The result has one tempo: its times are what counts."""
    events: list[tuple[float, int, mido.Message]] = []
    channels: set[int] = set()
    for time, message in _timed(midi):
        at = warp(time)
        if message.type in ("note_on", "note_off"):
            continue
        if message.type == "program_change":
            message = message.copy(program=program_of(message.channel, message.program))
        if message.type != "pitchwheel":
            events.append((at, 0, message))
    group = {channel: float(rng.normal(0, feel.loose_ms / 2000)) for channel in range(16)}
    for start, end, note, channel, velocity in _notes(midi):
        channels.add(channel)
        off = group[channel] + float(rng.normal(0, feel.loose_ms / 1000))
        loud = int(np.clip(round(velocity * (1 + float(rng.normal(0, feel.uneven)))), 1, 127))
        begin = max(0.001, warp(start) + off)
        stop = max(begin + 0.03, warp(end) + off)
        events.append((begin, 2, mido.Message("note_on", channel=channel, note=note, velocity=loud)))
        events.append((stop, 1, mido.Message("note_off", channel=channel, note=note, velocity=0)))
    bend = round(np.clip(feel.cents / 100 / _BEND_RANGE, -1, 1) * 8191)
    for channel in sorted(channels - {DRUM_CHANNEL}):
        events.append((0.0, 0, mido.Message("pitchwheel", channel=channel, pitch=int(bend))))
    return from_events(events)


def from_events(events: list[tuple[float, int, mido.Message]]) -> mido.MidiFile:
    """A file from (seconds, order at equal times, message). Raises ValueError for an event before 0."""
    if any(time < 0 for time, _, _ in events):
        raise ValueError("an event before the start would move all others")
    copy = mido.MidiFile(type=1, ticks_per_beat=_TICKS)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000, time=0)])
    now = 0
    for time, _, message in sorted(events, key=lambda event: (round(event[0] * 2 * _TICKS), event[1])):
        tick = round(time * 2 * _TICKS)
        track.append(message.copy(time=tick - now))
        now = tick
    copy.tracks.append(track)
    return copy


def _timed(midi: mido.MidiFile) -> list[tuple[float, mido.Message]]:
    """Channel messages with their seconds, whatever the tempo does."""
    now, found = 0.0, []
    for message in midi:  # mido gives seconds since the message before
        now += message.time
        if not message.is_meta and hasattr(message, "channel"):
            found.append((now, message))
    return found


def _notes(midi: mido.MidiFile) -> list[tuple[float, float, int, int, int]]:
    """(start, end, pitch, channel, velocity) in seconds, by start."""
    sounding: dict[tuple[int, int], tuple[float, int]] = {}
    found = []
    for time, message in _timed(midi):
        if message.type not in ("note_on", "note_off"):
            continue
        begun = sounding.pop((message.channel, message.note), None)
        if begun is not None:
            found.append((begun[0], time, message.note, message.channel, begun[1]))
        if message.type == "note_on" and message.velocity:
            sounding[message.channel, message.note] = (time, message.velocity)
    return sorted(found)
