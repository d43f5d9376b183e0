"""Servers that take grammars in one way, another, or not at all: what is found out, what is sent, what is counted."""

import json
import logging
import random
import re
from typing import Any

import pytest

from fgmcaps.captioning import check_caption
from fgmcaps.captioning.engines.holds import Means
from fgmcaps.captioning.engines.settings import EngineConfigError
from fgmcaps.schemas import Facts
from tests.captioning.engines.test_openai import all_sound, clips, run, write_for
from tests.captioning.grammar.gbnf_reader import draw, read_grammar
from tests.captioning.hostile_server import HostileServer, Reply

AUTO: dict[str, Any] = {"structured": "auto"}
FIELDS = ("structured_outputs", "grammar", "response_format")


def grammar_of(request: dict[str, Any]) -> str | None:
    return request.get("grammar") or request.get("structured_outputs", {}).get("grammar")


def obey(request: dict[str, Any]) -> str:
    """Any text of the grammar, or what the pattern of the probe allows: a server that is held."""
    if grammar := grammar_of(request):
        return draw(read_grammar(grammar), random.Random(len(json.dumps(request))), brief=True)
    pattern = request["response_format"]["json_schema"]["schema"]["properties"]["caption"]["pattern"]
    if pattern.startswith("^tempo-giusto"):
        return json.dumps({"caption": pattern.strip("^$")})
    text = write_for(request)
    return json.dumps({"caption": text})


class Server:
    """Takes grammars in one way; what it does not know it refuses with ``unknown``, or ignores where that is 0."""

    def __init__(self, means: Means, unknown: int = 0) -> None:
        self.means, self.unknown = means, unknown

    def __call__(self, request: dict[str, Any], number: int) -> Reply:
        asked = next((f for f in FIELDS if f in request), None)
        if asked == self.means:
            return Reply(obey(request))
        if asked and self.unknown:
            return Reply(status=self.unknown)
        return Reply(write_for(request) if ": " in request["messages"][-1]["content"] else "A violin.")


def sent(server: HostileServer) -> list[str]:
    return [next((f for f in FIELDS if f in r), "nothing") for r in server.requests]


@pytest.mark.parametrize("unknown", [0, 400, 422])
@pytest.mark.parametrize("means", FIELDS)
def test_each_way_is_found_out_once(means: Means, unknown: int, caplog: pytest.LogCaptureFixture) -> None:
    items = clips(30)
    with HostileServer(Server(means, unknown)) as server, caplog.at_level(logging.INFO):
        captions, stats = run(server, items, **AUTO)
    all_sound(captions, items)
    assert stats.llm == 30
    assert sent(server)[: 1 + FIELDS.index(means)] == list(FIELDS[: 1 + FIELDS.index(means)]), "one probe a way"
    assert set(sent(server)[1 + FIELDS.index(means) :]) == {means}
    assert {c.prompt_version for c in captions.values()} == {"objective.v2+facts"}
    assert sum("takes" in r.message for r in caplog.records) == 1, "said once"


@pytest.mark.parametrize("unknown", [0, 400])
def test_a_server_without_any_is_asked_for_plain_text(unknown: int) -> None:
    items = clips(30)
    with HostileServer(Server("nothing", unknown)) as server:
        captions, stats = run(server, items, **AUTO)
    all_sound(captions, items)
    assert (stats.llm, sent(server)) == (30, [*FIELDS, *["nothing"] * 30])
    assert {c.prompt_version for c in captions.values()} == {"objective.v2"}


def test_facts_insists_on_a_server_that_takes_grammars() -> None:
    with HostileServer(Server("nothing")) as server, pytest.raises(EngineConfigError, match=r"llm\.structured"):
        run(server, clips(3), structured="facts")


def test_off_sends_none() -> None:
    with HostileServer(Server("grammar")) as server:
        run(server, clips(5), structured="off")
    assert sent(server) == ["nothing"] * 5


def test_a_refused_grammar_costs_its_clip_nothing_and_is_counted() -> None:
    """A server that takes grammars, but not the one for a tempo of 45."""

    def picky(request: dict[str, Any], number: int) -> Reply:
        return Reply(status=400) if '"45 ' in (grammar_of(request) or "") else Server("grammar")(request, number)

    items = clips(20)
    with HostileServer(picky) as server:
        captions, stats = run(server, items, **AUTO)
    all_sound(captions, items)
    assert stats.llm == 20
    versions = {clip: c.prompt_version for clip, c in captions.items()}
    assert [clip for clip, v in versions.items() if v == "objective.v2"] == ["clip-4"]
    assert [v.rule for v in captions["clip-4"].rejected] == ["server.grammar_refused"]
    assert captions["clip-4"].attempts == 1


def test_where_grammars_are_insisted_on_a_refused_one_costs_its_clip_the_prose_alone() -> None:
    def picky(request: dict[str, Any], number: int) -> Reply:
        return Reply(status=400) if '"45 ' in (grammar_of(request) or "") else Server("grammar")(request, number)

    items = clips(10)
    with HostileServer(picky) as server:
        captions, stats = run(server, items, structured="facts")
    all_sound(captions, items)
    assert (stats.llm, captions["clip-4"].source) == (9, "template")
    assert [v.rule for v in captions["clip-4"].rejected] == ["server.grammar_refused"]


def test_a_server_that_comes_to_refuse_every_grammar_is_asked_for_plain_text() -> None:
    def turn(request: dict[str, Any], number: int) -> Reply:
        return Reply(status=400) if number > 3 and grammar_of(request) else Server("grammar")(request, number)

    items = clips(60)
    with HostileServer(turn) as server:
        captions, stats = run(server, items, **(AUTO | {"concurrency": 1}))
    all_sound(captions, items)
    assert stats.llm == 60
    assert sent(server)[3:].count("grammar") == 5, "after five refusals in a row no grammar is sent"


def test_a_grammar_that_takes_too_long_is_left_out_for_its_clip() -> None:
    def slow(request: dict[str, Any], number: int) -> Reply:
        late = '"43 ' in (grammar_of(request) or "")
        return Reply("", delay=5) if late else Server("structured_outputs")(request, number)

    items = clips(6)
    with HostileServer(slow) as server:
        captions, stats = run(server, items, **(AUTO | {"timeout_s": 0.5}))
    all_sound(captions, items)
    assert stats.llm == 6
    assert [v.rule for v in captions["clip-2"].rejected] == ["server.grammar_timeout"]


def test_half_a_caption_is_asked_for_again() -> None:
    asked: dict[str, int] = {}

    def stops_early(request: dict[str, Any], number: int) -> Reply:
        reply = Server("grammar")(request, number)
        key = json.dumps(request["messages"][:2])
        asked[key] = asked.get(key, 0) + 1
        return Reply(reply.text[:9]) if grammar_of(request) and asked[key] == 1 and number > 2 else reply

    items = [("clip", Facts(tempo_bpm=120, genre=("pop",)))]
    with HostileServer(stops_early) as server:
        captions, stats = run(server, items, **AUTO)
    assert (stats.llm, captions["clip"].attempts) == (1, 2)
    assert check_caption(captions["clip"].text, items[0][1]).ok


def test_a_rerun_asks_nothing_whatever_the_server_takes(tmp_path: Any) -> None:
    items = clips(10)
    for means in ("structured_outputs", "nothing"):
        with HostileServer(Server(means)) as server:  # type: ignore[arg-type]
            first, _ = run(server, items, cache_dir=tmp_path / means, **AUTO)
            asked = len(server.requests)
            again, stats = run(server, items, cache_dir=tmp_path / means, **AUTO)
            assert (len(server.requests), stats.asked, again) == (asked, 0, first)


def test_the_pattern_that_is_sent_holds_the_facts() -> None:
    with HostileServer(Server("response_format")) as server:
        run(server, [("clip", Facts(tempo_bpm=120, genre=("pop",)))], **AUTO)
    schema = server.requests[-1]["response_format"]["json_schema"]["schema"]
    pattern = re.compile(schema["properties"]["caption"]["pattern"])
    assert any(pattern.match(text) for text in ("This is a pop track at 120 BPM.", "At 120 BPM, this is pop music."))
    assert not pattern.match("This is a rock track at 120 BPM.")


def test_questions_that_wait_for_the_probe_are_not_lost_with_it() -> None:
    """The first probes meet a server that is starting; every question waits and is answered."""

    def starts(request: dict[str, Any], number: int) -> Reply:
        return Reply(status=503) if number < 4 else Server("grammar")(request, number)

    items = clips(20)
    with HostileServer(starts) as server:
        captions, stats = run(server, items, **AUTO)
    all_sound(captions, items)
    assert stats.llm == 20
