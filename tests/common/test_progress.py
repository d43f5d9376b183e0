"""Progress: bars on a terminal, few and telling lines in a pipe, nothing when quiet."""

import io

import pytest

from fgmcaps.common import progress as module
from fgmcaps.common.console import SafeConsole
from fgmcaps.common.progress import BYTES, Progress, counts, duration


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
        "Encoding: 10/30 clips, 1.0 clips/s",
        "Encoding: 20/30 clips, 1.0 clips/s",
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
    assert text.getvalue().splitlines() == ["Training: 11/12 steps, loss 11"]


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
