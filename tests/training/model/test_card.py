"""The licence of a model is the strictest of what it was trained on and with."""

import pytest

from fgmcaps.training.data.dataset import load_rows
from fgmcaps.training.model.card import licence_of
from fgmcaps.training.model.config import EncoderRecord, ModelConfig
from fgmcaps.training.settings import TrainSettings
from tests.factories import build_dataset


def config(audio="Apache-2.0", text="MIT", **tools):
    records = (EncoderRecord(name="a", licence=audio, dim=8), EncoderRecord(name="t", licence=text, dim=8))
    return ModelConfig.of(TrainSettings(), *records, tools)


@pytest.mark.parametrize(
    ("made", "licence"),
    [
        (config(), "apache-2.0"),
        (config(audio="CC-BY-NC-4.0"), "cc-by-nc-4.0"),
        (config(beatnet="CC BY 4.0", chordia="MIT", essentia="AGPL-3.0-or-later"), "apache-2.0"),
        (config(madmom="CC BY-NC-SA 4.0"), "cc-by-nc-sa-4.0"),
        (config(audio="CC-BY-NC-4.0", madmom="CC BY-NC-SA 4.0"), "cc-by-nc-sa-4.0"),
        (config(text="CC-BY-SA-4.0"), "apache-2.0"),
        (config(tool=""), "apache-2.0"),
    ],
)
def test_the_strictest_licence_wins(made, licence):
    assert licence_of(made) == licence


def test_the_tools_are_read_from_the_shards(tmp_path):
    build_dataset(tmp_path, tracks=4)
    found = load_rows(tmp_path).label_licences()
    assert list(found) == sorted(found) and found["essentia-key"].startswith("AGPL")
