"""Starting and, above all, stopping the server: after an exit, a failure, Ctrl-C and a SIGKILL of ourselves."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from fgmcaps.captioning.engines.vllm_server import ServeOptions, VllmServer, VllmServerError, server_command

SLOW_SERVER = str(Path(__file__).parents[1] / "slow_server.py")
REPOSITORY = Path(__file__).parents[3]


def options(folder: Path, *extra: str, **more: object) -> ServeOptions:
    return ServeOptions(
        "some/model", command=(sys.executable, SLOW_SERVER), extra_args=extra, log_path=folder / "vllm.log", **more
    )  # type: ignore[arg-type]


def pids(folder: Path) -> list[int]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        log = folder / "vllm.log"
        found = re.search(r"pids (\d+) (\d+)", log.read_text()) if log.exists() else None
        if found:
            return [int(found[1]), int(found[2])]
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def gone(numbers: list[int], within_s: float = 40.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(Path(f"/proc/{n}").exists() and "Z (" not in _state(n) for n in numbers):
            return True
        time.sleep(0.1)
    return False


def _state(number: int) -> str:
    try:
        return next(x for x in Path(f"/proc/{number}/status").read_text().splitlines() if x.startswith("State"))
    except OSError:
        return "Z (gone)"


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FGMCAPS_STOP_GRACE_S", "1")


@pytest.mark.slow
def test_healthy_inside_and_gone_outside(tmp_path: Path) -> None:
    told: list[str] = []
    with VllmServer(options(tmp_path, "--warm-up", "0.5"), told.append) as server:
        assert httpx2.get(server.base_url.removesuffix("/v1") + "/health").status_code == 200
        running = pids(tmp_path)
    assert gone(running)
    assert server.base_url in told[-1]
    server.stop()


@pytest.mark.slow
def test_a_failure_inside_stops_it_too(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), VllmServer(options(tmp_path)):
        running = pids(tmp_path)
        raise KeyboardInterrupt
    assert gone(running)


def test_a_server_that_dies_shows_its_log(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(VllmServerError, match=r"status 3 before it was ready(?s:.)*no such model"):
        VllmServer(options(tmp_path, "--fail")).start()
    assert time.monotonic() - start < 20


@pytest.mark.slow
def test_a_server_that_is_never_healthy_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(VllmServerError, match=r"not healthy after 1.5 s"):
        VllmServer(options(tmp_path, "--warm-up", "600", start_timeout_s=1.5)).start()
    assert gone(pids(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_owner(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        "import sys, time, pathlib\n"
        "from fgmcaps.captioning.engines.vllm_server import ServeOptions, VllmServer\n"
        f"options = ServeOptions('m', command=({sys.executable!r}, {SLOW_SERVER!r}), "
        f"log_path=pathlib.Path({str(tmp_path / 'vllm.log')!r}))\n"
        "with VllmServer(options):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(600)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"
    running = pids(tmp_path)
    assert not gone(running, within_s=0.3)
    owner.send_signal(number)
    owner.wait(60)
    assert gone(running)


def test_no_environment_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(VllmServerError, match="make vllm"):
        VllmServer(ServeOptions("m", python=tmp_path / "python", log_path=tmp_path / "log")).start()


def test_command_lines() -> None:
    cpu = ServeOptions("/models/small", served_name="small", device="cpu", extra_args=("--seed", "0"))
    assert server_command(cpu, 8000) == [
        *[".venv-vllm/bin/python", "-m", "vllm.entrypoints.openai.api_server", "--model", "/models/small"],
        *["--served-model-name", "small", "--host", "127.0.0.1", "--port", "8000", "--dtype", "float32"],
        *["--max-model-len", "4096", "--enforce-eager", "--seed", "0"],
    ]
    gpu = server_command(ServeOptions("big", device="cuda", tensor_parallel=4, dtype="bfloat16"), 1)
    assert gpu[gpu.index("--tensor-parallel-size") + 1] == "4"
    assert gpu[gpu.index("--dtype") + 1] == "bfloat16"
    assert "--enforce-eager" not in gpu
