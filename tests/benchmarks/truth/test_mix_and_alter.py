"""What is done to sound and MIDI on the way: a truth time must stay where it was."""

from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest

from benchmarks.truth.alter import only_drums, transposed_from, with_tempo_change, without_drums
from benchmarks.truth.mix import Mix, apply_mix, noise, round_trip
from benchmarks.truth.recorded import read_tempo_map
from benchmarks.truth.synth import SAMPLE_RATE

PLAIN = Mix(-6.0, 0.0, 0.5, 0.0, "none", None, "none", 0.0, 1)


def _bursts() -> np.ndarray:
    rng = np.random.default_rng(0)
    sound = np.zeros(4 * SAMPLE_RATE, np.float32)
    for start in (9000, 40000, 71234, 120000):
        sound[start : start + 2000] = rng.standard_normal(2000) * np.exp(-np.arange(2000) / 300) * 0.3
    return sound


@pytest.mark.parametrize(("codec", "level"), [("mp3", 0.45), ("mp3", 0.88), ("ogg", 0.2), ("ogg", 0.7)])
def test_a_lossy_round_trip_keeps_the_time_to_the_sample(codec: str, level: float) -> None:
    sound = _bursts()
    back = round_trip(sound, codec, level)
    assert len(back) == len(sound)
    correlation = [float(sound[3000:150000] @ back[3000 + d : 150000 + d]) for d in range(-1200, 1201)]
    assert int(np.argmax(correlation)) - 1200 == 0
    assert not np.array_equal(back, sound)


def test_a_mix_has_its_level_length_and_seed() -> None:
    clip = apply_mix(_bursts(), PLAIN, 1000, 2 * SAMPLE_RATE)
    assert len(clip) == 2 * SAMPLE_RATE
    assert 20 * np.log10(np.abs(clip).max()) == pytest.approx(-6.0, abs=1e-3)
    noisy = Mix(-6.0, 4.0, 0.5, 0.0, "pink", -40.0, "none", 0.0, 1)
    assert np.array_equal(apply_mix(_bursts(), noisy, 0, 9000), apply_mix(_bursts(), noisy, 0, 9000))


def test_pink_noise_falls_by_three_decibels_an_octave() -> None:
    sound = noise(np.random.default_rng(3), 2**20, "pink").astype(float)
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    bands = [power[(frequency >= f) & (frequency < 2 * f)].mean() for f in (100, 200, 400, 800, 1600, 3200, 6400)]
    assert np.diff(10 * np.log10(bands)) == pytest.approx(np.full(6, -3.01), abs=0.7)


def _piece() -> mido.MidiFile:
    """Bass C for two beats, C again at beat 2, a drum on every beat; 100 ticks a beat, 120 BPM."""
    midi = mido.MidiFile(type=1, ticks_per_beat=100)
    midi.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)]))
    on, off = ("note_on", "note_off")
    bass = [(on, 0), (off, 220), (on, 0), (off, 180)]
    drums = [(on, 0), (off, 10), (on, 90), (off, 10), (on, 90), (off, 10), (on, 90), (off, 10)]
    for channel, pitch, notes in ((0, 48, bass), (9, 36, drums)):
        messages = [mido.Message(kind, channel=channel, note=pitch, velocity=90, time=wait) for kind, wait in notes]
        midi.tracks.append(mido.MidiTrack(messages))
    return midi


def _notes(midi: mido.MidiFile, path: Path) -> list[tuple[float, float, int, bool]]:
    midi.save(str(path))
    read = pretty_midi.PrettyMIDI(str(path))
    return sorted((round(n.start, 3), round(n.end, 3), n.pitch, i.is_drum) for i in read.instruments for n in i.notes)


def test_transposing_moves_what_begins_later_and_no_drum(tmp_path: Path) -> None:
    changed = _notes(transposed_from(_piece(), 215, 3), tmp_path / "t.mid")
    assert [n[:3] for n in changed if not n[3]] == [(0.0, 1.1, 48), (1.1, 2.0, 51)]
    assert [n[2] for n in changed if n[3]] == [36] * 4


def test_a_tempo_change_moves_what_follows(tmp_path: Path) -> None:
    changed = _notes(with_tempo_change(_piece(), 200, 250_000), tmp_path / "c.mid")
    assert [n[0] for n in changed if n[3]] == pytest.approx([0.0, 0.5, 1.0, 1.25])


def test_drums_are_taken_away_or_left_alone(tmp_path: Path) -> None:
    before = _notes(_piece(), tmp_path / "b.mid")
    assert _notes(without_drums(_piece()), tmp_path / "w.mid") == [n for n in before if not n[3]]
    assert _notes(only_drums(_piece()), tmp_path / "o.mid") == [n for n in before if n[3]]


@pytest.mark.parametrize("tempos", [[(0, 500_000)], [(0, 444_444), (480, 600_000), (1200, 300_000)]])
def test_beats_of_a_tempo_map_are_those_that_pretty_midi_reads(tempos: list[tuple[int, int]], tmp_path: Path) -> None:
    midi = mido.MidiFile(type=1, ticks_per_beat=96)
    now = [0, *(tick for tick, _ in tempos[:-1])]
    waits = [tick - before for (tick, _), before in zip(tempos, now, strict=True)]
    changes = [mido.MetaMessage("set_tempo", tempo=t, time=w) for (_, t), w in zip(tempos, waits, strict=True)]
    midi.tracks.append(mido.MidiTrack(changes))
    notes = [mido.Message("note_on", note=60, velocity=9), mido.Message("note_off", note=60, time=96 * 40)]
    midi.tracks.append(mido.MidiTrack(notes))
    midi.save(str(tmp_path / "map.mid"))
    expected = pretty_midi.PrettyMIDI(str(tmp_path / "map.mid")).get_beats()
    found = read_tempo_map(tmp_path / "map.mid")
    assert found.beats(expected[-1] + 1e-3) == pytest.approx(expected)
    assert found.bpm == (120.0 if len(tempos) == 1 else None)
