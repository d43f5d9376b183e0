"""`fgmcaps export` and `fgmcaps import` as they are typed: what they print, and one line for every refusal."""

import pytest
from click.testing import CliRunner

from fgmcaps.pipeline.cli import main
from tests.factories import build_dataset
from tests.pipeline.formats.layouts import musicbench


def fgmcaps(*args):
    return CliRunner().invoke(main, list(map(str, args)))


def test_there_and_back(tmp_path):
    build_dataset(tmp_path / "built", tracks=6, clips=1)
    result = fgmcaps("export", tmp_path / "built", tmp_path / "mb", "--format", "musicbench")
    assert result.exit_code == 0, result.output
    assert "6 rows as musicbench" in result.output
    result = fgmcaps("import", "musicbench", tmp_path / "mb", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'out'}: 6 rows, 0 duplicates\n")
    result = fgmcaps("validate", tmp_path / "out")
    assert result.exit_code == 0
    assert "6 of 6 captions are imported: not compared with the facts of their rows" in result.output


def test_what_was_left_out_is_said(tmp_path):
    result = fgmcaps("import", "musicbench", musicbench(tmp_path / "mb"), tmp_path / "out")
    assert "3 rows, 3 augmented_copy, 1 copy_of_test_clip" in result.output


def test_an_unfinished_dataset_has_the_exit_code_of_an_invalid_one(tmp_path):
    (tmp_path / "out").mkdir()
    result = fgmcaps("export", tmp_path / "out", tmp_path / "dest", "--format", "jams")
    assert (result.exit_code, len(result.stderr.splitlines())) == (5, 1)
    assert "no manifest" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", ".", "DEST", "--format", "jasm"), "did you mean 'jams'?"),
        (("import", "musikbench", "IN", "OUT"), "did you mean 'musicbench'?"),
        (("import", "musicbench", "NOWHERE", "OUT"), "no such file or folder"),
        (("import", "fma", ".", "m.csv", "--variant", "B"), "--variant means nothing to the format fma"),
        (("import", "fmacaps", ".", "OUT", "--keep-copies"), "--keep-copies means nothing"),
    ],
)
def test_a_wrong_command_ends_in_one_line(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    result = fgmcaps(*words)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr
