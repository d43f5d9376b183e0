"""A capable model behind real servers: 100 clips through each, a server that dies in the middle, all rows checked."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pyarrow.parquet as pq
import pytest

from fgmcaps.captioning import check_caption
from fgmcaps.pipeline.dataset.read import facts_of_row

REPOSITORY = Path(__file__).parents[2]
LLAMA, VLLM = REPOSITORY / ".venv-llama", REPOSITORY / ".venv-vllm"
MODEL = LLAMA / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
CLIPS_PER_TRACK = os.environ.get("FGMCAPS_TEST_LLM_CLIPS_PER_TRACK", "4")
COLUMNS = [
    *("caption", "caption_source", "prompt_version", "tempo_bpm", "tempo_marking", "time_signature", "key"),
    *("chord_summary", "genre", "mood"),
]
COMMANDS = {
    "llama": [LLAMA / "bin/python", "-m", "llama_cpp.server", "--model", MODEL, "--n_ctx", "4096"],
    "vllm": [
        *(VLLM / "bin/python", "-m", "vllm.entrypoints.openai.api_server", "--model", LLAMA / "qwen-plain"),
        *("--dtype", "float32", "--enforce-eager", "--max-model-len", "2048", "--enable-prefix-caching"),
    ],
}


@contextmanager
def serving(kind: str, port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The server, healthy inside; killed outside with all its processes."""
    command = [*map(str, COMMANDS[kind]), "--host", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 600
        while True:
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/v1/models", timeout=5).status_code == 200:
                    break
            except httpx2.HTTPError:
                assert process.poll() is None, log.read_text()[-2000:]
                assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.5)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def fgmcaps(*words: object) -> list[str]:
    return [sys.executable, "-m", "fgmcaps", *map(str, words)]


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The demo's music annotated, and the configuration."""
    folder = tmp_path_factory.mktemp("llm")
    music = subprocess.run(
        [sys.executable, "-m", "fgmcaps.pipeline.demo"], capture_output=True, text=True, check=True
    ).stdout.strip()
    config = folder / "build.yaml"
    config.write_text(
        f"clips_per_track: {CLIPS_PER_TRACK}\nprofile: fast\nextra_styles: []\ncaptioner: openai\n"
        "llm: {model: qwen, timeout_s: 600, deadline_s: 3000, concurrency: 8}\n"
    )
    return Path(music), config


@pytest.mark.parametrize("kind", list(COMMANDS))
def test_a_build_by_a_real_model_survives_its_servers_death(
    annotated: tuple[Path, Path], tmp_path: Path, kind: str
) -> None:
    music, config = annotated
    if kind == "vllm" and not (LLAMA / "qwen-plain").exists():
        maker = REPOSITORY / "tests/llm/make_plain_model.py"
        subprocess.run([str(VLLM / "bin/python"), str(maker), str(MODEL), str(LLAMA / "qwen-plain")], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out, log = tmp_path / "out", tmp_path / "server.log"
    arguments = (music, out, "--config", config, "--workers", 1, "--base-url", f"http://127.0.0.1:{port}/v1")
    model = ("--model", "qwen" if kind == "llama" else str(LLAMA / "qwen-plain"))
    with (tmp_path / "build.log").open("wb") as said:
        build = subprocess.Popen(fgmcaps("annotate", *arguments, *model), stdout=said, stderr=said)
        assert build.wait(1200) == 0, (tmp_path / "build.log").read_text()[-2000:]
        with serving(kind, port, log):
            build = subprocess.Popen(fgmcaps("build", *arguments, *model), stdout=said, stderr=said)
            time.sleep(120)
            assert build.poll() is None, (tmp_path / "build.log").read_text()[-2000:]
        time.sleep(5)
        with serving(kind, port, log):
            assert build.wait(7200) == 0, (tmp_path / "build.log").read_text()[-2000:]
    rows = pq.ParquetDataset(sorted((out / "data").rglob("*.parquet"))).read(COLUMNS).to_pylist()
    assert len(rows) >= 25 * int(CLIPS_PER_TRACK) - 20
    for row in rows:
        facts = facts_of_row(row)
        assert check_caption(row["caption"], facts).ok, row
        if row["caption_source"] == "template":
            assert facts.empty or sum(r["caption_source"] == "template" for r in rows) < 0.05 * len(rows), row
    assert {r["prompt_version"] for r in rows if r["caption_source"] == "llm"} == {"objective.v2+facts"}
