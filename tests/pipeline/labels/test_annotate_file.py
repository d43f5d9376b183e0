"""``fgmcaps annotate-file`` where there is nothing to annotate: one line that says why, in every form."""

import io
import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from fgmcaps.common.console import SafeConsole
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.cli import main
from fgmcaps.pipeline.labels.annotate_file import annotate_path
from fgmcaps.pipeline.labels.show_song import show
from fgmcaps.schemas import DeadLetter


def printed(clips, form):
    console = SafeConsole(file=io.StringIO(), width=200)
    show(clips, form, console)
    return console.file.getvalue()


@pytest.fixture
def silence(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(25 * 8000), 8000)
    return tmp_path / "silence.wav"


@pytest.mark.slow
def test_clips_that_the_gate_turns_away_are_letters(silence):
    letters = list(annotate_path(silence, "permissive", "all"))
    assert [type(letter) for letter in letters] == [DeadLetter, DeadLetter]
    assert {(letter.kind, letter.reason) for letter in letters} == {("filtered", "silence")}
    first, second = printed(iter(letters), "table").splitlines()
    assert first.startswith("not annotated: silence.wav at 0 s: level ")
    assert second.startswith("not annotated: silence.wav at 10 s: level ")
    for form in ("json", "jams"):
        line = json.loads(printed(iter(letters), form).splitlines()[0])
        assert line["clip_id"] == letters[0].clip_id and line["refused"].startswith("silence: silence.wav at 0 s: ")


@pytest.mark.slow
def test_a_file_of_which_no_clip_has_labels_ends_with_3_after_saying_why(silence):
    done = CliRunner().invoke(main, ["annotate-file", str(silence), "--profile", "permissive", "--json", "-q"])
    assert done.exit_code == 3 and "no clip of it could be annotated" in done.output
    assert json.loads(done.output.splitlines()[0])["refused"].startswith("silence: ")


@pytest.mark.slow
def test_an_annotator_that_cannot_start_is_one_line(silence, monkeypatch):
    def broken(self):
        raise OSError("the weights are gone")

    monkeypatch.setattr("fgmcaps.annotators.tools.chroma_key.ChromaKey.setup", broken)
    done = CliRunner().invoke(main, ["annotate-file", str(silence), "--profile", "permissive", "-q"])
    assert done.exit_code == 4 and "the annotator chroma_key cannot start: the weights are gone" in done.output


@pytest.mark.slow
def test_loading_is_shown_tool_by_tool(silence):
    told = []
    list(annotate_path(silence, "permissive", 1, lambda done, total: told.append((done, total))))
    assert told == [(n, told[-1][1]) for n in range(len(told))] and len(told) > 2


@pytest.mark.slow
def test_a_file_that_is_not_audio_ends_the_command(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no audio at all")
    with pytest.raises(FgmcapsError, match=r"a\.wav"):
        list(annotate_path(tmp_path / "a.wav", "permissive"))


@pytest.mark.parametrize(
    ("name", "profile", "words"), [("b.wav", "best", "no such file"), ("silence.wav", "bets", "'best'")]
)
def test_a_missing_file_and_an_unknown_profile(silence, name, profile, words):
    with pytest.raises(FgmcapsError, match=words):
        list(annotate_path(silence.with_name(name), profile))
