"""The output folder: ours or empty, bound to one input and configuration, used by one command at a time."""

import subprocess
import sys
from dataclasses import replace

import pytest

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.build.output_folder import BuildIdentity, OutputFolder

IDENTITY = BuildIdentity("/music", {"seed": 0, "splits": {"train": 1.0}})


@pytest.fixture
def folder(tmp_path):
    out = OutputFolder(tmp_path / "a" / "out")
    out.prepare()
    return out


def test_a_new_folder_is_made_with_its_parents_and_may_be_prepared_again(folder):
    folder.prepare()
    assert folder.work.is_dir() and list(folder.work.iterdir()) == []


def test_an_empty_folder_is_taken(tmp_path):
    OutputFolder(tmp_path).prepare()
    assert (tmp_path / ".fgmcaps").is_dir()


@pytest.mark.parametrize("name", ["notes.txt", ".hidden"])
def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(FgmcapsError, match="not empty"):
        OutputFolder(tmp_path).prepare()
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("below", ["", "/out", "/x/out"])
def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path, below):
    (tmp_path / "file").touch()
    with pytest.raises(FgmcapsError, match=r"is a file|cannot write to the output folder"):
        OutputFolder(tmp_path / f"file{below}").prepare()


def test_a_name_that_no_disk_takes_is_refused(tmp_path):
    with pytest.raises(FgmcapsError, match="cannot write to the output folder"):
        OutputFolder(tmp_path / ("x" * 300)).prepare()
    with pytest.raises(FgmcapsError, match="cannot write to the output folder"):
        OutputFolder(tmp_path / "nul\0").prepare()


def test_the_same_build_claims_again_and_another_is_refused_by_what_differs(folder):
    assert folder.read_identity() is None
    for _ in range(2):
        folder.claim(IDENTITY, replace=False)
    with pytest.raises(FgmcapsError, match=r'\(input: "/music" -> "/other"\).*--replace'):
        folder.claim(replace(IDENTITY, input="/other"), replace=False)
    with pytest.raises(FgmcapsError, match=r"\(seed: 0 -> 1\).*--replace"):
        folder.claim(replace(IDENTITY, config={**IDENTITY.config, "seed": 1}), replace=False)
    assert folder.read_identity() == IDENTITY


def test_replace_binds_the_folder_anew(folder):
    folder.claim(IDENTITY, replace=False)
    other = replace(IDENTITY, input="/other")
    folder.claim(other, replace=True)
    assert folder.read_identity() == other


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"3", b"\xff"])
def test_a_damaged_identity_asks_for_replace_which_then_works(folder, damage):
    folder.identity_file.write_bytes(damage)
    with pytest.raises(FgmcapsError, match="damaged; use --replace"):
        folder.claim(IDENTITY, replace=False)
    folder.claim(IDENTITY, replace=True)
    assert folder.read_identity() == IDENTITY


def test_one_command_at_a_time(folder):
    with (
        folder.locked(),
        pytest.raises(FgmcapsError, match="another fgmcaps command"),
        OutputFolder(folder.root).locked(),
    ):
        pass
    with folder.locked():
        pass


def test_the_lock_dies_with_its_process(folder):
    code = (
        "import os, pathlib, sys\nfrom fgmcaps.pipeline.build.output_folder import OutputFolder\n"
        f"with OutputFolder(pathlib.Path({str(folder.root)!r})).locked():\n    os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with folder.locked():
        pass


def test_what_is_outdated_stays_so_until_it_is_published(folder):
    assert not folder.is_outdated()
    folder.mark_outdated()
    folder.mark_outdated()
    assert OutputFolder(folder.root).is_outdated()
    folder.clear_outdated()
    folder.clear_outdated()
    assert not folder.is_outdated()


def test_journals_of_other_settings_lie_apart(folder):
    one, two = "a" * 64, "b" * 64
    assert len({folder.annotations(one), folder.annotations(two), folder.captions(one), folder.captions(two)}) == 4
