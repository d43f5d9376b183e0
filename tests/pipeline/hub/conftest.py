"""A Hub on loopback, and small finished datasets to publish there."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from fgmcaps.pipeline.hub import client, prepare
from fgmcaps.pipeline.hub.plots import draw_plots
from fgmcaps.schemas import to_json
from tests.factories import build_dataset
from tests.hub_server.server import HubServer

REPO = "user/music"
_DRAWN = {}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The server, with this process's ``huggingface_hub`` pointed at it and its waits made short.

    Files over 100 kB go up in parts of 64 kB, so that both ways of uploading are used.
    """
    quick = SimpleNamespace(**{name: getattr(time, name) for name in ("time", "monotonic", "perf_counter")})
    quick.sleep = lambda seconds: time.sleep(seconds / 200)
    monkeypatch.setattr("huggingface_hub.utils._http.time", quick)
    monkeypatch.setattr(client, "time", quick)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with HubServer(tmp_path / "server", multipart_over=100_000, part_bytes=1 << 16) as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        yield server


@pytest.fixture(autouse=True)
def plots_drawn_once(monkeypatch):
    """Plots take most of a small push: those of equal statistics are drawn once a session (test_prepare draws anew)."""

    def drawn(stats):
        key = to_json(stats)
        if key not in _DRAWN:
            _DRAWN[key] = draw_plots(stats)
        return _DRAWN[key]

    monkeypatch.setattr(prepare, "draw_plots", drawn)


@pytest.fixture(scope="session")
def small_source(tmp_path_factory):
    """6 rows in two splits, half of them under CC-BY-4.0 and half without a licence. Read only."""
    out = tmp_path_factory.mktemp("small") / "out"
    build_dataset(out, tracks=6, clips=1, shards=1)
    return out


@pytest.fixture
def small(small_source, tmp_path):
    """A copy of the small dataset."""
    return shutil.copytree(small_source, tmp_path / "out")


@pytest.fixture(scope="session")
def larger_source(tmp_path_factory):
    """The next version of the small dataset: 8 tracks, other shards."""
    out = tmp_path_factory.mktemp("larger") / "out"
    build_dataset(out, tracks=8, clips=1, shards=2)
    return out


@pytest.fixture
def larger(larger_source, tmp_path):
    """A copy of the next version."""
    return shutil.copytree(larger_source, tmp_path / "larger")


@pytest.fixture
def shell(hub, tmp_path):
    """Run a program as a user would, in a process whose environment names the server before anything is imported."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess:
        env = {
            **os.environ,
            "HF_ENDPOINT": hub.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HOME": str(tmp_path / "home"),
            "HF_TOKEN": "hf_writer",
            **environment,
        }
        program = str(Path(sys.executable).with_name(str(words[0])))
        return subprocess.run([program, *map(str, words[1:])], env=env, capture_output=True, text=True, timeout=300)

    return run
