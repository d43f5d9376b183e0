"""The LLM engine against servers that misbehave: no lost row, no wrong caption, bounded time, a clear report."""

import asyncio
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from fgmcaps.captioning import TemplateEngine, check_caption
from fgmcaps.captioning.engines.bridge import EngineBridge
from fgmcaps.captioning.engines.chat_client import clean_answer
from fgmcaps.captioning.engines.openai import EngineStats, OpenAIEngine
from fgmcaps.captioning.engines.settings import EngineConfigError, EngineSettings, ServerUnavailableError
from fgmcaps.schemas import Caption, Facts, to_json
from tests.captioning.hostile_server import Behaviour, HostileServer, Reply

FACTS = Facts(120, "Allegro", "4/4", "A minor", ("A:min", "F:maj", "C:maj", "G:maj"), ("pop",), ("happy",))
GOOD = "A happy pop track in A minor and 4/4, at an Allegro tempo of 120 BPM, with the chords Am, F, C, and G."
FAST: dict[str, Any] = {
    "backoff_s": 0.02,
    "max_backoff_s": 0.1,
    "timeout_s": 5.0,
    "deadline_s": 20.0,
    "concurrency": 16,
    "structured": "off",  # what grammars do has tests of its own
}


def clips(count: int) -> list[tuple[str, Facts]]:
    """Different facts, so that no two questions are the same."""
    return [(f"clip-{i}", Facts(tempo_bpm=41 + i % 500, genre=("pop",) if i % 2 else ("rock",))) for i in range(count)]


def write_for(request: dict[str, Any]) -> str:
    """What an able model would answer: the template's caption of the facts in the prompt."""
    lines = dict(line.split(": ", 1) for line in _question(request).split("\n"))
    tempo = lines.get("tempo", "").split(" ")[0]
    facts = Facts(tempo_bpm=int(tempo) if tempo else None, genre=(lines["genre"],) if "genre" in lines else ())
    return TemplateEngine(7).write("model", facts)


def _question(request: dict[str, Any]) -> str:
    return next(m["content"] for m in reversed(request["messages"]) if m["role"] == "user" and ": " in m["content"])


def run(
    server: HostileServer, items: list[tuple[str, Facts]], **options: Any
) -> tuple[dict[str, Caption], EngineStats]:
    """All captions and the engine's counts, by the way that the captioning stage takes."""
    settings = EngineSettings(base_urls=options.pop("urls", (server.url,)), model="m", **(FAST | options))
    with EngineBridge(settings) as bridge:
        under_way = [bridge.submit(*item) for item in items]
        return {caption.clip_id: caption for caption in (future.result(60) for future in under_way)}, bridge.stats


def all_sound(captions: dict[str, Caption], items: list[tuple[str, Facts]]) -> None:
    assert set(captions) == {clip for clip, _ in items}
    for clip, facts in items:
        assert check_caption(captions[clip].text, facts).ok


@pytest.mark.slow
def test_an_able_server_writes_every_caption() -> None:
    items = clips(100)
    with HostileServer(lambda r, n: Reply(json.dumps({"caption": write_for(r)}), delay=0.5)) as server:
        captions, stats = run(server, items, concurrency=50)
    all_sound(captions, items)
    assert {c.source for c in captions.values()} == {"llm"}
    assert {(c.model, c.prompt_version, c.attempts) for c in captions.values()} == {("m", "objective.v2", 1)}
    assert stats.llm == stats.asked == len(server.requests) == 100
    assert server.peak > 25, "requests must be in flight together"


ANSWERS = {
    "refusal": "I'm sorry, but I cannot describe music that I have not heard.",
    "empty": "",
    "rant": "The music is wonderful. " * 430,
    "json inside prose": 'Sure! {"caption": "A pop track at 120 BPM."} Hope that helps.',
    "wrong key": json.dumps({"text": "A pop track."}),
    "subjective": GOOD.replace("A happy", "A beautiful and happy"),
    "another language": "Ein fröhliches Popstück in a-Moll mit 120 BPM im Allegro.",
    "newlines": GOOD.replace(", ", ",\n"),
    "a wrong fact": GOOD.replace("120", "121"),
    "null content": "\0",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_bad_answer_is_asked_again_and_then_replaced(answer: str) -> None:
    with HostileServer(lambda r, n: Reply(answer)) as server:
        captions, stats = run(server, [("clip", FACTS)])
    caption = captions["clip"]
    all_sound(captions, [("clip", FACTS)])
    assert (caption.source, caption.model, caption.prompt_version) == ("template", "", "template.v1")
    assert caption.attempts == len(caption.rejected) == len(server.requests) == 3
    assert stats.template == 1
    assert sum(stats.rejections.values()) == 3
    # The second question shows the rejected text and names the rule that it broke.
    again = server.requests[1]["messages"][-2:]
    assert again[0]["role"] == "assistant"
    assert caption.rejected[0].rule in again[1]["content"]


def test_the_verdict_lets_the_model_mend_its_caption() -> None:
    with HostileServer(lambda r, n: Reply(GOOD if n == 2 else GOOD.replace("A minor", "A major"))) as server:
        captions, _ = run(server, [("clip", FACTS)])
    assert captions["clip"].text == GOOD
    assert captions["clip"].source == "llm"
    assert [v.rule for v in captions["clip"].rejected] == ["contradiction.key"]
    assert captions["clip"].attempts == 2


FAULTS: dict[str, Behaviour] = {
    "500": lambda r, n: Reply(status=500),
    "half-closed": lambda r, n: Reply(write_for(r), cut=90),
    "closed at once": lambda r, n: Reply(cut=0),
    "slow drip": lambda r, n: Reply(write_for(r), drip=0.1),
    "hang": lambda r, n: Reply(write_for(r), delay=30),
    "garbled": lambda r, n: Reply(body=b"<html>gateway</html>"),
    "not a completion": lambda r, n: Reply(body=b'{"choices": []}'),
    "deep JSON": lambda r, n: Reply(body=b"[" * 60_000),
    "endless": lambda r, n: Reply(body=b" " * 3_000_000),
    "429 for ever": lambda r, n: Reply(status=429, headers={"Retry-After": "0.05"}),
    "absurd Retry-After": lambda r, n: Reply(status=429, headers={"Retry-After": "1e99"}),
    "400": lambda r, n: Reply(status=400),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_server_that_never_recovers_costs_prose_not_rows(fault: Behaviour) -> None:
    items = clips(20)
    start = time.monotonic()
    with HostileServer(fault) as server:
        captions, stats = run(server, items, max_tries=3, timeout_s=0.5, deadline_s=2.0, outage_s=1.0)
    assert time.monotonic() - start < 12
    all_sound(captions, items)
    assert stats.template == 20
    assert all(c.rejected[-1].rule.startswith("server.") and c.attempts == 0 for c in captions.values())


PASSING: dict[str, Behaviour] = {
    "429 storm": lambda r, n: Reply(status=429, headers={"Retry-After": "0.2"}) if n <= 20 else Reply(write_for(r)),
    "500 now and then": lambda r, n: Reply(status=500) if n % 3 == 0 else Reply(write_for(r)),
    "cut now and then": lambda r, n: Reply(write_for(r), cut=70 if n % 3 == 0 else None),
    "hang now and then": lambda r, n: Reply(write_for(r), delay=5 if n % 10 == 0 else 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_passing_fault_is_waited_out(fault: Behaviour) -> None:
    items = clips(60)
    with HostileServer(fault) as server:
        captions, stats = run(server, items, timeout_s=1.5)
    all_sound(captions, items)
    assert stats.llm == 60


def test_a_restart_in_the_middle_is_waited_out() -> None:
    items = clips(60)
    first = HostileServer(lambda r, n: Reply(write_for(r), delay=0.1)).__enter__()
    second = HostileServer(lambda r, n: Reply(write_for(r)), port=first.port)

    captions: dict[str, Caption] = {}
    try:
        with EngineBridge(EngineSettings((first.url,), "m", **(FAST | {"concurrency": 8}))) as bridge:
            starting = threading.Timer(0.5, second.__enter__)

            def stop_the_first(number: int) -> None:
                if number == 20:
                    first.stop()
                    starting.start()

            under_way = []
            for number, item in enumerate(items):
                stop_the_first(number)
                under_way.append(bridge.submit(*item))
            captions = {caption.clip_id: caption for caption in (future.result(60) for future in under_way)}
            starting.join()
    finally:
        first.stop()
        second.stop()
    all_sound(captions, items)
    assert {c.source for c in captions.values()} == {"llm"}
    assert second.requests


def test_a_dead_endpoint_leaves_the_work_to_the_others() -> None:
    items = clips(80)
    with (
        HostileServer(lambda r, n: Reply(write_for(r), delay=0.01)) as well,
        HostileServer(lambda r, n: Reply(status=503)) as ill,
    ):
        urls = (well.url, ill.url, "http://127.0.0.1:9/v1")
        captions, stats = run(well, items, urls=urls)
    all_sound(captions, items)
    assert stats.llm == 80
    assert len(ill.requests) < 40, "a failing server must be left alone for growing times"


def test_endpoints_share_the_work() -> None:
    with (
        HostileServer(lambda r, n: Reply(write_for(r), delay=0.02)) as a,
        HostileServer(lambda r, n: Reply(write_for(r), delay=0.02)) as b,
    ):
        run(a, clips(100), urls=(a.url, b.url))
        assert min(len(a.requests), len(b.requests)) > 25


@pytest.mark.parametrize(
    ("status", "message"), [(401, "FGMCAPS_API_KEY"), (403, "refuses the API key"), (404, "does not know model")]
)
def test_a_wrong_key_or_model_stops_with_the_remedy(status: int, message: str) -> None:
    with HostileServer(lambda r, n: Reply(status=status)) as server, pytest.raises(EngineConfigError, match=message):
        run(server, clips(50))
    assert len(server.requests) <= 50, "asked once"


def test_a_server_that_is_never_healthy_is_reported_in_time() -> None:
    settings = EngineSettings(("http://127.0.0.1:9/v1",), "m")

    async def go() -> None:
        async with OpenAIEngine(settings) as engine:
            await engine.wait_ready(0.6)

    start = time.monotonic()
    with pytest.raises(ServerUnavailableError, match=r"127\.0\.0\.1:9/v1: ConnectError.*--serve MODEL"):
        asyncio.run(go())
    assert time.monotonic() - start < 5


def test_the_key_is_sent_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("FGMCAPS_API_KEY", "sk-secret")
    caplog.set_level(logging.DEBUG)
    with HostileServer(lambda r, n: Reply(write_for(r)) if n > 3 else Reply(status=500)) as server:
        captions, stats = run(server, clips(10), cache_dir=tmp_path)
        assert server.authorizations == {"Bearer sk-secret"}
        settings = EngineSettings((server.url,), "m", api_key="sk-secret")
    shown = [caplog.text, repr(captions), repr(stats), repr(settings), *(p.read_text() for p in tmp_path.iterdir())]
    assert not any("sk-secret" in text for text in shown)


def test_a_rerun_asks_nothing(tmp_path: Path) -> None:
    items = [*clips(30), ("same facts", clips(1)[0][1])]
    with HostileServer(lambda r, n: Reply(write_for(r))) as server:
        first, stats = run(server, items, cache_dir=tmp_path)
        assert len(server.requests) == stats.asked == 30, "equal questions under way are asked once"
        again, stats = run(server, items, cache_dir=tmp_path)
        assert (len(server.requests), stats.asked, stats.cached_answers) == (30, 0, 31)
        assert again == first
        run(server, items, cache_dir=tmp_path, temperature=0.1)
        assert len(server.requests) == 60, "another sampling is another question"
        run(server, items, cache_dir=tmp_path, round=1)
        assert len(server.requests) == 90, "a new round asks anew"


def test_a_full_disk_costs_the_cache_not_the_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """/dev/full refuses every write with ENOSPC, as a full disk does."""
    items = clips(20)
    with HostileServer(lambda r, n: Reply(write_for(r))) as server:
        settings = EngineSettings((server.url,), "m", cache_dir=tmp_path, **FAST)

        with EngineBridge(settings) as bridge:
            cache = bridge._engine._cache
            assert cache is not None
            with cache._lock:
                cache._segments.append(Path("/dev/full"))
                cache._writer = open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115
            captions = [future.result(60) for future in [bridge.submit(*item) for item in items]]
            stats = bridge.stats
    all_sound({c.clip_id: c for c in captions}, items)
    assert stats.llm == 20
    assert "No space left on device" in stats.cache_error
    assert "free space" in caplog.text
    assert caplog.text.count("free space") == 1


def test_facts_that_say_nothing_are_not_asked_about() -> None:
    with HostileServer(lambda r, n: Reply(GOOD)) as server:
        captions, _ = run(server, [("clip", Facts())])
    assert captions["clip"].text == "A clip of music."
    assert not server.requests


def test_styles_are_asked_one_by_one() -> None:
    def answer(request: dict[str, Any], number: int) -> Reply:
        keywords = "keywords" in request["messages"][0]["content"]
        return Reply("happy, pop, 120 BPM, A minor, 4/4, chords Am-F-C-G" if keywords else GOOD)

    with HostileServer(answer) as server:
        captions, _ = run(server, [("clip", FACTS)], styles=("objective", "keywords"))
    assert captions["clip"].text == GOOD
    assert [(e.style, e.text[:5]) for e in captions["clip"].extra] == [("keywords", "happy")]


def test_no_more_clips_are_under_way_than_the_concurrency() -> None:
    """A slow server stops the intake, so that memory stays bounded."""
    with (
        HostileServer(lambda r, n: Reply(write_for(r), delay=0.02)) as server,
        EngineBridge(EngineSettings((server.url,), "m", **(FAST | {"concurrency": 8}))) as bridge,
    ):
        under_way = []
        for number, item in enumerate(clips(200), 1):
            under_way.append(bridge.submit(*item))
            assert number - sum(future.done() for future in under_way) <= 8
        assert all(future.result(60) for future in under_way)


def test_closing_early_ends_the_requests() -> None:
    with HostileServer(lambda r, n: Reply(write_for(r), delay=1)) as server:
        bridge = EngineBridge(EngineSettings((server.url,), "m", **FAST))
        under_way = [bridge.submit(*item) for item in clips(10)]
        bridge.close()
        assert all(future.cancelled() for future in under_way)
        bridge.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "caption-engine"]


def test_the_bridge_waits_for_the_server_and_counts() -> None:
    items = clips(60)
    with (
        HostileServer(lambda r, n: Reply(write_for(r), delay=0.02)) as server,
        EngineBridge(EngineSettings((server.url,), "m", **FAST)) as bridge,
    ):
        bridge.wait_ready(5)
        captions = {c.clip_id: c for c in (f.result(60) for f in [bridge.submit(*item) for item in items])}
        assert bridge.stats.clips == 60
    all_sound(captions, items)
    assert 4 < server.peak <= 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base_urls": ()}, "no server given"),
        ({"base_urls": ("localhost:8000",)}, "not an http"),
        ({"base_urls": ("http://u:p@host/v1",)}, "credentials"),
        ({"model": ""}, "no model given"),
        ({"concurrency": 0}, "concurrency"),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_settings_that_cannot_work(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineConfigError, match=message):
        EngineSettings(**({"base_urls": ("http://h/v1",), "model": "m"} | options))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (' {"caption": " A clip. "}\n', "A clip."),
        ("A clip.\n", "A clip."),
        ("<think>hm</think>\nA clip.", "A clip."),
        ('{"caption": 5}', '{"caption": 5}'),
        ('{"caption": "A clip.", "more": 1}', '{"caption": "A clip.", "more": 1}'),
    ],
)
def test_clean_answer(answer: str, text: str) -> None:
    assert clean_answer(answer) == text


@pytest.mark.parametrize("how", ["caption", "json", "escaped", "error page", "redirect"])
def test_a_server_that_echoes_the_key_puts_it_nowhere(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key, token = "sk-Ab9-very-secret", "hf_AnotherSecret"
    monkeypatch.setenv("HF_TOKEN", token)
    caplog.set_level(logging.DEBUG, "fgmcaps")

    def echo(request: dict[str, Any], number: int) -> Reply:
        (sent,) = server.authorizations
        said = f"You sent {sent} and {token}"
        escaped = "".join(f"\\u{ord(c):04x}" for c in said)
        completion = '{"choices": [{"message": {"role": "assistant", "content": "%s"}}]}'
        return {
            "caption": Reply(said),
            "json": Reply(json.dumps({"caption": said})),
            "escaped": Reply(body=(completion % escaped).encode()),
            "error page": Reply(status=400, body=f"<p>bad header Authorization: {sent}, {token}</p>".encode()),
            "redirect": Reply(status=302, headers={"Location": f"/{sent}"}, body=said.encode()),
        }[how]

    with HostileServer(echo) as server:
        captions, _ = run(server, [("clip", FACTS)], api_key=key, cache_dir=tmp_path, max_attempts=2)
        assert server.authorizations == {f"Bearer {key}"}
    assert captions["clip"].source == "template" and captions["clip"].rejected
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode()
    for text in (to_json(captions["clip"]), stored, caplog.text, *map(str, server.requests)):
        assert "very-secret" not in text and "AnotherSecret" not in text
    assert stored == "" or "[secret]" in stored
