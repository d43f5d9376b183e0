"""A whole song from its clips, and the files that other programs read."""

import dataclasses
import io

import mir_eval
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from fgmcaps.annotators import ClipAudio
from fgmcaps.common.console import SafeConsole
from fgmcaps.pipeline.cli import main
from fgmcaps.pipeline.demo import demo_music
from fgmcaps.pipeline.labels.annotate_file import AnnotatedClip
from fgmcaps.pipeline.labels.show_song import show, song_view
from fgmcaps.pipeline.labels.song import beats_of, chords_of, song_of
from fgmcaps.pipeline.labels.song_files import (
    audacity_lines,
    beat_lines,
    chord_lines,
    with_clicks,
    write_song_with_clicks,
)
from fgmcaps.schemas import Annotation, ChordSpan, Clip, Fused, Labels, NamedAlternative, TempoAlternative
from tests.factories import make_caption, make_track


def clip(number, *, kept=True, bpm=120.0, key="A minor", meter="4/4", probability=0.9, **more):
    """Clip ``number`` of a song: beats every 60 / bpm from 0, bars of 4."""
    beats = tuple(round(i * 60 / bpm, 4) for i in range(int(10 * bpm / 60) + 1) if i * 60 / bpm < 10)
    found = Fused(
        tempo_bpm=bpm, tempo_probability=probability, beats=beats, downbeats=beats[::4], downbeats_probability=0.9,
        time_signature=meter, meter_probability=probability, key=key, key_probability=probability,
        chords=(ChordSpan(0, 5, "A:min", 0.9), ChordSpan(5, 10, "F:maj", 0.9)), chords_probability=0.9, **more,
    )  # fmt: skip
    labels = Labels(
        tempo_bpm=bpm, beats=beats, downbeats=beats[::4], beat_count=4, time_signature=meter, key=key,
        chords=found.chords, chord_summary=("A:min", "F:maj"), fused=found,
    )  # fmt: skip
    if not kept:
        labels = Labels(qc_flags=("tempo:low_confidence",), fused=found)
    track = make_track(1)
    return Annotation(Clip(f"{track.track_id}-{number * 10_000:08d}", number * 10.0, 10.0, track), labels, ())


def test_the_song_is_what_most_of_its_time_says():
    song = song_of([clip(0), clip(1, bpm=121.0), clip(2, bpm=60.0, key="C major", probability=0.6), clip(3)])
    assert song.seconds == 40.0
    assert song.key.value == "A minor" and song.key.share == pytest.approx(3 * 0.9 / 4)
    assert float(song.tempo.value) == pytest.approx(120.33, abs=0.1) and song.tempo.share == pytest.approx(3 * 0.9 / 4)
    assert song.meter.value == "4/4"


def test_alternatives_speak_too():
    """No clip alone says D minor, all of them half."""
    doubtful = {"key_alternatives": (NamedAlternative("D minor", 0.48),)}
    keys = ["A minor", "F major", "C major"]
    song = song_of([clip(n, key=key, probability=0.5, **doubtful) for n, key in enumerate(keys)])
    assert song.key.value == "D minor" and song.key.share == pytest.approx(0.48)
    halved = {"tempo_alternatives": (TempoAlternative(60.0, 0.4),)}
    assert song_of([clip(0, probability=0.3, **halved)]).tempo.value == "60.0"


def test_parts_that_differ_are_told_and_single_clips_are_not():
    clips = [clip(n, key="C major" if n in (2, 3) else "A minor", bpm=90.0 if n == 5 else 120.0) for n in range(8)]
    (part,) = song_of(clips).parts
    assert (part.start_s, part.end_s, part.differs) == (20.0, 40.0, ("C major",))
    withheld = [dataclasses.replace(c, labels=dataclasses.replace(c.labels, key=None)) for c in clips]
    assert song_of(withheld).parts == ()


def test_nothing_is_nothing():
    song = song_of([dataclasses.replace(clip(0), labels=Labels())])
    assert (song.tempo, song.meter, song.key) == (None, None, None)


def test_beats_run_on_over_clips_each_once():
    beats = beats_of([clip(0), clip(1)])
    times = [time for time, _ in beats]
    assert times == pytest.approx([i * 0.5 for i in range(40)])
    assert [first for _, first in beats] == [i % 4 == 0 for i in range(40)]
    doubled = dataclasses.replace(clip(1), clip=dataclasses.replace(clip(1).clip, start_s=9.52))
    assert len(beats_of([clip(0), doubled])) == 39  # the beat at 9.5 is found in both


def test_withheld_beats_are_there_and_may_be_left_out():
    clips = [clip(0), clip(1, kept=False)]
    assert len(beats_of(clips)) == 40 and len(beats_of(clips, kept=True)) == 20


def test_files_are_read_by_mir_eval(tmp_path):
    clips = [clip(0), clip(1)]
    (tmp_path / "b.txt").write_text("\n".join(beat_lines(clips)))
    times, numbers = mir_eval.io.load_delimited(str(tmp_path / "b.txt"), [float, int], delimiter="\t")
    assert times == pytest.approx([i * 0.5 for i in range(40)]) and numbers == [1 + i % 4 for i in range(40)]
    (tmp_path / "c.lab").write_text("\n".join(chord_lines(clips)))
    intervals, labels = mir_eval.io.load_labeled_intervals(str(tmp_path / "c.lab"))
    assert labels == ["A:min", "F:maj", "A:min", "F:maj"] and intervals.tolist() == [
        [0, 5],
        [5, 10],
        [10, 15],
        [15, 20],
    ]
    lines = [line.split("\t") for line in audacity_lines(clips)]
    assert all(len(line) == 3 and float(line[0]) <= float(line[1]) for line in lines)
    assert sum(line[2] == "|" for line in lines) == 10 and [line[2] for line in lines if line[0] == "5.000000"] != []


def test_equal_chords_of_two_clips_are_one():
    same = Fused(chords=(ChordSpan(0, 10, "C:maj", 0.9),))
    clips = [dataclasses.replace(clip(n), labels=Labels(fused=same)) for n in (0, 1)]
    assert [(s.start, s.end) for s in chords_of(clips)] == [(0.0, 20.0)]


def test_clicks_stand_on_the_beats(tmp_path):
    silence = np.zeros(20 * 8000, np.float32)
    out = with_clicks(silence, 8000, [clip(0), clip(1)])
    loud = np.flatnonzero(np.abs(out) > 0.01) / 8000
    starts = loud[np.concatenate([[True], np.diff(loud) > 0.1])]
    assert starts == pytest.approx([i * 0.5 for i in range(40)], abs=0.002)
    sound = ClipAudio(np.full(80_000, 0.1, np.float32), 8000)
    clips = [AnnotatedClip(c, make_caption(c), sound) for c in (clip(0), clip(1))]
    write_song_with_clicks(tmp_path / "x.wav", clips)
    samples, rate = soundfile.read(tmp_path / "x.wav")
    assert rate == 8000 and len(samples) == pytest.approx(160_000, abs=2) and samples.max() <= 1


def printed(annotations):
    console = SafeConsole(file=io.StringIO(), width=120)
    console.print(song_view(annotations))
    return console.file.getvalue()


def test_the_view_says_what_the_song_is_where_it_differs_and_what_is_doubtful():
    clips = [clip(n, key="C major" if n in (2, 3) else "A minor", kept=n != 4) for n in range(6)]
    text = printed(clips)
    assert "120.0 BPM, Allegro (90 %)   A minor (60 %)   4/4 (90 %)" in text
    assert "0:20–0:40: C major" in text
    assert "(A minor 90 %)" in text and "0:40–0:50" in text and "A:min F:maj" in text


def test_whole_file_forms_print_lines_alone():
    console = SafeConsole(file=io.StringIO(), width=40)
    found = show([AnnotatedClip(c, make_caption(c), None) for c in (clip(0), clip(1))], "beats", console)
    assert len(found) == 2 and console.file.getvalue().splitlines()[:2] == ["0.000\t1", "0.500\t2"]


def test_forms_of_one_file_take_one_file(tmp_path):
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.zeros(80_000), 8000)
    files = [str(tmp_path / name) for name in ("a.wav", "b.wav")]
    done = CliRunner().invoke(main, ["annotate-file", *files, "--format", "beats"])
    assert done.exit_code == 2 and "--format beats is of one FILE" in done.output


@pytest.mark.slow
def test_of_several_files_a_bad_one_costs_only_itself(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(80_000), 8000)
    song = sorted(demo_music().rglob("*.opus"))[0]
    words = ["annotate-file", str(tmp_path / "a.wav"), str(song), "--profile", "permissive", "-q"]
    done = CliRunner().invoke(main, [*words, "--clips-per-track", "1"])
    assert done.exit_code == 3 and "1 of 2 files could not be annotated" in done.output
    assert "BPM" in done.output


@pytest.mark.slow
def test_a_real_song(tmp_path):
    song = sorted(demo_music().rglob("*.opus"))[0]
    done = CliRunner().invoke(
        main, ["annotate-file", str(song), "--profile", "permissive", "-q", "--click", str(tmp_path / "x.wav")]
    )
    assert done.exit_code == 0 and "BPM" in done.output and "in brackets: withheld" in done.output
    assert soundfile.info(tmp_path / "x.wav").duration == pytest.approx(30, abs=0.5)
