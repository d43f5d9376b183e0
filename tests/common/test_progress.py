"""Progress: bars on a terminal, few and telling lines in a pipe, nothing when quiet."""

import io
import random

import pytest

from fgmcaps.common import progress as module
from fgmcaps.common.console import SafeConsole
from fgmcaps.common.pace import Pace, about, duration
from fgmcaps.common.progress import BYTES, Progress, counts, rate


class Clock:
    """A clock that the test moves."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def piped():
    text = io.StringIO()
    return Progress(console=SafeConsole(file=text, width=200), live=False), text


def test_a_pipe_gets_the_start_the_end_and_a_line_in_ten_seconds_with_the_speed(clock):
    progress, text = piped()
    for done in range(31):
        progress.show("Encoding", done, 30, "clips")
        clock.now += 1
    assert text.getvalue().splitlines() == [
        "Encoding: 0/30 clips",
        "Encoding: 10/30 clips, 1.0 clips/s, about 20 s left",
        "Encoding: 20/30 clips, 1.0 clips/s, about 10 s left",
        "Encoding: 30/30 clips, 1.0 clips/s",
    ]


def test_a_finished_stage_is_told_once(clock):
    progress, text = piped()
    for _ in range(3):
        progress.show("Writing", 2, 2, "shards")
    assert text.getvalue().splitlines() == ["Writing: 2/2 shards"]


def test_a_stage_that_begins_again_has_a_speed_of_its_own(clock):
    progress, text = piped()
    for _ in range(2):
        progress.show("Training", 0, 40, "steps")
        clock.now += 20
        progress.show("Training", 40, 40, "steps")
        clock.now += 1000
    assert text.getvalue().splitlines()[1::2] == ["Training: 40/40 steps, 2.0 steps/s"] * 2


def test_a_stage_that_does_not_end_is_told_by_the_clock_alone(clock):
    progress, text = piped()
    for step in range(1, 13):
        progress.show("Training", step, 12, "steps", f", loss {step}", ends=False)
        clock.now += 1
    assert text.getvalue().splitlines() == ["Training: 11/12 steps, loss 11, 1.0 steps/s, about 5 s left"]


def test_a_counter_counts_bytes_as_mebibytes_and_may_not_know_its_end(clock):
    progress, text = piped()
    counter = progress.counter("Sending", BYTES)
    counter.start(3 * 2**20)
    counter.advance(2**20)
    counter.advance(2**21)
    rows = progress.counter("Importing", "rows")
    rows.start(None)
    rows.advance()
    assert text.getvalue().splitlines() == [
        "Sending: 0.0 of 3.0 MiB",
        "Sending: 3.0 of 3.0 MiB",
        "Importing: 0 rows",
    ]
    assert rows.done == 1


def test_a_terminal_gets_a_bar_with_the_note():
    text = io.StringIO()
    console = SafeConsole(file=text, width=120, force_terminal=True)
    with Progress(console=console) as progress:
        progress.show("Annotating", 1, 2, "tracks", ", 3 clips")
    assert "Annotating" in text.getvalue() and "1/2 tracks" in text.getvalue() and ", 3 clips" in text.getvalue()


def test_a_bar_says_when_it_ends(clock):
    text = io.StringIO()
    with Progress(console=SafeConsole(file=text, width=120, force_terminal=True)) as progress:
        for done in (0, 1, 2, 3):
            progress.show("Annotating", done, 33, "tracks")
            clock.now += 10
    assert "about 5 min 0 s left" in text.getvalue()


def test_loading_is_not_taken_for_work(clock):
    pace = Pace(clock.now, 0)
    for now, done in ((1060.0, 1), (1062.0, 2), (1064.0, 3)):
        pace.add(now, done)
    assert pace.speed(1064.0) == 0.5 and pace.left(1064.0, 13) == 20.0
    assert pace.speed(1084.0) == pytest.approx(2 / 24)  # it does not go on


def test_what_was_done_before_promises_no_early_end():
    pace = Pace(0.0, 0)
    for second in range(1, 1201):  # 1,000 clips of an earlier run in ten seconds, then one in ten seconds
        pace.add(second, min(second * 100, 1000) + max(0, second - 10) // 10)
    assert pace.speed(1200.0) == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("seed", range(20))
def test_the_end_does_not_wander(seed):
    """Works of many lengths: from the fortieth of 400 on, the end told is right within half of the time left."""
    rng = random.Random(seed)
    now, times = 0.0, []
    for _ in range(400):
        now += rng.gammavariate(3, 1)
        times.append(now)
    pace = Pace(0.0, 0)
    for done, at in enumerate(times, start=1):
        pace.add(at, done)
        if 40 <= done < 380:
            assert pace.left(at, 400) == pytest.approx(times[-1] - at, rel=0.5, abs=60)


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "5 s"), (43, "45 s"), (64, "1 min 0 s"), (699, "12 min"), (7260, "2 h 0 min")]
)
def test_nobody_knows_it_to_the_second(seconds, text):
    assert about(seconds) == f"about {text} left"


def test_a_slow_work_has_a_speed_too():
    assert rate(0.05, "tracks") == "0.05 tracks/s" and rate(3 * 2**20, BYTES) == "3.0 MiB/s"


def test_names_in_brackets_are_text(clock):
    progress, text = piped()
    progress.say("[red]a[/red]")
    assert text.getvalue() == "[red]a[/red]\n"


def test_quiet_is_silent(capsys):
    with Progress(quiet=True) as progress:
        progress.show("Annotating", 1, 2)
        progress.say("a line")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7260, "2 h 1 min")]
)
def test_durations_are_told_in_two_units(seconds, text):
    assert duration(seconds) == text


def test_counts():
    assert counts(3, None, "rows") == "3 rows" and counts(3, 4, "") == "3/4"
