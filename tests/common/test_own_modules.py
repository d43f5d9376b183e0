"""A user's own modules are never imported: not from the working folder, not from where PYTHONPATH says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.builds import cut_corpus

NAMES = ("random", "soundfile", "numpy", "click", "pipeline", "training", "schemas", "common", "annotators")
COMMANDS = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path):
    """A folder with modules of a user's that leave a trace when they are imported."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in NAMES:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write({name!r})\n")
    return folder


def run(project, *command):
    environment = os.environ | {"PYTHONPATH": str(project)}
    return subprocess.run(
        [*map(str, command)], cwd=project, env=environment, capture_output=True, text=True, timeout=500, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", ["fgmcaps", "figma"])
@pytest.mark.parametrize("arguments", [["--help"], ["no-such-command"], ["push", "nowhere", "user/name"]])
def test_a_command_imports_none_of_them(project, command, arguments):
    result = run(project, COMMANDS / command, *arguments)
    assert result.returncode in (0, 2, 5), result.stderr
    assert not (project.parent / "imported").exists()


@pytest.mark.slow
def test_a_build_with_worker_processes_imports_none_of_them(project, tmp_path):
    cut_corpus(tmp_path / "music", 3)
    options = ["--profile", "permissive", "--workers", "2", "--quiet"]
    result = run(project, COMMANDS / "fgmcaps", "build", "../music", "../out", *options)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "manifest.json").is_file()
    assert not (tmp_path / "imported").exists()


def test_a_package_folder_that_the_user_names_in_pythonpath_stays(tmp_path, monkeypatch):
    from fgmcaps.common.own_modules import keep_other_modules_out

    ours, other = tmp_path / "ours", tmp_path / "other"
    (ours / "fgmcaps" / "common").mkdir(parents=True)
    other.mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(other), str(ours))))
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setattr(sys, "path", [str(other), str(ours), "", "/usr/lib/python"])
    keep_other_modules_out()
    assert sys.path == [str(ours), "/usr/lib/python"]
    assert os.environ["PYTHONPATH"] == str(ours) and os.environ["PYTHONSAFEPATH"] == "1"
