"""The whole way to a clip, with the real MMA and fluidsynth: does the sound say what the truth file says?"""

import ctypes.util
import shutil
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

from benchmarks.truth import render
from benchmarks.truth.chart import CLIP_S, make_chart
from benchmarks.truth.check import evidence
from benchmarks.truth.mma import NotAsWrittenError, notes_of, run_mma, set_tempo, sounding_share, to_bytes
from benchmarks.truth.negatives import ALTERED, NO_MUSIC, write_negatives
from benchmarks.truth.plan import SPLITS, draw
from benchmarks.truth.read import read_truth
from benchmarks.truth.styles import library
from fgmcaps.schemas.harte import QUALITIES, parse_chord

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("mma") is None or ctypes.util.find_library("fluidsynth") is None,
        reason="mma and fluidsynth are not installed (apt install mma fluidsynth timgm6mb-soundfont)",
    ),
]
ALL = tuple(SPLITS)
FONT = ("TimGM6mb",)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 clips, one in each key."""
    folder = tmp_path_factory.mktemp("corpus")
    assert render.render_corpus(folder, 24, 11, 1, ALL, FONT) == {"made": 24, "kept": 0, "refused": 0}
    return folder


def test_clips_are_ten_seconds_of_music_with_a_full_truth(corpus: Path) -> None:
    clips = read_truth(corpus)
    assert len({clip.key for clip in clips}) == 24
    for clip in clips:
        samples, rate = soundfile.read(clip.path)
        assert len(samples) == CLIP_S * rate
        assert 0.05 < np.abs(samples).max() <= 1.0
        loud = np.sqrt(np.mean(samples.reshape(10, -1) ** 2, axis=1))
        assert loud.min() > 0.05 * loud.max(), f"{clip.path.name} ({clip.style}) is silent for a second"
        assert clip.chords[0].start == 0 and clip.chords[-1].end == pytest.approx(CLIP_S)
        assert clip.tempo_bpm is not None and np.diff(clip.beats) == pytest.approx(60 / clip.tempo_bpm, rel=1e-4)
        assert all(parse_chord(span.label).root_pc is not None for span in clip.chords)


def test_onsets_and_tempo_are_where_the_truth_says(corpus: Path) -> None:
    found = [evidence(clip) for clip in read_truth(corpus)]
    on_beat = np.array([abs(f.lag_s - 0.008) < 0.03 for f in found])
    assert on_beat.mean() > 0.8  # the rest plays its strongest notes between the beats
    assert np.mean([abs(f.tempo_ratio - 1) < 0.011 for f in found]) > 0.9


def test_again_renders_nothing_and_a_lost_clip_comes_back_the_same(corpus: Path) -> None:
    path = render.clip_path(corpus, 5)
    before = (path.read_bytes(), path.with_suffix(".jams").read_bytes())
    path.with_suffix(".jams").unlink()
    path.unlink()
    assert render.render_corpus(corpus, 24, 11, 1, ALL, FONT) == {"made": 1, "kept": 23, "refused": 0}
    assert (path.read_bytes(), path.with_suffix(".jams").read_bytes()) == before


@pytest.mark.parametrize("groove", ["stdlib/68swing:68Swing", "stdlib/jazz-54:Jazz54", "stdlib/polka:Polka"])
def test_bars_and_chords_are_in_the_midi_as_pretty_midi_reads_it(groove: str, tmp_path: Path) -> None:
    """Chords change on the bar lines that the truth claims: most of what sounds in each span is its chord."""
    (style,) = (s for s in library() if s.groove == groove)
    chart = make_chart(np.random.default_rng(4), style, "Eb major")
    midi = run_mma(chart.text)
    set_tempo(midi, chart.bpm)
    (tmp_path / "piece.mid").write_bytes(to_bytes(midi))
    pretty = pretty_midi.PrettyMIDI(str(tmp_path / "piece.mid"))
    assert pretty.get_tempo_changes()[1] == pytest.approx([chart.bpm], rel=1e-4)
    for start, end, chord in chart.chords[:-1]:
        low, high = start * chart.beat_s, end * chart.beat_s
        chroma = pretty.get_chroma(fs=100)[:, round(low * 100) + 8 : round(high * 100) - 5].sum(axis=1)
        tones = [(chord.root + step) % 12 for step in QUALITIES[chord.quality]]
        assert chroma[tones].sum() > 0.7 * chroma.sum()


def test_a_chart_moved_by_a_beat_is_found_out() -> None:
    drawn = draw(0, 2, 0, ALL)
    (style,) = (s for s in library() if s.groove == "stdlib/bossanova:BossaNova")
    chart = make_chart(np.random.default_rng(1), style, drawn.key)
    midi = run_mma(chart.text)
    notes = notes_of(midi, set_tempo(midi, chart.bpm) / 1e6 / midi.ticks_per_beat)
    assert sounding_share(notes, chart) == 1.0
    wrong = type(notes)(notes.start, notes.end, notes.pitch + 1, notes.channel, notes.velocity)
    assert sounding_share(wrong, chart) < 0.5


def test_a_piece_that_mma_refuses_is_not_rendered() -> None:
    with pytest.raises(NotAsWrittenError, match="NOSUCHGROOVE"):
        run_mma("Groove NoSuchGroove\n1 C\n")


def test_negatives_say_what_must_be_null(tmp_path: Path) -> None:
    counts = write_negatives(tmp_path, 2, 3)
    assert set(counts) == {*NO_MUSIC, *ALTERED} and set(counts.values()) == {2}
    for clip in read_truth(tmp_path):
        if clip.family in ALTERED:  # every other one is fitted on: in styles of that split
            assert clip.split == ("test" if clip.path.stem.endswith("1") else "train")
        nulls = {mark.removeprefix("null:") for mark in clip.marks if mark.startswith("null:")}
        values = {"tempo": clip.tempo_bpm, "meter": clip.meter, "key": clip.key}
        assert all(values.get(name) is None for name in nulls)
        assert clip.family in clip.marks
        samples, rate = soundfile.read(clip.path)
        assert len(samples) / rate == pytest.approx(clip.duration_s, abs=1e-3)
