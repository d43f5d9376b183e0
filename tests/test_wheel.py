"""The wheel is whole: in an environment of its own, away from the checkout, it gives the commands and does the work."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

REPOSITORY = Path(__file__).parents[1]
SOURCES = ("common", "schemas", "annotators", "captioning", "pipeline", "training", "fgmcaps")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, since a build leaves its own folders beside the sources."""
    copy, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        shutil.copytree(REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(REPOSITORY / name, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, copy]
    subprocess.run(command, check=True)
    (made,) = out.glob("fgmcaps-*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The commands of an environment with the wheel in it; its dependencies are read from the tests' environment.

    Modules that a ``.pth`` file of that environment brings, such as the editable installation of the checkout, do not
    come along.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    site = folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    (site / "dependencies.pth").write_text(f"{Path(np.__file__).parents[1]}\n")
    target = ["--prefix", folder, "--no-deps", "--no-index", "--force-reinstall", "--no-warn-script-location"]
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *target, wheel], check=True)
    return folder / "bin"


def test_it_holds_every_module_and_data_file_and_nothing_by_a_generic_name(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in names} == {"fgmcaps"}
    ours = {
        path.relative_to(REPOSITORY).as_posix()
        for room in SOURCES
        for path in (REPOSITORY / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == {name if name.startswith("fgmcaps/") else f"fgmcaps/{name}" for name in ours}


def test_it_builds_the_first_row_of_the_demo(installed, tmp_path):
    def run(*command):
        result = subprocess.run(
            [str(part) for part in command], cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    where = run(installed / "python", "-c", "import fgmcaps.pipeline as p; print(p.__file__)")
    assert str(installed.parent) in where
    music = run(installed / "python", "-m", "fgmcaps.pipeline.demo").strip()
    run(installed / "fgmcaps", "build", music, "out", "--limit", "1", "--workers", "1", "--quiet")
    run(installed / "fgmcaps", "validate", "out")
    (row,) = [
        row for shard in (tmp_path / "out" / "data").glob("*.parquet") for row in pq.read_table(shard).to_pylist()
    ]
    assert row["duration_s"] == 10.0 and row["caption"] and row["audio"]["bytes"][:4] == b"fLaC"
    assert "figma" in run(installed / "figma", "--version")
