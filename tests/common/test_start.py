"""Help answers at once: what the commands need only when they work is not imported before."""

import subprocess
import sys

import pytest

HEAVY = {
    *("torch", "transformers", "numpy", "scipy", "pyarrow", "datasets", "huggingface_hub", "apache_beam", "essentia"),
    *("librosa", "numba", "matplotlib", "soundfile", "av", "pydantic", "sklearn", "httpx2"),
}
CODE = """
import sys
from fgmcaps.common import entry
sys.argv = [{command!r}, "--help"]
try:
    getattr(entry, {command!r})()
except SystemExit:
    pass
print("imported:", *sorted({heavy!r} & set(sys.modules)))
"""


@pytest.mark.parametrize("command", ["fgmcaps", "figma"])
def test_help_imports_nothing_heavy(command):
    code = CODE.format(command=command, heavy=HEAVY)
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "imported:" and "Usage: " in out
