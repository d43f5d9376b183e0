"""Where the features of a model's user go: beside the model, or where that is somebody else's, among the user's own."""

import os
from pathlib import Path

import pytest

from fgmcaps.common.errors import InvalidDataError, MachineError
from fgmcaps.training.features import for_model
from fgmcaps.training.features.for_model import _first_that_fits, own_folders


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a model that nobody may write to, and a cache folder of the user's."""
    (tmp_path / "lab" / "model").mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    real = os.access
    lab = tmp_path / "lab"
    monkeypatch.setattr(
        os, "access", lambda p, m: real(p, m) and not (m & os.W_OK and Path(p).is_relative_to(lab)), raising=True
    )
    return tmp_path


def test_beside_a_model_of_ones_own(tmp_path):
    (tmp_path / "model").mkdir()
    (found,) = own_folders(str(tmp_path / "model"), "user/data", "all")
    assert found.parent == tmp_path and found.name.startswith("model.features-")


def test_in_the_users_cache_for_a_model_of_another_owner(place):
    model = str(place / "lab" / "model")
    (found,) = own_folders(model, "user/data", "all")
    assert found.is_relative_to(place / "mine" / "figma")
    assert own_folders(model, "user/data", "test") != [found]


def test_finished_features_beside_a_model_of_another_owner_are_looked_at_first(place):
    model = place / "lab" / "model"
    key = own_folders(str(model), "user/data", "all")[0].name.rpartition("-")[2]
    beside = model.with_name(f"model.features-{key}")
    beside.mkdir()
    (beside / "cache.json").write_text("{}")
    asked = []

    def build(folder, only):
        asked.append(folder)
        if folder == beside:
            raise InvalidDataError("of other data")
        return "features"

    assert _first_that_fits(str(model), "user/data", "all", None, build) == "features"
    assert asked[0] == beside and asked[1].is_relative_to(place / "mine")


def test_without_any_place_it_is_said(place, monkeypatch):
    monkeypatch.setattr(for_model, "cache_folder", lambda: None)
    with pytest.raises(MachineError, match="give one by --cache"):
        own_folders(str(place / "lab" / "model"), "user/data", "all")
