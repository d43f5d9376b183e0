"""The figma command: help, nearest names, one line for every error, and `figma train` from shards to a model."""

import json

import pytest
from click.testing import CliRunner

from fgmcaps.training import cli
from fgmcaps.training.features import prepare
from tests.factories import build_dataset
from tests.training.planted import planted_cache

TRAIN = ["--config", "small", "--epochs", "1", "--set", "head_width=16", "--set", "head_ffn=16", "--set", "head_out=8"]


def figma(*args):
    """Exit code, standard output and standard error of a call."""
    result = CliRunner().invoke(cli.main, [str(a) for a in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_help_names_the_commands_in_the_order_of_use():
    code, out, _ = figma("--help")
    assert code == 0 and out.index("  cache ") < out.index("  train ") < out.index("  eval ")
    assert figma("train", "-h")[1].startswith("Usage: ")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["trian"], 2, "figma: no such command: trian (did you mean 'train'?)"),
        (["train", "data"], 2, "figma: Missing argument 'OUT'; see `figma train --help`"),
        (["train", "data", "out", "--epoch", "3"], 2, "figma: No such option '--epoch'"),
        (["train", "data", "out", "--set", "alhpa=1"], 2, "figma: unknown setting 'alhpa' (did you mean 'alpha'?)"),
        (["train", "data", "out", "--config", "smal"], 2, "figma: no configuration smal (did you mean 'small'?)"),
        (["train", "data", "out", "--alpha", "2"], 2, "figma: setting 'alpha' = 2.0"),
        (["train", "nowhere/at/all", "out", "--config", "small"], 2, "figma: nowhere/at/all"),
        (["train", ".", "out", "--config", "small", "--audio-encoder", "muk"], 2, "no such audio encoder: muk"),
    ],
)
def test_a_wrong_call_is_one_line_and_an_exit_code(args, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, _, err = figma(*args)
    assert found == code and message in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_finished_model_is_left_alone_and_another_configuration_refused(tmp_path, monkeypatch):
    """The command itself, on features that are there already."""
    cache = planted_cache(tmp_path / "features", 60)
    monkeypatch.setattr(prepare, "features_for", lambda *a, **k: (cache, {}))
    code, out, err = figma("train", "data", tmp_path / "out", *TRAIN)
    assert code == 0 and "1 epochs, best 1; text-to-audio R@10" in out and "epoch 1/1" in err
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()}
    code, out, _ = figma("train", "data", tmp_path / "out", *TRAIN)
    assert code == 0 and "is trained already: nothing to do" in out
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()} == before
    code, _, err = figma("train", "data", tmp_path / "out", *TRAIN, "--seed", "1")
    assert code == 2 and "another configuration: seed: 0 -> 1" in err


@pytest.mark.slow
def test_from_shards_to_a_model(tmp_path):
    """Real shards, the real spectral and MiniLM encoders, a real training."""
    build_dataset(tmp_path / "data", tracks=12)
    code, _, err = figma("train", tmp_path / "data", tmp_path / "out", *TRAIN)
    assert code == 0, err
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["audio_encoder"]["name"], config["text_encoder"]["name"]) == ("spectral", "minilm")
    assert (tmp_path / "out" / "encoder.safetensors").is_file() and (tmp_path / "out.features" / "cache.json").is_file()
    assert "license: cc-by-nc-sa-4.0" in (tmp_path / "out" / "README.md").read_text()
    assert figma("train", tmp_path / "data", tmp_path / "out", *TRAIN)[1].count("nothing to do") == 1
