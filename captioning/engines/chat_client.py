"""Chat completions from OpenAI-compatible servers: retries, time limits, rotation, bounded answers."""

import asyncio
import json
import logging
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from fgmcaps.captioning.engines.endpoints import Endpoint, Rotation
from fgmcaps.captioning.engines.holds import MEANS, PROBE, PROBE_TEXT, SAID, Hold, Means, request_fields
from fgmcaps.captioning.engines.http_pool import Answer, AnswerTooLongError, HttpPool
from fgmcaps.captioning.engines.settings import EngineConfigError, EngineSettings, ServerUnavailableError
from fgmcaps.captioning.prompts.prompt import Message

log = logging.getLogger(__name__)

RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_MAX_RETRY_AFTER = 120.0
_THINKING = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
# HTTP answers that mean: what was asked of me is not among what I can do.
_REFUSALS = (400, 404, 415, 422, 501)
# So many refusals in a row, without one answer under a grammar, and an endpoint is asked for plain text.
_MAX_REFUSALS = 5


class AskError(RuntimeError):
    """One request failed for good; ``rule`` names how (``server.timeout``, ``server.refused``, ``server.down`` ...)."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Answered:
    """The model's text; ``held``: it was written under the grammar. ``fault`` names why not, where one was sent."""

    text: str
    held: bool = False
    fault: str = ""


class ChatClient:
    """Asks for captions. Belongs to one event loop; use as an asynchronous context manager."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self.rotation = Rotation(settings.base_urls)
        self.requests = 0
        self._pool = HttpPool(settings)

    async def __aenter__(self) -> "ChatClient":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._pool.close()

    async def wait_ready(self, timeout_s: float) -> None:
        """Return when one endpoint lists its models; ServerUnavailableError after ``timeout_s``.

        EngineConfigError at once where the server refuses the key.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            for endpoint in self.rotation.endpoints:
                if await self._is_ready(endpoint):
                    return
            if time.monotonic() >= deadline:
                raise ServerUnavailableError(
                    f"no LLM server answered within {timeout_s:g} s ({self.rotation.describe()}); start one "
                    "(--serve MODEL) or check --base-url"
                )
            await asyncio.sleep(min(0.5, max(0.01, deadline - time.monotonic())))

    async def _is_ready(self, endpoint: Endpoint) -> bool:
        try:
            async with asyncio.timeout(min(5.0, self._settings.timeout_s)):
                answer = await self._pool.request("GET", f"{endpoint.url}/models")
        except (httpx2.HTTPError, TimeoutError, OSError, AnswerTooLongError) as error:
            endpoint.last_error = _name(error)
            return False
        self._refuse_for_good(endpoint, answer.status)
        endpoint.last_error = f"HTTP {answer.status}"
        # A server without a model list (404) is a server all the same.
        return answer.status < 500 and answer.status != 429

    async def ask(self, messages: list[Message], hold: Hold | None = None) -> Answered:
        """The model's text, held to ``hold`` where the server can.

        A server that refuses this grammar, or does not answer under it in time, is asked again without it, unless the
        settings insist on grammars. Raises AskError when tries or time are spent, EngineConfigError for key and model,
        and for a server that takes no grammars where the settings insist on them.
        """
        settings, fault = self._settings, ""
        insist = settings.structured == "facts"
        deadline = time.monotonic() + settings.deadline_s
        last = AskError("server.down", "no endpoint was free to answer in time")
        tries = pauses = 0
        while tries < settings.max_tries:
            now = time.monotonic()
            if self.rotation.outage(now) > settings.outage_s:
                deadline = min(deadline, now + settings.backoff_s)  # a long outage: do not make every row wait anew
            endpoint = await self.rotation.next(deadline)
            if endpoint is None:
                break
            endpoint.in_flight += 1
            under_grammar = False
            try:
                means = await self._means(endpoint) if hold is not None and not fault else "nothing"
                if hold is None or means == "nothing":
                    return Answered(self._answer(endpoint, *await self._post(endpoint, messages)), False, fault)
                under_grammar = True
                status, body = await self._post(endpoint, messages, request_fields(means, hold))
                if status not in _REFUSALS:
                    text = self._answer(endpoint, status, body)
                    endpoint.refusals = 0
                    return Answered(text, True)
                # The same without a grammar tells whether it was the grammar that was refused.
                under_grammar = False
                text = self._answer(endpoint, *await self._post(endpoint, messages))
                if insist:
                    raise AskError("server.grammar_refused", f"{endpoint.url} refuses this grammar: HTTP {status}")
                self._count_refusal(endpoint, status)
                return Answered(text, False, "server.grammar_refused")
            except _RetryError as error:
                if under_grammar and error.rule == "server.timeout" and not insist:
                    fault = "server.grammar_timeout"
                last = AskError(error.rule, f"{endpoint.url}: {error}")
                # A busy or restarting server is waited for until the deadline; a failing one is tried so many times.
                tries += error.rule not in ("server.busy", "server.disconnected")
                pause = min(settings.max_backoff_s, settings.backoff_s * 2 ** min(pauses, 16)) * random.uniform(0.5, 1)
                pauses += 1
                if time.monotonic() + pause >= deadline:
                    break
                await asyncio.sleep(pause)
            finally:
                endpoint.in_flight -= 1
        raise last

    async def _means(self, endpoint: Endpoint) -> Means:
        """How the endpoint takes grammars, found out once; other questions wait meanwhile."""
        if endpoint.means is None and endpoint.probe is not None:
            await asyncio.wait([endpoint.probe])
            if endpoint.means is None:
                raise _RetryError("server.disconnected", endpoint.last_error)
        if endpoint.means is None:
            endpoint.probe = asyncio.get_running_loop().create_future()
            try:
                endpoint.means = await self._find_means(endpoint)
                log.info("%s %s", endpoint.url, SAID[endpoint.means])
            finally:
                endpoint.probe.set_result(None)
                endpoint.probe = None
        if endpoint.means == "nothing" and self._settings.structured == "facts":
            raise EngineConfigError(
                f"{endpoint.url} {SAID['nothing']}; llm.structured is facts: serve the model with vLLM or llama.cpp, "
                "or set llm.structured to auto"
            )
        return endpoint.means

    async def _find_means(self, endpoint: Endpoint) -> Means:
        """Ask for a text that nobody would say, in each way; the answer shows whether the server heeds it."""
        question: list[Message] = [{"role": "user", "content": "Name a musical instrument."}]
        for means in MEANS:
            status, body = await self._post(endpoint, question, {**request_fields(means, PROBE), "max_tokens": 40})
            if status == 200 and clean_answer(self._answer(endpoint, status, body)) == PROBE_TEXT:
                return means
            if status not in (200, *_REFUSALS):
                self._answer(endpoint, status, body)  # raises
        return "nothing"

    def _count_refusal(self, endpoint: Endpoint, status: int) -> None:
        endpoint.refusals += 1
        if endpoint.refusals >= _MAX_REFUSALS:
            endpoint.means = "nothing"
            log.warning(
                "%s refused %d grammars in a row (HTTP %d): asking for plain text",
                endpoint.url,
                endpoint.refusals,
                status,
            )

    async def _post(
        self, endpoint: Endpoint, messages: list[Message], fields: Mapping[str, Any] | None = None
    ) -> tuple[int, bytes]:
        settings = self._settings
        payload = {"model": settings.model, "messages": messages, "n": 1, **settings.sampling, **(fields or {})}
        content = json.dumps(payload).encode("ascii")
        self.requests += 1
        try:
            async with asyncio.timeout(settings.timeout_s):
                answer = await self._pool.request("POST", f"{endpoint.url}/chat/completions", content)
        except TimeoutError:
            self._mark_down(endpoint, f"no whole answer within {settings.timeout_s:g} s")
            raise _RetryError("server.timeout", f"no whole answer within {settings.timeout_s:g} s") from None
        except AnswerTooLongError:
            raise _RetryError("server.too_long", f"answer longer than {settings.max_response_bytes} bytes") from None
        except (httpx2.HTTPError, OSError) as error:
            self._mark_down(endpoint, _name(error))
            raise _RetryError("server.disconnected", _name(error)) from None
        if answer.status in RETRY_STATUS:
            self._back_off(endpoint, answer)
        return answer.status, answer.body

    def _back_off(self, endpoint: Endpoint, answer: Answer) -> None:
        status, now = answer.status, time.monotonic()
        wait = _retry_after(answer.headers.get("retry-after"))
        if status == 429 or (status == 503 and wait is not None):
            endpoint.told_to_wait(self._settings.backoff_s if wait is None else wait, now)
            raise _RetryError("server.busy", f"HTTP {status}")
        self._mark_down(endpoint, f"HTTP {status}")
        raise _RetryError("server.error", f"HTTP {status}")

    def _mark_down(self, endpoint: Endpoint, error: str) -> None:
        endpoint.failed(error, time.monotonic(), self._settings.backoff_s, self._settings.max_backoff_s)

    def _refuse_for_good(self, endpoint: Endpoint, status: int) -> None:
        if status in (401, 403):
            raise EngineConfigError(
                f"{endpoint.url} refuses the API key (HTTP {status}): set FGMCAPS_API_KEY or OPENAI_API_KEY"
            )

    def _answer(self, endpoint: Endpoint, status: int, body: bytes) -> str:
        """Text of a completed answer; an answer that is not a completion is tried again."""
        self._refuse_for_good(endpoint, status)
        if status == 404:
            raise EngineConfigError(
                f"{endpoint.url} does not know model {self._settings.model!r} (HTTP 404): check --model and --base-url"
            )
        if status != 200:
            endpoint.last_error = f"HTTP {status}"
            raise AskError("server.refused", f"{endpoint.url}: HTTP {status}: {body[:200].decode('utf-8', 'replace')}")
        endpoint.succeeded()
        try:
            choice = json.loads(body)["choices"][0]
            text = choice["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            raise _RetryError("server.garbled", "the answer is not a chat completion") from None
        # Once more, since JSON may spell any letter as an escape.
        return self._pool.scrubber.text(text) if isinstance(text, str) else ""


def clean_answer(answer: str) -> str:
    """The caption in an answer: a whole JSON object's ``caption``, else the text itself, without outer white space."""
    text = _THINKING.sub("", answer).strip()
    if text.startswith("{") and text.endswith("}"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if isinstance(data, dict) and set(data) == {"caption"} and isinstance(data["caption"], str):
            return data["caption"].strip()
    return text


class _RetryError(Exception):
    """Worth another try."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header in its numeric form, bounded; None where there is none that can be read."""
    try:
        seconds = float(value) if value is not None else None
    except ValueError:
        return None
    return None if seconds is None or seconds != seconds else min(max(seconds, 0.0), _MAX_RETRY_AFTER)


def _name(error: Exception) -> str:
    """The kind of error; never its request, which carries the key."""
    return type(error).__name__
