"""One process at a time loads what librosa compiles."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from fgmcaps.annotators.libraries.librosa import alone, load_librosa

HOLD = """
from fgmcaps.annotators.libraries.librosa import alone
with alone("librosa"):
    print("held", flush=True)
    input()
"""


@pytest.mark.slow
def test_a_second_process_waits_until_the_first_has_done() -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdin is not None and first.stdout is not None
    assert first.stdout.readline() == "held\n"
    second = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert second.stdin is not None and second.stdout is not None
    try:
        assert select.select([second.stdout], [], [], 2.0)[0] == []  # it waits
        first.stdin.write("\n")
        first.stdin.flush()
        assert second.stdout.readline() == "held\n"
    finally:
        second.communicate("\n", timeout=30)
        first.kill()


def test_the_lock_is_free_again_after_an_error() -> None:
    with pytest.raises(KeyError), alone("librosa"):
        raise KeyError
    with alone("librosa"):
        pass


def test_a_package_that_is_not_there_is_an_import_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"), alone("no_such_package"):
        pass


@pytest.mark.slow
def test_what_is_loaded_computes() -> None:
    librosa = load_librosa()
    assert librosa.core.pitch.pitch_tuning([440.0], resolution=0.01) == 0.0


@pytest.mark.slow
def test_two_processes_that_compile_at_once_leave_a_cache_that_a_third_can_load(tmp_path: Path) -> None:
    """Without the lock the third crashes: a stencil is cached under its address in one process or the other."""
    code = (
        "from fgmcaps.annotators.libraries.librosa import load_librosa; import numpy as np; "
        "load_librosa().estimate_tuning(y=np.random.default_rng(0).standard_normal(22050), sr=22050)"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    both = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert any(tmp_path.rglob("*.nbc"))
    assert subprocess.run([sys.executable, "-c", code], env=environment, timeout=300, check=False).returncode == 0
