"""Names of splits as datasets have them."""

import pytest

from fgmcaps.schemas.splits import SPLITS, canonical_split


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((s, s) for s in SPLITS),
        ("Training", "train"), ("TRAIN", "train"), ("train_clean_100", "train"), ("train-clean-360", "train"),
        ("valid", "validation"), ("val", "validation"), ("dev", "validation"), ("Dev-Clean", "validation"),
        ("development", "validation"), ("validation_set", "validation"), (" test ", "test"), ("test_clean", "test"),
        ("test.other", "test"), ("testing", "test"), ("test_A", "test"), ("holdout", "test"),
    ],
)  # fmt: skip
def test_usual_names_mean_one_of_three(name, split):
    assert canonical_split(name) == split


@pytest.mark.parametrize(
    "name",
    ["eval", "evaluation", "all", "full", "unsplit", "", " ", "trains", "test_drive", "validated", "other", "extra"],
)
def test_a_name_that_may_mean_anything_is_none(name):
    assert canonical_split(name) is None
