"""MMA text to MIDI, its notes, and the checks that the MIDI plays what the chart says."""

import io
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import mido
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.chart import CLIP_S, Chart
from fgmcaps.schemas.harte import QUALITIES

DRUM_CHANNEL = 9


class NotAsWrittenError(ValueError):
    """What MMA made does not play the chart: wrong tempo, or chords that cannot be heard. Another piece is drawn."""


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes in time order: ``start``, ``end`` in seconds, MIDI ``pitch``, ``channel``, ``velocity``; all [n]."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    pitch: NDArray[np.int64]
    channel: NDArray[np.int64]
    velocity: NDArray[np.int64]


def run_mma(text: str) -> mido.MidiFile:
    """The MIDI of an MMA text. Raises NotAsWrittenError with MMA's message if it makes none."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "piece.mma"), Path(folder, "piece.mid")
        source.write_text(text, encoding="ascii")
        try:
            ran = subprocess.run(
                ["mma", str(source), "-f", str(target)],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=folder,
                check=False,
            )
        except FileNotFoundError as error:
            raise FileNotFoundError("mma is missing: apt install mma") from error
        if ran.returncode or not target.exists():
            raise NotAsWrittenError(f"mma: {' '.join((ran.stdout or ran.stderr).split())[-200:]}")
        return mido.MidiFile(str(target))


def to_bytes(midi: mido.MidiFile) -> bytes:
    """The file as bytes."""
    buffer = io.BytesIO()
    midi.save(file=buffer)
    return buffer.getvalue()


def set_tempo(midi: mido.MidiFile, bpm: float) -> int:
    """Writes the exact tempo (MMA cuts it to whole BPM) into the file; returns microseconds a quarter.

    Raises NotAsWrittenError if the file has no tempo, several, or one that is not ``bpm`` cut to a whole number.
    """
    messages = [m for track in midi.tracks for m in track if m.type == "set_tempo"]
    found = {m.tempo for m in messages}
    if len(found) != 1 or int(60e6 / found.pop() + 0.01) != int(bpm):
        raise NotAsWrittenError(f"tempi {sorted({m.tempo for m in messages})} in the MIDI, not one of {bpm} BPM")
    for message in messages:
        message.tempo = round(60e6 / bpm)
    return round(60e6 / bpm)


def notes_of(midi: mido.MidiFile, seconds_per_tick: float) -> Notes:
    """All notes of a file with one tempo."""
    rows: list[tuple[float, float, int, int, int]] = []
    for track in midi.tracks:
        tick = 0
        sounding: dict[tuple[int, int], tuple[int, int]] = {}
        for message in track:
            tick += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            key = (message.channel, message.note)
            begun = sounding.pop(key, None)
            if begun is not None:
                rows.append(
                    (begun[0] * seconds_per_tick, tick * seconds_per_tick, message.note, message.channel, begun[1])
                )
            if message.type == "note_on" and message.velocity:
                sounding[key] = (tick, message.velocity)
    rows.sort()
    table = np.array(rows, float).reshape(-1, 5)
    whole = table[:, 2:].astype(np.int64)
    return Notes(table[:, 0], table[:, 1], whole[:, 0], whole[:, 1], whole[:, 2])


def sounding_share(notes: Notes, chart: Chart) -> float:
    """Share of the clip's time at whose chord spans both the root and the third (the fourth of a sus chord) are played.

    A note counts for a span if it starts before the span's end and stops 50 ms after its start or later.
    """
    pitched = notes.channel != DRUM_CHANNEL
    heard = total = 0.0
    for start, end, chord in chart.chords:
        low = max(start * chart.beat_s, chart.start_s)
        high = min(end * chart.beat_s, chart.start_s + CLIP_S)
        if high - low < 0.3:
            continue
        inside = pitched & (notes.start < high - 0.05) & (notes.end > low + 0.05)
        classes = {int(p) % 12 for p in notes.pitch[inside]}
        third = (chord.root + QUALITIES[chord.quality][1]) % 12
        total += high - low
        heard += (high - low) * (chord.root in classes and third in classes)
    return heard / total if total else 0.0
