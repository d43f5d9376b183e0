"""Caches of libraries have a place for every user, and a foreign folder never becomes that place."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fgmcaps.common import caches
from fgmcaps.common.caches import HF_HOME, NUMBA, XDG, cache_folder, may_write, place_caches, private_folder

VARIABLES = (XDG, HF_HOME, NUMBA)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home, a folder for temporary files, and none of the variables."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def closed(monkeypatch, *folders):
    """Nothing at or below ``folders`` can be written, not even by root."""
    real = os.access

    def access(path, mode):
        return real(path, mode) and not (mode & os.W_OK and any(Path(path).is_relative_to(f) for f in folders))

    monkeypatch.setattr(os, "access", access)


def placed():
    place_caches()
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


def test_a_home_that_can_be_written_is_left_alone(home):
    assert placed() == {} and cache_folder() == home / ".cache"
    assert not (home / ".cache").exists()  # asking makes nothing


def test_a_home_that_cannot_be_written_gives_way_to_a_private_folder(home, tmp_path, monkeypatch):
    closed(monkeypatch, home)
    private = tmp_path / "tmp" / f"fgmcaps-{os.geteuid()}"
    assert placed() == {XDG: str(private)} and cache_folder() == private
    assert private.stat().st_mode & 0o777 == 0o700
    assert placed() == {XDG: str(private)}  # the same one each time


@pytest.mark.parametrize("value", ["/nonexistent/x", "relative", ""])
def test_a_home_that_is_not_there_does_the_same(home, tmp_path, monkeypatch, value):
    closed(monkeypatch, Path("/nonexistent"), Path("/dev/null"), Path("/bin"))
    monkeypatch.setenv("HOME", value)
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, m: str(p) != "/" and real(p, m))
    assert placed() == {XDG: str(tmp_path / "tmp" / f"fgmcaps-{os.geteuid()}")}


def test_a_hub_cache_that_can_be_read_is_still_read(home, monkeypatch):
    (home / ".cache" / "huggingface").mkdir(parents=True)
    closed(monkeypatch, home)
    assert placed()[HF_HOME] == str(home / ".cache" / "huggingface")


def test_what_the_user_has_set_stays(home, tmp_path, monkeypatch):
    monkeypatch.setenv(XDG, str(tmp_path / "mine"))
    monkeypatch.setenv(NUMBA, str(tmp_path / "numba"))
    closed(monkeypatch, home)
    assert placed() == {XDG: str(tmp_path / "mine"), NUMBA: str(tmp_path / "numba")}


def test_a_cache_of_numba_that_is_roots_is_passed_by(home, tmp_path, monkeypatch):
    (home / ".cache" / "numba").mkdir(parents=True)
    closed(monkeypatch, home / ".cache" / "numba")
    assert placed() == {NUMBA: str(tmp_path / "tmp" / f"fgmcaps-{os.geteuid()}" / "numba")}


@pytest.mark.parametrize("trap", ["link", "open to all", "a file"])
def test_a_folder_that_somebody_else_could_fill_is_not_taken(home, tmp_path, trap):
    """numba loads what lies there as code."""
    path = tmp_path / "tmp" / f"fgmcaps-{os.geteuid()}"
    if trap == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        path.symlink_to(tmp_path / "elsewhere")
    elif trap == "a file":
        path.write_text("")
    else:
        path.mkdir()
        path.chmod(0o777)
    found = private_folder()
    assert found is not None and found != path and not found.is_symlink()
    assert found.stat().st_mode & 0o777 == 0o700


def test_where_nothing_can_be_written_nothing_is_named(home, monkeypatch):
    closed(monkeypatch, home)
    monkeypatch.setattr(caches, "private_folder", lambda: None)
    assert placed() == {} and cache_folder() is None


def test_a_folder_is_asked_about_without_being_made(tmp_path):
    assert may_write(tmp_path / "a" / "b") and not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    assert not may_write(tmp_path / "file") and not may_write(tmp_path / "file" / "below")


CODE = """
from fgmcaps.common import caches
caches.private_folder = lambda: None
import numba.core.caching as caching
caching.CacheImpl._locator_classes = []  # no place for any function
from fgmcaps.common.numba_cache import prepare_numba
prepare_numba(); prepare_numba()
import numba
@numba.njit(cache=True)
def twice(x): return 2 * x
@numba.vectorize(["float64(float64)"], cache=True)
def thrice(x): return 3 * x
print(twice(4), thrice(5.0))
"""


@pytest.mark.slow
def test_without_any_place_numba_compiles_in_memory():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.stdout == "8 15.0\n", done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="drops to a user without any rights: needs root, setpriv"
)
def test_a_user_who_owns_nothing_can_annotate(tmp_path):
    """As `docker run -u 4242`: no entry in the list of users, no home, no right to write where we are installed."""
    import numpy as np
    import soundfile

    tmp_path.chmod(0o777)
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.wav", rng.uniform(-0.3, 0.3, 80_000) * (np.arange(80_000) % 8000 < 4000), 16_000)
    code = (
        "import sys; sys.argv = ['fgmcaps', 'annotate-file', 'a.wav', '--profile', 'permissive'];"
        "from fgmcaps.common.entry import fgmcaps; fgmcaps()"
    )
    drop = ["--reuid=4242", "--regid=4242", "--clear-groups", "--inh-caps", "+dac_read_search"]
    done = subprocess.run(
        ["setpriv", *drop, "--ambient-caps", "+dac_read_search", sys.executable, "-c", code],
        cwd=tmp_path, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0 and "tempo" in done.stdout, done.stderr
