"""A finished dataset with rows in all three splits; read only."""

import pytest

from tests.factories import build_dataset


@pytest.fixture(scope="session")
def three_splits(tmp_path_factory):
    """30 clips: 18 train, 8 validation, 4 test, with embedded audio."""
    out_dir = tmp_path_factory.mktemp("export") / "out"
    build_dataset(out_dir, tracks=30, clips=1)
    return out_dir


@pytest.fixture(scope="session")
def silent_dataset(tmp_path_factory):
    """The same without audio."""
    out_dir = tmp_path_factory.mktemp("export-none") / "out"
    build_dataset(out_dir, tracks=30, clips=1, audio="none")
    return out_dir


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    """``datasets`` keeps its copies in a folder of the test's."""
    import datasets

    before = datasets.config.HF_DATASETS_CACHE
    datasets.config.HF_DATASETS_CACHE = tmp_path_factory.mktemp("hf")
    yield
    datasets.config.HF_DATASETS_CACHE = before
