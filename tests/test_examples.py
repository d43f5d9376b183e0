"""The examples run, as they stand, on real files."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.builds import cut_corpus

EXAMPLES = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    cut_corpus(folder / "music", 6)
    return folder


def run(place, name, *args):
    command = [sys.executable, EXAMPLES / name, *args]
    result = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=500, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_annotate_clips(place):
    out = run(place, "annotate_clips.py", "music/album 0/track 0.flac", "music/album 1/track 1.wav")
    assert "track 0.flac at" in out and "tempo" in out and "track 1.wav at" in out


def test_own_annotator(place):
    assert "Key(name=" in run(place, "own_annotator.py", "music/album 1/track 1.wav")


def test_build_a_dataset_then_train_on_it_and_search(place):
    assert "track 1.wav" in run(place, "build_dataset.py", "music", "out")
    out = run(place, "train_and_search.py", "out", "model", "slow music in A minor")
    assert out.splitlines()[0] == "slow music in A minor" and len(out.splitlines()) > 1


def test_every_example_is_tested():
    text = Path(__file__).read_text("utf-8")
    assert all(f'"{path.name}"' in text for path in EXAMPLES.glob("*.py"))
