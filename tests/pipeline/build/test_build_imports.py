"""What a command imports to plan a build is light: Beam and the tools are for the job process and its workers."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["run_build", "build", "spec", "supervise", "journal_state"])
def test_planning_a_build_imports_neither_beam_nor_a_tool(module):
    code = (
        f"import sys, fgmcaps.pipeline.build.{module}\n"
        "heavy = ('apache_beam', 'torch', 'essentia', 'madmom', 'numba', 'datasets', 'pandas')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
