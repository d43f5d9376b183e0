"""Starts vLLM's OpenAI server for a build and stops it for certain.

vLLM shares no environment with Beam (FEASIBILITY: protobuf, transformers, numpy), so it runs in ``.venv-vllm``
(``captioning/make_vllm_env.sh``) or in a container, as a child of :mod:`fgmcaps.captioning.engines.supervisor`, which
ends it with us.
"""

import contextlib
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from fgmcaps.captioning.engines.settings import KEY_VARIABLES
from fgmcaps.common.scrub import scrub

log = logging.getLogger(__name__)

DEFAULT_PYTHON = Path(".venv-vllm/bin/python")
_LOG_TAIL = 4000
_POLL_S = 0.5
# The CPU build: a small KV cache (GiB), and the engine inside the server's process.
CPU_ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}


class VllmServerError(RuntimeError):
    """The server cannot be started or does not become healthy; the message has the end of its log and the remedy."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to serve a model.

    ``model`` is a folder or a Hub name; ``served_name`` what requests call it. ``command`` replaces
    ``PYTHON -m vllm.entrypoints.openai.api_server``, e.g. by a ``docker run ... vllm/vllm-openai`` line, as a list of
    arguments. ``port`` 0 takes a free one. ``device`` is ``auto`` (CUDA where there is a GPU), ``cpu`` or ``cuda``.
    """

    model: str
    served_name: str = ""
    python: Path = DEFAULT_PYTHON
    command: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 0
    device: str = "auto"
    dtype: str = ""
    tensor_parallel: int = 1
    max_model_len: int = 4096
    extra_args: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    log_path: Path = Path("vllm.log")
    start_timeout_s: float = 1800.0

    @property
    def name(self) -> str:
        """The model name that requests use."""
        return self.served_name or self.model

    @property
    def on_cpu(self) -> bool:
        """True where the CPU build is meant."""
        return self.device == "cpu" or (self.device == "auto" and not has_gpu())


def has_gpu() -> bool:
    """True if an NVIDIA driver lists a device."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    try:
        found = subprocess.run([tool, "-L"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0 and b"GPU" in found.stdout


def server_command(options: ServeOptions, port: int) -> list[str]:
    """The command line of the server; no shell ever sees it."""
    start = list(options.command) or [str(options.python), "-m", "vllm.entrypoints.openai.api_server"]
    dtype = options.dtype or ("float32" if options.on_cpu else "auto")
    command = [*start, "--model", options.model, "--served-model-name", options.name]
    command += ["--host", options.host, "--port", str(port), "--dtype", dtype]
    command += ["--max-model-len", str(options.max_model_len)]
    if options.tensor_parallel > 1:
        command += ["--tensor-parallel-size", str(options.tensor_parallel)]
    if options.on_cpu:
        command += ["--enforce-eager"]
    return [*command, *options.extra_args]


class VllmServer:
    """A context manager: the server is healthy inside, and gone, with all its processes, outside."""

    def __init__(self, options: ServeOptions, progress: Callable[[str], None] | None = None) -> None:
        self.options = options
        self._progress = progress or (lambda line: log.info("%s", line))
        self._process: subprocess.Popen[bytes] | None = None
        self._port = options.port

    @property
    def base_url(self) -> str:
        """What :class:`fgmcaps.captioning.engines.settings.EngineSettings` takes in ``base_urls``."""
        return f"http://{self.options.host}:{self._port}/v1"

    def __enter__(self) -> "VllmServer":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait for health; raises VllmServerError, and then nothing is left running."""
        options = self.options
        if not options.command and not options.python.is_file():
            raise VllmServerError(
                f"no vLLM environment at {options.python}: make it with `make vllm` (captioning/make_vllm_env.sh), or "
                "give --base-url of a server that runs"
            )
        self._port = options.port or _free_port(options.host)
        # The key is for servers of others; ours needs none, and writes a log.
        own = {name: value for name, value in os.environ.items() if name not in KEY_VARIABLES}
        environment = own | (CPU_ENVIRONMENT if options.on_cpu else {}) | dict(options.environment)
        supervisor = Path(__file__).with_name("supervisor.py")
        command = [sys.executable, "-I", str(supervisor), "--", *server_command(options, self._port)]
        options.log_path.parent.mkdir(parents=True, exist_ok=True)
        with options.log_path.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        try:
            self._wait_healthy()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and every process of it; harmless when called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()  # the supervisor ends the group and then itself
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            log.error("the vLLM supervisor does not end; killing it")
            process.kill()
            process.wait()

    def _wait_healthy(self) -> None:
        options, start, told = self.options, time.monotonic(), 0.0
        url = f"http://{options.host}:{self._port}/health"
        assert self._process is not None
        with httpx2.Client(timeout=5.0, trust_env=False) as client:
            while (passed := time.monotonic() - start) < options.start_timeout_s:
                status = self._process.poll()
                if status is not None:
                    raise VllmServerError(f"vLLM ended with status {status} before it was ready; {self._log_tail()}")
                with contextlib.suppress(httpx2.HTTPError):
                    if client.get(url).status_code == 200:
                        self._progress(f"{options.name} is served at {self.base_url} after {passed:.0f} s")
                        return
                if passed - told >= 10:
                    told = passed
                    self._progress(f"waiting for {options.name} ({passed:.0f} s): {self._last_line()}")
                time.sleep(_POLL_S)
        raise VllmServerError(f"vLLM is not healthy after {options.start_timeout_s:g} s; {self._log_tail()}")

    def _tail(self) -> str:
        try:
            with self.options.log_path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _LOG_TAIL))
                return scrub(file.read().decode("utf-8", "replace").strip())
        except OSError:
            return ""

    def _log_tail(self) -> str:
        return f"the end of {self.options.log_path}:\n{self._tail()}"

    def _last_line(self) -> str:
        return self._tail().rpartition("\n")[2][:150]


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
