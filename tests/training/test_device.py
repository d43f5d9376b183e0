"""A device by name is there, or the command ends with one line; nothing falls back."""

import pytest
import torch
from click.testing import CliRunner

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.training.cli import main
from fgmcaps.training.device import choose_device
from fgmcaps.training.settings import TrainSettings
from fgmcaps.training.trainer.trainer import train

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@pytest.mark.parametrize("name", [None, "auto", "cpu"])
def test_what_is_there_is_taken(name):
    assert choose_device(name) == ("cuda" if torch.cuda.is_available() and name != "cpu" else "cpu")


@pytest.mark.parametrize("name", ["nonsense", "meta", "", "cpu;", "privateuseone", "xla:0"])
def test_what_is_no_device_is_said(name):
    with pytest.raises(FgmcapsError, match="torch has no such device; take auto, cpu, cuda"):
        choose_device(name)


@no_gpu
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:99"])
def test_a_gpu_that_is_not_there_is_said(name):
    with pytest.raises(FgmcapsError, match=rf"--device {name}: not there \(torch sees 0 GPUs\)"):
        choose_device(name)


@no_gpu
def test_training_does_not_fall_back(tmp_path):
    with pytest.raises(FgmcapsError, match="--device cuda: not there"):
        train(TrainSettings(), None, tmp_path / "out", device="cuda")


@pytest.mark.parametrize(
    "words",
    [
        ["train", "data", "out"],
        ["eval", "model", "data"],
        ["search", "model", "data", "text"],
        ["encode", "model", "data", "index"],
        ["cache", "data", "folder"],
    ],
)
@no_gpu
def test_every_command_says_it_before_it_begins(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, [*words, "--device", "cuda"])
    assert done.exit_code == 2 and "--device cuda: not there" in done.output and "Traceback" not in done.output
    assert not list(tmp_path.iterdir())
