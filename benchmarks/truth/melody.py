"""A solo line over the chords: chord notes on strong beats, steps of the scale between, rests, seeded."""

import mido
import numpy as np

from benchmarks.truth.chart import Chart
from fgmcaps.schemas.harte import QUALITIES

_PROGRAMS = (0, 4, 11, 21, 22, 24, 26, 27, 40, 42, 52, 53, 56, 57, 60, 65, 66, 68, 71, 73, 75, 79, 80, 81, 85)
_MAJOR, _MINOR, _HARMONIC = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 8, 11)


def add_melody(rng: np.random.Generator, midi: mido.MidiFile, chart: Chart, tonic: int) -> int:
    """Appends a track to ``midi`` on a free channel; returns its General MIDI program, or -1 if no channel is free."""
    taken = {m.channel for track in midi.tracks for m in track if not m.is_meta and hasattr(m, "channel")}
    free = [c for c in range(16) if c not in taken and c != 9]
    if not free:
        return -1
    channel, program = free[0], int(rng.choice(_PROGRAMS))
    track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=program)])
    loud = int(rng.integers(70, 110))
    now = 0
    for start, length, pitch in _line(rng, chart, tonic, midi.ticks_per_beat):
        velocity = int(np.clip(loud + rng.integers(-12, 13), 30, 127))
        track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=velocity, time=start - now))
        track.append(mido.Message("note_off", channel=channel, note=pitch, velocity=0, time=length))
        now = start + length
    midi.tracks.append(track)
    return program


def _line(rng: np.random.Generator, chart: Chart, tonic: int, ticks: int) -> list[tuple[int, int, int]]:
    """(start tick, ticks, MIDI pitch), without overlap."""
    felt = ticks / chart.style.felt_per_mma
    swung = not chart.style.compound and any(
        w in chart.style.family for w in ("jazz", "swing", "blues", "shuffle", "bebop")
    )
    rhythm = (
        ((1 / 3, 2 / 3, 1.0), (2 / 3, 1.0), (1.0,))
        if chart.style.compound
        else ((2 / 3, 1.0) if swung else (0.5, 1.0), (1.0,), (1.0,))
    )
    density = float(rng.uniform(0.45, 0.95))
    minor = chart.key.endswith("minor")
    pitch = int(rng.integers(64, 80))
    notes: list[tuple[int, int, int]] = []
    beats = int(chart.bars * chart.style.beats * chart.style.bars)
    for beat in range(beats):
        chord = next(c for a, b, c in chart.chords if a <= beat / chart.style.felt_per_mma + 1e-6 < b)
        raised = minor and chord.quality in ("maj", "7", "9", "dim", "dim7") and (chord.root - tonic) % 12 in (7, 11)
        scale = [(tonic + s) % 12 for s in (_HARMONIC if raised else _MINOR if minor else _MAJOR)]
        tones = [(chord.root + s) % 12 for s in QUALITIES[chord.quality][:4]]
        scale = [s for s in scale if all((s - t) % 12 not in (1, 11) or s in tones for t in tones)] or tones
        begin = 0.0
        for end in rhythm[int(rng.integers(0, len(rhythm)))]:
            if rng.random() < density:
                pool = tones if begin == 0 else sorted({*tones, *scale})
                pitch = _near(rng, pitch, pool)
                start = round((beat + begin) * felt)
                notes.append((start, max(10, round((end - begin) * felt * float(rng.uniform(0.6, 0.98)))), pitch))
            begin = end
    return notes


def _near(rng: np.random.Generator, pitch: int, classes: list[int]) -> int:
    """A pitch of one of ``classes`` close to ``pitch``, kept within C4 .. E6."""
    near = [p for p in range(60, 89) if p % 12 in classes and 0 < abs(p - pitch) <= 7]
    near = near or [p for p in range(60, 89) if p % 12 in classes]
    weights = np.array([1 / (1 + abs(p - pitch)) for p in near])
    return int(rng.choice(near, p=weights / weights.sum()))
