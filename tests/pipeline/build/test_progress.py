"""Progress is read from journals alone: counts, plain lines for pipes, a bar for people."""

import io
from dataclasses import replace

import pytest

from fgmcaps.common.console import SafeConsole
from fgmcaps.common.progress import Progress
from fgmcaps.pipeline.build.progress import BuildProgress, JournalCounter
from fgmcaps.pipeline.build.stage_file import StageFile, StageTiming
from fgmcaps.pipeline.stages.journal import TrackDone, TrackRetry, write_results
from fgmcaps.schemas import DeadLetter
from fgmcaps.schemas.ids import make_clip_id
from tests.factories import make_annotation

TRACKS = [f"{i:016x}" for i in range(4)]


def annotation(track):
    found = make_annotation(0)
    return replace(found, clip=replace(found.clip, clip_id=make_clip_id(track, 0)))


def letter(track, kind="failed", clip_id=None):
    return DeadLetter(track, clip_id, "x.wav", "decode", kind, "reason", "", "")


def done(track):
    return TrackDone(track, 1)


def test_records_are_counted_once_however_often_they_are_written(tmp_path):
    counter = JournalCounter(tmp_path)
    write_results(tmp_path, [annotation(TRACKS[0]), done(TRACKS[0])])
    counter.look()
    counter.look()
    write_results(tmp_path, [annotation(TRACKS[0]), done(TRACKS[0]), letter(TRACKS[1]), letter(TRACKS[2], "filtered")])
    counter.look()
    assert (len(counter.annotations), len(counter.tracks), counter.failed) == (1, 1, {TRACKS[1]})


def test_a_retry_takes_back_what_failed(tmp_path):
    clip_id = make_clip_id(TRACKS[0], 0)
    write_results(tmp_path, [letter(TRACKS[0], clip_id=clip_id), done(TRACKS[0]), letter(TRACKS[1]), done(TRACKS[1])])
    write_results(tmp_path, [TrackRetry(TRACKS[0])])
    counter = JournalCounter(tmp_path)
    counter.look()
    assert counter.failed == {TRACKS[1]} and counter.tracks == {TRACKS[1]}
    write_results(tmp_path, [annotation(TRACKS[0]), done(TRACKS[0])])
    counter.look()
    assert counter.failed == {TRACKS[1]} and counter.tracks == set(TRACKS[:2])


@pytest.fixture
def shown(tmp_path):
    text = io.StringIO()
    shown = Progress(console=SafeConsole(file=text, width=200), live=False)
    progress = BuildProgress(tmp_path, tmp_path / "a", tmp_path / "c", shown)
    return progress, text, StageFile(tmp_path)


def test_plain_lines_count_tracks_clips_and_failures(tmp_path, shown):
    progress, text, status = shown
    progress.tick(force=True)
    assert text.getvalue() == ""  # no stage has begun
    status.begin("annotate", total=4)
    write_results(tmp_path / "a", [annotation(TRACKS[0]), done(TRACKS[0]), letter(TRACKS[1]), done(TRACKS[1])])
    progress.tick(force=True)
    write_results(tmp_path / "a", [annotation(TRACKS[2]), annotation(TRACKS[3]), done(TRACKS[2]), done(TRACKS[3])])
    progress.tick(force=True)
    first, last = text.getvalue().splitlines()
    assert first == "Annotating: 2/4 tracks, 1 clips, 1 failed"
    assert last.startswith("Annotating: 4/4 tracks, 3 clips, ") and last.endswith("1 failed")


def test_tracks_that_the_input_has_no_more_never_make_more_than_all(tmp_path, shown):
    progress, text, status = shown
    write_results(tmp_path / "a", [done(t) for t in TRACKS])
    status.begin("annotate", total=2)
    progress.tick(force=True)
    assert text.getvalue().startswith("Annotating: 2/2 tracks")


def test_plain_lines_are_rare(tmp_path, shown):
    progress, text, status = shown
    status.begin("caption", total=9)
    for _ in range(20):
        progress.last_look = 0.0
        progress.tick()
    assert text.getvalue().splitlines() == ["Captioning: 0/9 captions"]


def test_a_stage_that_is_over_is_shown_whole(tmp_path, shown):
    progress, text, status = shown
    status.begin("caption", total=28)
    progress.tick(force=True)
    status.begin("write", total=3)
    progress.tick(force=True)
    progress.finish()
    assert text.getvalue().splitlines() == [
        "Captioning: 0/28 captions",
        "Captioning: 28/28 captions",
        "Writing shards: 0/3 shards",
        "Writing shards: 3/3 shards",
    ]


def test_shards_are_counted_in_the_staging_folder(tmp_path, shown):
    progress, text, status = shown
    data = tmp_path / "staging" / "data"
    data.mkdir(parents=True)
    for name in ("train-0.parquet", "test-0.parquet", ".train-1.parquet.x.tmp", "train-0.json"):
        (data / name).touch()
    status.begin("write", total=3)
    progress.tick(force=True)
    assert text.getvalue() == "Writing shards: 2/3 shards\n"


def test_a_damaged_journal_does_not_stop_the_display(tmp_path, shown):
    progress, text, status = shown
    write_results(tmp_path / "a", [done(TRACKS[0])]).write_bytes(b"damage")
    status.begin("annotate", total=2)
    progress.tick(force=True)
    assert text.getvalue().startswith("Annotating: 0/2 tracks")


def test_a_bar_is_drawn_on_a_terminal(tmp_path):
    text = io.StringIO()
    console = SafeConsole(file=text, width=100, force_terminal=True)
    StageFile(tmp_path).begin("annotate", total=2)
    write_results(tmp_path / "a", [done(TRACKS[0])])
    with Progress(console=console, live=True) as shown:
        BuildProgress(tmp_path, tmp_path / "a", tmp_path / "c", shown).tick(force=True)
    assert "Annotating" in text.getvalue() and "1/2 tracks" in text.getvalue()


def test_the_status_survives_and_is_forgotten(tmp_path):
    status = StageFile(tmp_path)
    assert status.read() is None and status.read_timings() == {}
    status.begin("write", 3, 1)
    status.add_timings({"key": StageTiming(1.0, 1, 1.0)})
    status.add_timings({"write": StageTiming(2.0, 1, 2.0)})
    stage = StageFile(tmp_path).read()
    assert stage is not None and (stage.stage, stage.total, stage.done) == ("write", 3, 1)
    assert status.read_timings() == {"key": StageTiming(1.0, 1, 1.0), "write": StageTiming(2.0, 1, 2.0)}
    status.status_file.write_text('{"stage": "wr')
    assert status.read() is None
    status.reset()
    assert list(tmp_path.iterdir()) == []
