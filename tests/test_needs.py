"""Targets of the Makefile say what the machine lacks before they start, all of it, with the command that brings it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
NEEDS = REPOSITORY / "requirements" / "needs.sh"


def needs(*what, **env):
    done = subprocess.run(
        ["/bin/sh", NEEDS, "x", *what], capture_output=True, text=True, cwd=REPOSITORY, env=os.environ | env
    )
    return done.returncode, done.stderr


def test_what_is_there_is_not_spoken_of():
    assert needs("python", "free:0", "sh:dash", PYTHON=sys.executable) == (0, "")


@pytest.mark.parametrize(
    ("need", "env", "said"),
    [
        ("python", {"PYTHON": "/nonexistent/python"}, "apt install python3.11 python3.11-venv"),
        ("compiler", {"CXX": "/nonexistent/c++"}, "apt install g++"),
        ("free:1000000", {}, "it takes 1000000 GB"),
        ("env:/nonexistent/env:omnizart", {}, "the environment /nonexistent/env: make omnizart"),
        ("no-such-program:its-package", {}, "no-such-program: apt install its-package"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(need, env, said):
    code, told = needs(need, **env)
    assert code == 1 and told.startswith("make x needs\n") and said in told


def test_all_that_is_missing_is_named_at_once():
    _, told = needs("a:a", "b:b", "free:1000000")
    assert len(re.findall(r"^  - ", told, re.MULTILINE)) == 3


def test_every_target_that_needs_more_than_the_environment_asks_first():
    """The recipes that run what a stranger's machine may lack begin with the question."""
    makefile = (REPOSITORY / "Makefile").read_text()
    recipes = dict(re.findall(r"^([a-z-]+):[^\n]*##[^\n]*\n((?:\t[^\n]*\n)+)", makefile, re.MULTILINE))
    for target in ("omnizart", "chordino", "vllm", "truth", "lock", "test-omnizart", "test-chordino", "test-vllm"):
        assert f"requirements/needs.sh {target} " in recipes[target].splitlines()[0], target
