"""The real server with a real small model: started, asked, and gone. It tests the machinery, not the prose."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fgmcaps.captioning import check_caption
from fgmcaps.captioning.engines.bridge import EngineBridge
from fgmcaps.captioning.engines.openai import EngineStats
from fgmcaps.captioning.engines.settings import EngineSettings
from fgmcaps.captioning.engines.vllm_server import DEFAULT_PYTHON, ServeOptions, VllmServer
from fgmcaps.schemas import Caption, Facts
from fgmcaps.schemas.music import KEYS, tempo_marking

REPOSITORY = Path(__file__).parents[2]
PYTHON = REPOSITORY / DEFAULT_PYTHON
ITEMS = [
    (f"clip-{i}", Facts(60 + 7 * i, tempo_marking(60 + 7 * i), "4/4", KEYS[5 * i % 24], genre=("pop",)))
    for i in range(int(os.environ.get("FGMCAPS_TEST_VLLM_CLIPS", "6")))
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    folder = tmp_path_factory.mktemp("model")
    subprocess.run([str(PYTHON), str(Path(__file__).with_name("make_model.py")), str(folder)], check=True, timeout=600)
    options = ServeOptions(
        str(folder),
        "smollm2",
        PYTHON,
        device="cpu",
        max_model_len=2048,
        log_path=folder / "vllm.log",
        start_timeout_s=600,
    )
    with VllmServer(options) as running:
        yield running
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]


def ask(server: VllmServer, folder: Path, structured: str) -> tuple[dict[str, Caption], EngineStats]:
    settings = EngineSettings(
        (server.base_url,), "smollm2", temperature=0.2, max_tokens=80, structured=structured, concurrency=16,  # type: ignore[arg-type]
        timeout_s=900, deadline_s=3000, cache_dir=folder, max_attempts=2,
    )  # fmt: skip
    with EngineBridge(settings) as bridge:
        under_way = [bridge.submit(*item) for item in ITEMS]
        return {caption.clip_id: caption for caption in (future.result() for future in under_way)}, bridge.stats


@pytest.mark.parametrize("structured", ["off", "auto"])
def test_every_row_has_a_sound_caption_and_a_rerun_asks_nothing(
    server: VllmServer, tmp_path: Path, structured: str
) -> None:
    captions, stats = ask(server, tmp_path, structured)
    assert set(captions) == {clip for clip, _ in ITEMS}
    assert all(check_caption(captions[clip].text, facts).ok for clip, facts in ITEMS)
    assert not [v for c in captions.values() for v in c.rejected if v.rule.startswith("server.")]
    assert stats.asked >= len(ITEMS)
    again, stats = ask(server, tmp_path, structured)
    assert stats.asked == 0
    assert again == captions
