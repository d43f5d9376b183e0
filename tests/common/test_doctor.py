"""The doctors: what is there, what is not, and the command that brings it."""

import pytest
from click.testing import CliRunner

from fgmcaps.common import extras
from fgmcaps.pipeline import cli as pipeline_cli
from fgmcaps.training import cli as training_cli


def call(main, *args):
    result = CliRunner().invoke(main, list(args))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def line_of(text, name):
    """The line of one finding, and the lines that go on with it."""
    return " ".join(" ".join(text.partition(f"  {name} ")[2].split("\n\n")[0].split()).split("  ")[0].split())


def test_a_whole_installation_is_well(monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    result = call(pipeline_cli.main, "doctor")
    assert result.exit_code == 0, result.output
    for name in ("extra annotate", "extra llm", "extra train", "best", "fast", "permissive", "libsndfile", "av"):
        assert line_of(result.stdout, name).startswith("ok"), name


def test_a_profile_that_does_not_work_is_exit_4_with_its_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("FGMCAPS_OMNIZART_ENV", str(tmp_path / "nowhere"))
    result = call(pipeline_cli.main, "doctor", "--profile", "paper")
    assert result.exit_code == 4
    assert "make omnizart" in result.stderr and len(result.stderr.splitlines()) == 1
    assert line_of(result.stdout, "paper").startswith("MISSING")
    assert call(pipeline_cli.main, "doctor", "--profile", "best").exit_code == 0


def test_an_extra_that_is_not_installed_names_what_brings_it(monkeypatch):
    found = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "essentia" else found(name))
    line = line_of(call(pipeline_cli.main, "doctor").stdout, "extra annotate")
    assert line.startswith("- lacks essentia: pip install 'fgmcaps[annotate]'")


def test_a_secret_in_the_environment_is_never_shown(monkeypatch):
    monkeypatch.setenv("FGMCAPS_BASE_URL", "http://user:secret@host:8000/v1")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    result = call(pipeline_cli.main, "doctor")
    assert "secret" not in result.output and line_of(result.stdout, "login").startswith("ok")


def test_encoders_without_a_download_work_and_the_others_say_what_they_fetch(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    result = call(training_cli.main, "doctor")
    assert result.exit_code == 0
    for name in ("spectral", "minilm"):
        assert line_of(result.stdout, name).startswith("ok")
    result = call(training_cli.main, "doctor", "--encoder", "e5")
    assert result.exit_code == 4 and "is downloaded at first use" in result.stderr


@pytest.mark.parametrize("name", ["muk", "E5"])
def test_an_unknown_encoder_is_named(name):
    result = call(training_cli.main, "doctor", "--encoder", name)
    assert result.exit_code == 2 and f"no such encoder: {name}" in result.stderr
