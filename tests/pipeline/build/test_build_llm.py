"""Captions by a server in a real build. The server is a small one of ours that answers by rule; the real vLLM has its
own target, `make test-vllm`."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.captioning.hostile_server import HostileServer, Reply
from tests.pipeline.builds import command, cut_corpus, run, write_fast_config

pytestmark = pytest.mark.slow
SECRET = "sk-do-not-write-me-down"


def _facts(request: dict[str, Any]) -> dict[str, str]:
    """The facts as the prompt's last question states them: ``name: value`` lines."""
    question = [m for m in request["messages"] if m["role"] == "user"][-1]["content"]
    return dict(re.findall(r"^([a-z ]+): (.+)$", question, flags=re.MULTILINE))


def honest(request: dict[str, Any], number: int) -> Reply:
    """States every fact and nothing else, in its own words."""
    facts = _facts(request)
    parts = [f"{name} {value}" for name, value in facts.items() if name != "chords"]
    if "chords" in facts:
        parts.append(f"the chord progression {facts['chords']}")
    return Reply(text=f"A music clip with {', '.join(parts)}.")


def lying(request: dict[str, Any], number: int) -> Reply:
    return Reply(text="A beautiful piano ballad in 7/8.")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llm") / "music"
    cut_corpus(folder, 3)
    path = write_fast_config(folder.parent)
    path.write_text(path.read_text() + "extra_styles: []\nllm: {structured: 'off', temperature: 0}\n")
    return folder


def _build(corpus: Path, out: Path, url: str, *more: str) -> "subprocess.CompletedProcess[str]":
    argv = command("build", corpus, out, "--workers", 1, "--config", corpus.parent / "fast.yaml")
    argv += ["--captioner", "openai", "--base-url", url, "--model", "tiny", *more]
    environment = {**os.environ, "FGMCAPS_API_KEY": SECRET}
    return subprocess.run(argv, capture_output=True, text=True, timeout=300, env=environment)


def _rows(out: Path) -> list[dict[str, Any]]:
    columns = ["id", "caption", "caption_source", "caption_model", "prompt_version"]
    return pq.ParquetDataset(sorted((out / "data").rglob("*.parquet"))).read(columns).to_pylist()


def test_llm_captions_are_kept_when_true_and_replaced_when_not(corpus: Path) -> None:
    out = corpus.parent / "out"
    with HostileServer(lying) as server:
        done = _build(corpus, out, server.url)
    assert done.returncode == 0, done.stderr
    assert {(r["caption_source"], r["caption_model"]) for r in _rows(out)} == {("template", "")}
    assert run("validate", out).returncode == 0
    card = (out / "README.md").read_text()
    assert "Prompt objective.v2" in card and "| subjective | " in card and "Write every fact" in card

    asked: list[int] = []

    def counted(request: dict[str, Any], number: int) -> Reply:
        asked.append(number)
        return honest(request, number)

    arguments = ("--captioner", "openai", "--model", "tiny", "--config", str(corpus.parent / "fast.yaml"))
    with HostileServer(counted) as server:
        quiet = _build(corpus, out, server.url)  # complete: asks nothing
        assert quiet.returncode == 0 and "Nothing to do" in quiet.stderr and not asked
        again = run("caption", corpus, out, *arguments, "--base-url", server.url, "--only-rejected")
    assert again.returncode == 0, again.stderr
    rows = _rows(out)
    assert {r["caption_source"] for r in rows} == {"llm"}, [r["caption"] for r in rows]
    assert {r["caption_model"] for r in rows} == {"tiny"} and all("v2" in r["prompt_version"] for r in rows)
    assert run("validate", out).returncode == 0
    for path in (p for p in out.rglob("*") if p.is_file()):
        assert SECRET.encode() not in path.read_bytes(), path


def test_no_server_is_one_clear_line_and_keeps_the_annotations(corpus: Path) -> None:
    out = corpus.parent / "nobody"
    done = _build(corpus, out, "http://127.0.0.1:9/v1")
    assert done.returncode == 4 and "127.0.0.1:9" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    with HostileServer(honest) as server:
        # Another address is no other build: the annotations are there and nothing is refused.
        assert _build(corpus, out, server.url).returncode == 0
    assert {r["caption_source"] for r in _rows(out)} == {"llm"}


def test_dry_run_prints_prompts_and_asks_nothing(corpus: Path) -> None:
    out = corpus.parent / "out"
    arguments = ("--captioner", "openai", "--model", "tiny", "--base-url", "http://127.0.0.1:9/v1")
    shown = run("caption", corpus, out, *arguments, "--config", corpus.parent / "fast.yaml", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("[system]") == 3 and "tempo: " in shown.stdout
    identity = (out / ".fgmcaps" / "build.json").read_bytes()
    shown = run("caption", corpus, out, *arguments[:3], "other", *arguments[4:], "--caption-style", "short", "--config",
                corpus.parent / "fast.yaml", "--dry-run")  # fmt: skip
    assert shown.returncode == 0, shown.stderr  # other settings than the folder's, and no --replace
    assert shown.stdout.count("short.v2") == 3 and (out / ".fgmcaps" / "build.json").read_bytes() == identity


def test_a_model_without_a_server_is_refused_before_any_work(corpus: Path, tmp_path: Path) -> None:
    refused = run("build", corpus, tmp_path / "x", "--captioner", "openai", "--model", "tiny")
    assert refused.returncode == 2 and "--base-url" in refused.stderr
    assert not (tmp_path / "x").exists()
    assert json.dumps(refused.stderr).count("\\n") == 1
