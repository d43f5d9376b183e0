"""What the pages say is true: commands and options that they name exist, links lead somewhere, snippets run."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from fgmcaps.pipeline import cli as pipeline_cli
from fgmcaps.pipeline.hub.prepare import PublishSettings, prepare
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.training import cli as training_cli
from tests.factories import build_dataset

REPOSITORY = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in sorted((REPOSITORY / "docs").glob("*.md"))))
MAINS = {"fgmcaps": pipeline_cli.main, "figma": training_cli.main}
HISTORY = "docs/experiments.md"
"""A dated log: it names what there was on its day."""


def text_of(page):
    return (REPOSITORY / page).read_text("utf-8")


def code_of(page):
    """Shell lines and inline code of a page."""
    text = text_of(page)
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    outside = re.sub(r"```.*?```", "", text, flags=re.S)
    lines = [line.split(" #")[0] for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return lines + [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", outside)]


@pytest.mark.parametrize("page", [page for page in PAGES if page != HISTORY])
def test_every_command_and_option_exists(page):
    wrong = []
    for line in code_of(page):
        found = re.match(r"(?:\$ |\. \S+ && )?(fgmcaps|figma) ([a-z][a-z-]*)(.*)", line.strip())
        if not found:
            continue
        command = MAINS[found[1]].get_command(None, found[2])
        if command is None:
            wrong.append(line)
            continue
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        given = re.findall(r"(?<!\S)(--[a-z-]+)", found[3])
        beams_own = command.context_settings.get("ignore_unknown_options")
        wrong += [f"{line}: {name}" for name in given if name not in known | {"--help"} and not beams_own]
    assert not wrong


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(page))
    missing = [
        link for link in links if "://" not in link and not ((REPOSITORY / page).parent / link).exists()
    ]  # fmt: skip
    assert not missing


@pytest.mark.parametrize("page", [page for page in PAGES if page != HISTORY])
def test_every_file_of_ours_that_is_named_is_there(page):
    named = re.findall(
        r"`((?:common|schemas|annotators|captioning|pipeline|training|benchmarks|tests|docs|requirements|examples)/"
        r"[\w./-]+)`",
        text_of(page),
    )
    missing = [name for name in named if not (REPOSITORY / name).exists()]
    assert not missing


@pytest.mark.parametrize("page", [page for page in PAGES if page != HISTORY])
def test_every_make_target_exists(page):
    makefile = text_of("Makefile")
    targets = {found for line in code_of(page) for found in re.findall(r"(?:^|[;&] ?)make ([a-z-]+)", line)}
    missing = [target for target in sorted(targets) if not re.search(rf"^{target}:", makefile, re.M)]
    assert not missing


def snippets(page):
    return re.findall(r"```python\n(.*?)```", text_of(page), re.S)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what the snippets read: a dataset, its exports and publication, a trained model, clips."""
    folder = tmp_path_factory.mktemp("pages")
    out = folder / "out"
    build_dataset(out, tracks=24)
    (folder / "user/name").mkdir(parents=True)
    prepare(out, folder / "user/name", PublishSettings("user/name", "https://hub.example"), TransferProgress())
    train = ["train", str(out), str(folder / "model"), "--config", "demo", "--epochs", "1", "--quiet"]
    webdataset = ["export", str(out), str(folder / "out-wds"), "--format", "webdataset", "--split", "train"]
    mteb = ["export", str(out), str(folder / "out-mteb"), "--format", "mteb"]
    for main, arguments in ((training_cli.main, train), (pipeline_cli.main, webdataset), (pipeline_cli.main, mteb)):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
    (folder / "OUT").symlink_to(out)
    (folder / "demo-out-model").symlink_to(folder / "model")
    noise = np.random.default_rng(0).normal(size=240_000).astype(np.float32) / 10
    for name in ("a.flac", "b.flac", "b.mp3", "song.flac"):
        soundfile.write(folder / name, noise, 24_000)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page != HISTORY and snippets(page)])
def test_the_snippets_run_one_after_the_other(place, monkeypatch, capsys, page):
    """As a reader runs them: what one defines, the next uses."""
    monkeypatch.chdir(place)
    seconds = np.arange(240_000) / 24_000
    tone = (np.sin(2 * np.pi * 220 * seconds) * (seconds % 0.5 < 0.3)).astype(np.float32)
    names = {"samples": tone, "sample_rate": 24_000}
    for snippet in snippets(page):
        exec(compile(snippet, page, "exec"), names)
