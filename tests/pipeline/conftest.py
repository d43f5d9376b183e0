"""A finished small dataset, built once a session; tests that break it work on a copy."""

import shutil

import pytest

from tests.factories import build_dataset


@pytest.fixture(scope="session")
def good_dataset(tmp_path_factory):
    """24 rows with embedded audio in two splits of two shards. Read only."""
    out_dir = tmp_path_factory.mktemp("good") / "out"
    build_dataset(out_dir)
    return out_dir


@pytest.fixture
def dataset(good_dataset, tmp_path):
    """A copy to break."""
    return shutil.copytree(good_dataset, tmp_path / "out")
