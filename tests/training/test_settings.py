import pytest
import yaml

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.training.settings import CONFIGS, TrainSettings, load_settings, shipped_configs


def test_defaults_and_paper_yaml_are_the_published_numbers():
    for s in (TrainSettings(), load_settings("paper"), load_settings("paper.yaml")):
        assert (s.audio_encoder, s.text_encoder, s.max_tokens) == ("muq", "e5", 128)
        assert (s.head_width, s.head_layers, s.head_heads, s.head_ffn, s.head_out) == (1024, 2, 8, 512, 512)
        assert (s.dropout, s.alpha, s.temperature) == (0.1, 0.6, 0.07)
        assert (s.epochs, s.batch, s.optimizer, s.learning_rate) == (15, 256, "adam", 1e-4)
        assert s.pool_batches * s.batch == 2048
    paper = load_settings("paper")
    assert paper.model_copy(update={"micro_batch": None}) == TrainSettings()


def test_every_shipped_configuration_loads():
    assert {"paper", "small"} <= set(shipped_configs())
    for name in shipped_configs():
        assert load_settings(name).fingerprint() != "" and yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())


def test_later_sources_win(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("alpha: 0.2\nepochs: 3\nbatch: 8\nlearning_rate: 1e-3\n")
    s = load_settings(path, {"epochs": 4, "seed": None}, ["batch=16", "captions=any", "clip_norm=null"])
    assert (s.alpha, s.epochs, s.batch, s.seed, s.captions, s.clip_norm) == (0.2, 4, 16, 0, "any", None)
    assert s.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["alhpa=1"], "unknown setting 'alhpa' .did you mean 'alpha'"),
        (["alpha=2"], "setting 'alpha' = 2: .*less than or equal to 1"),
        (["alpha"], "--set 'alpha': write KEY=VALUE"),
        (["alpha=["], "the value is not YAML"),
        (["negatives=pol"], "setting 'negatives' = 'pol': .*did you mean 'pool'"),
        (["head_heads=7"], "head_heads 7 does not divide head_width 1024"),
        (["monitor=fused/R@10"], "give view/direction/metric such as fused/t2a/R@10"),
        (["temperature=.nan"], "setting 'temperature' = nan"),
        (["batch=1"], "setting 'batch' = 1"),
    ],
)
def test_wrong_settings_are_named_with_what_is_near(given, message):
    with pytest.raises(FgmcapsError, match=message):
        load_settings(None, pairs=given)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", "a configuration is a list of 'key: value' lines, not a list"),
        ("a: [", "cannot read the configuration"),
        ("\xff", "cannot read the configuration|unknown setting|not a str"),
        ("epoch: 3\n", "mine.yaml: unknown setting 'epoch' .did you mean 'epochs'"),
    ],
)
def test_wrong_files_are_named(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(FgmcapsError, match=message):
        load_settings(path)


def test_an_unknown_configuration_names_the_nearest():
    with pytest.raises(FgmcapsError, match=r"no configuration smal \(did you mean 'small'"):
        load_settings("smal")


def test_the_fingerprint_follows_what_decides_the_result_only():
    base = TrainSettings()
    assert base.model_copy(update={"tensorboard": True, "checkpoint_steps": 5}).fingerprint() == base.fingerprint()
    assert base.model_copy(update={"seed": 1}).fingerprint() != base.fingerprint()
