"""YAML settings of the LLM, and the examples that come with the package."""

from pathlib import Path

import pytest

from captioning.llm_config import load_llm_config, read_llm_config
from captioning.settings import EngineConfigError


@pytest.mark.parametrize("name", ["qwen3-next-80b", "small-cpu"])
def test_examples_load(name: str) -> None:
    config = load_llm_config(name)
    assert config.serve is not None
    settings = config.settings(base_urls=("http://127.0.0.1:8000/v1",))
    assert settings.model == config.serve.model


def test_the_papers_model_is_served_on_several_gpus() -> None:
    config = load_llm_config("qwen3-next-80b")
    assert config.serve is not None
    assert config.serve.model == "Qwen/Qwen3-Next-80B-A3B-Instruct"
    assert config.serve.tensor_parallel == 4
    assert config.settings(base_urls=("http://h/v1",)).sampling["top_k"] == 20


def test_options_win_over_the_file() -> None:
    config = read_llm_config({"engine": {"model": "a", "temperature": 0.1}})
    settings = config.settings(base_urls=("http://h/v1",), model="b", temperature=None)
    assert (settings.model, settings.temperature) == ("b", 0.1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"engin": {}}, "did you mean 'engine'"),
        ({"engine": {"temprature": 1}}, "did you mean 'temperature'"),
        ({"engine": {"api_key": "secret"}}, "unknown key 'api_key'"),
        ({"serve": {"model": "m", "tensor-parallel": 2}}, "did you mean 'tensor_parallel'"),
        ({"serve": {}}, "serve: model"),
        ([], "not a mapping"),
    ],
)
def test_mistakes_are_named(data: object, message: str) -> None:
    with pytest.raises(EngineConfigError, match=message):
        read_llm_config(data)


def test_what_is_missing_or_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineConfigError, match="base_urls is missing; give --base-url"):
        read_llm_config({"engine": {"model": "m"}}).settings()
    with pytest.raises(EngineConfigError, match="temperature"):
        read_llm_config({"engine": {"model": "m", "temperature": "hot"}}).settings(base_urls=("http://h/v1",))
    with pytest.raises(EngineConfigError, match="known: qwen3-next-80b, small-cpu"):
        load_llm_config("qwen")
    with pytest.raises(EngineConfigError, match="No such file"):
        load_llm_config(tmp_path / "x.yaml")
    (tmp_path / "x.yaml").write_text("a: [")
    with pytest.raises(EngineConfigError, match="not YAML"):
        load_llm_config(tmp_path / "x.yaml")
