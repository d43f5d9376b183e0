"""Progress is read from journals alone: counts, plain lines for pipes, a bar for people."""

import io

import pytest
from rich.console import Console

from fgmcaps.common.progress import Progress
from fgmcaps.pipeline.build.progress import BuildProgress, JournalCounter
from fgmcaps.pipeline.build.status import Status
from fgmcaps.pipeline.stages.journal import Record, write_segment

TRACKS = [f"{i:016x}" for i in range(4)]


def annotation(track):
    return Record("annotation", f"{track}-00000000", {})


def letter(key, kind="failed"):
    return Record("dead", key, {}, [kind, key[:16]])


def done(track):
    return Record("track", track, {}, 1)


def test_records_are_counted_once_however_often_they_are_written(tmp_path):
    counter = JournalCounter(tmp_path)
    write_segment(tmp_path, [annotation(TRACKS[0]), done(TRACKS[0])])
    counter.look()
    counter.look()
    write_segment(tmp_path, [annotation(TRACKS[0]), done(TRACKS[0]), letter(TRACKS[1]), letter(TRACKS[2], "filtered")])
    counter.look()
    assert (len(counter.annotations), len(counter.tracks), counter.failed) == (1, 1, {TRACKS[1]})


def test_a_retry_takes_back_what_failed(tmp_path):
    clip = f"{TRACKS[0]}-00000000"
    write_segment(tmp_path, [letter(clip), done(TRACKS[0]), letter(TRACKS[1]), done(TRACKS[1])])
    write_segment(tmp_path, [Record("retry", TRACKS[0], {})])
    counter = JournalCounter(tmp_path)
    counter.look()
    assert counter.failed == {TRACKS[1]} and counter.tracks == {TRACKS[1]}
    write_segment(tmp_path, [annotation(TRACKS[0]), done(TRACKS[0])])
    counter.look()
    assert counter.failed == {TRACKS[1]} and counter.tracks == set(TRACKS[:2])


@pytest.fixture
def shown(tmp_path):
    text = io.StringIO()
    shown = Progress(console=Console(file=text, width=200), live=False)
    progress = BuildProgress(tmp_path, tmp_path / "a", tmp_path / "c", shown)
    return progress, text, Status(tmp_path)


def test_plain_lines_count_tracks_clips_and_failures(tmp_path, shown):
    progress, text, status = shown
    progress.tick(force=True)
    assert text.getvalue() == ""  # no stage has begun
    status.stage("annotate", total=4)
    write_segment(tmp_path / "a", [annotation(TRACKS[0]), done(TRACKS[0]), letter(TRACKS[1]), done(TRACKS[1])])
    progress.tick(force=True)
    write_segment(tmp_path / "a", [annotation(TRACKS[2]), annotation(TRACKS[3]), done(TRACKS[2]), done(TRACKS[3])])
    progress.tick(force=True)
    first, last = text.getvalue().splitlines()
    assert first == "Annotating: 2/4 tracks, 1 clips, 1 failed"
    assert last.startswith("Annotating: 4/4 tracks, 3 clips, ") and last.endswith("1 failed")


def test_tracks_that_the_input_has_no_more_never_make_more_than_all(tmp_path, shown):
    progress, text, status = shown
    write_segment(tmp_path / "a", [done(t) for t in TRACKS])
    status.stage("annotate", total=2)
    progress.tick(force=True)
    assert text.getvalue().startswith("Annotating: 2/2 tracks")


def test_plain_lines_are_rare(tmp_path, shown):
    progress, text, status = shown
    status.stage("caption", total=9)
    for _ in range(20):
        progress.last_look = 0.0
        progress.tick()
    assert text.getvalue().splitlines() == ["Captioning: 0/9 captions"]


def test_shards_are_counted_in_the_staging_folder(tmp_path, shown):
    progress, text, status = shown
    data = tmp_path / "staging" / "data"
    data.mkdir(parents=True)
    for name in ("train-0.parquet", "test-0.parquet", ".train-1.parquet.x.tmp", "train-0.json"):
        (data / name).touch()
    status.stage("write", total=3)
    progress.tick(force=True)
    assert text.getvalue() == "Writing shards: 2/3 shards\n"


def test_a_damaged_journal_does_not_stop_the_display(tmp_path, shown):
    progress, text, status = shown
    write_segment(tmp_path / "a", [done(TRACKS[0])]).write_bytes(b"damage")
    status.stage("annotate", total=2)
    progress.tick(force=True)
    assert text.getvalue().startswith("Annotating: 0/2 tracks")


def test_a_bar_is_drawn_on_a_terminal(tmp_path):
    text = io.StringIO()
    console = Console(file=text, width=100, force_terminal=True, markup=False)
    Status(tmp_path).stage("annotate", total=2)
    write_segment(tmp_path / "a", [done(TRACKS[0])])
    with Progress(console=console, live=True) as shown:
        BuildProgress(tmp_path, tmp_path / "a", tmp_path / "c", shown).tick(force=True)
    assert "Annotating" in text.getvalue() and "1/2 tracks" in text.getvalue()


def test_the_status_survives_and_is_forgotten(tmp_path):
    status = Status(tmp_path)
    assert status.read() is None and status.read_timings() == {}
    status.stage("write", 3, 1)
    status.timings({"key": {"seconds": 1.0, "count": 1, "max": 1.0}})
    status.timings({"write": {"seconds": 2.0, "count": 1, "max": 2.0}})
    stage = Status(tmp_path).read()
    assert stage is not None and (stage.stage, stage.total, stage.done) == ("write", 3, 1)
    assert sorted(status.read_timings()) == ["key", "write"]
    status.status_file.write_text('{"stage": "wr')
    assert status.read() is None
    status.reset()
    assert list(tmp_path.iterdir()) == []
