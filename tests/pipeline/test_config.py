"""One typed configuration: defaults, YAML, options; errors that name file, key and the nearest known word."""

import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.config import BuildConfig, load_config


def config_file(tmp_path, text):
    path = tmp_path / "build.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(tmp_path, text):
    with pytest.raises(FgmcapsError) as caught:
        load_config(config_file(tmp_path, text), {})
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_options_win_over_the_file_and_the_file_over_defaults(tmp_path):
    path = config_file(tmp_path, "profile: paper\nseed: 3\nclips_per_track: all\n")
    config = load_config(path, {"seed": 9})
    assert (config.profile, config.seed, config.clips_per_track, config.audio) == ("paper", 9, "all", "embed")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_an_empty_file_changes_nothing(tmp_path, text):
    assert load_config(config_file(tmp_path, text), {}) == BuildConfig()


def test_a_misspelt_key_names_the_file_and_the_nearest_known_one(tmp_path):
    message = refusal(tmp_path, "profil: best\n")
    assert "build.yaml" in message and "'profil'" in message and "did you mean 'profile'?" in message


def test_a_misspelt_value_names_the_nearest_known_one(tmp_path):
    message = refusal(tmp_path, "profile: bset\n")
    assert "build.yaml" in message and "did you mean 'best'?" in message


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("rows_per_shard: many", "rows_per_shard"),
        ("rows_per_shard: 0", "rows_per_shard"),
        ("rows_per_shard: 1.5", "rows_per_shard"),
        ("seed: yes", "seed"),
        ("seed: [1]", "seed"),
        ("extra_styles: short", "extra_styles"),
        ("extra_styles: [loud]", "extra_styles"),
        ("clips_per_track: 0", "clips_per_track"),
        ("clips_per_track: -1", "clips_per_track"),
        ("clips_per_track: some", "clips_per_track"),
        ("clips_per_track: true", "clips_per_track"),
        ("clips_per_track: 1.0", "clips_per_track"),
        ("clips_per_track: '\u00b2'", "clips_per_track"),
        ("decode_timeout_s: .inf", "decode_timeout_s"),
        ("max_track_hours: 28", "max_track_hours"),
        ("splits: {train: 0.5}", "splits"),
        ("splits: {train: 1.5, test: -0.5}", "splits"),
        ("splits: {train: .nan, test: .nan}", "splits"),
        ("splits: {}", "splits"),
        ("splits: {'a-b': 1}", "splits"),
        ("splits: 3", "splits"),
        ("profile_overrides: 3", "profile_overrides"),
    ],
)
def test_a_wrong_value_names_its_file_and_key(tmp_path, text, key):
    message = refusal(tmp_path, text)
    assert "build.yaml" in message and repr(key) in message and "\n" not in message


def test_an_option_that_is_wrong_is_named_as_an_option(tmp_path):
    with pytest.raises(FgmcapsError, match=r"^--rows-per-shard 0: "):
        load_config(config_file(tmp_path, "seed: 1"), {"rows_per_shard": 0})


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "3"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    assert "key: value" in refusal(tmp_path, text)


BOMB = "a0: &a0 [lol]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(9))


@pytest.mark.parametrize(
    "text", ["a: [", "a: !!python/object/apply:os.getcwd []", "a: 2020-13-45", "[" * 5000, BOMB, "seed: 1\nseed: 2"]
)
def test_a_file_that_is_no_safe_yaml_is_refused_in_one_line(tmp_path, text):
    message = refusal(tmp_path, text)
    assert "cannot read the configuration" in message and "build.yaml" in message and "\n" not in message


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(FgmcapsError, match=r"none\.yaml"):
        load_config(tmp_path / "none.yaml", {})
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00seed")
    with pytest.raises(FgmcapsError, match=r"binary\.yaml"):
        load_config(path, {})


@pytest.mark.parametrize(("given_", "expected"), [("all", "all"), ("3", 3), (3, 3), ("007", 7)])
def test_clips_per_track_takes_numbers_as_text_as_options_give_them(given_, expected):
    assert load_config(None, {"clips_per_track": given_}).clips_per_track == expected


def test_the_order_in_which_splits_are_written_changes_nothing():
    shares = {"train": 0.8, "validation": 0.1, "test": 0.05, "extra": 0.05}
    seen = {tuple(BuildConfig(splits=dict(p)).splits) for p in itertools.permutations(shares.items())}
    assert seen == {("train", "validation", "test", "extra")}


CHANGES = {
    "annotate": {"clips_per_track": 2, "decode_timeout_s": 1.0, "max_track_hours": 1.0},
    "caption": {"captioner": "openai", "caption_style": "short", "extra_styles": (), "seed": 1},
    "neither": {"audio": "none", "rows_per_shard": 2, "source": "x", "licence": "y", "splits": {"train": 1.0}},
}


@pytest.mark.parametrize(("stage", "name"), [(stage, name) for stage, names in CHANGES.items() for name in names])
def test_a_setting_changes_the_fingerprints_of_the_stages_that_it_affects_and_no_other(stage, name):
    server = {"llm": {"model": "m", "base_urls": ["http://127.0.0.1:1/v1"]}}
    config, changed = BuildConfig(**server), BuildConfig(**server, **{name: CHANGES[stage][name]})
    labels = [c.annotate_fingerprint("profile", "decoder") for c in (config, changed)]
    captions = [c.caption_fingerprint({"version": "1"}) for c in (config, changed)]
    assert (labels[0] != labels[1]) == (stage == "annotate")
    assert (captions[0] != captions[1]) == (stage == "caption")


def test_where_a_server_is_decides_no_row_and_is_shown_to_nobody():
    here, there = (
        BuildConfig(captioner="openai", llm={"model": "m", "base_urls": [url], "timeout_s": wait})
        for url, wait in (("http://10.0.0.1:1/v1", 1.0), ("http://10.0.0.2:2/v1", 2.0))
    )
    assert here.public() == there.public() and "10.0.0" not in str(here.public())
    hotter = BuildConfig(captioner="openai", llm={"model": "m", "base_urls": ["http://h/v1"], "temperature": 1.0})
    assert hotter.public() != here.public()
    assert "llm" not in BuildConfig().public()


def test_a_captioner_without_server_or_model_and_a_misspelt_server_setting_are_refused(tmp_path):
    with pytest.raises(FgmcapsError, match="--base-url"):
        load_config(None, {"captioner": "openai"}, {"model": "m"})
    path = tmp_path / "llm.yaml"
    path.write_text("captioner: openai\nllm: {model: m, base_ulrs: [x]}\n")
    with pytest.raises(FgmcapsError, match=r"llm.yaml: unknown setting 'llm.base_ulrs' \(did you mean 'base_urls'\?\)"):
        load_config(path, {})


def test_tools_are_part_of_the_fingerprints():
    config = BuildConfig()
    labels = {config.annotate_fingerprint(p, d) for p in ("a", "b") for d in ("x", "y")}
    assert len(labels) == 4
    assert config.caption_fingerprint({"model": "a"}) != config.caption_fingerprint({"model": "b"})


@given(st.dictionaries(st.text(max_size=12), st.one_of(st.none(), st.integers(), st.text(max_size=5)), max_size=3))
def test_any_mapping_gives_a_configuration_or_one_clear_refusal(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "any.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    try:
        config = load_config(path, {})
    except FgmcapsError as error:
        assert "any.yaml" in str(error)
    else:
        assert set(data) <= set(BuildConfig.model_fields)
        assert BuildConfig(**config.model_dump(mode="json")) == config


def test_nearest_is_silent_when_nothing_is_near():
    assert did_you_mean("chords", ["chord", "key"]) == " (did you mean 'chord'?)"
    assert did_you_mean("zzz", ["chord", "key"]) == ""


@pytest.mark.parametrize("name", ["qwen3-next-80b", "small-cpu"])
def test_the_example_configurations_load_and_the_command_line_wins(name):
    path = Path(__file__).parents[2] / "pipeline" / "configs" / f"{name}.yaml"
    config = load_config(path, {}, {"serve": "/models/mine", "model": None, "base_urls": ()})
    assert config.captioner == "openai" and config.llm.serve is not None
    assert config.llm.serve.model == "/models/mine" and config.llm.serve.start_timeout_s >= 600
    assert "serve" not in config.public()["llm"]
