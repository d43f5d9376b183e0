"""One process at a time loads what librosa compiles."""

import subprocess
import sys
import time

import pytest

from annotators.librosa_lib import alone, load_librosa

HOLD = """
from annotators.librosa_lib import alone
with alone("librosa"):
    print("held", flush=True)
    input()
"""


def test_a_second_process_waits_until_the_first_has_done() -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdin is not None and first.stdout is not None
    assert first.stdout.readline() == "held\n"
    second = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert second.stdin is not None and second.stdout is not None
    try:
        time.sleep(1.0)
        first.stdin.write("\n")
        first.stdin.flush()
        released = time.monotonic()
        assert second.stdout.readline() == "held\n"
        assert first.wait(timeout=30) == 0
        assert time.monotonic() - released < 30
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


def test_what_is_loaded_computes() -> None:
    librosa = load_librosa()
    assert librosa.core.pitch.pitch_tuning([440.0], resolution=0.01) == 0.0
