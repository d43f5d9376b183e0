"""Chat completions from OpenAI-compatible servers: retries, time limits, rotation, bounded answers."""

import asyncio
import json
import logging
import random
import time
from typing import Any

import httpx2

from fgmcaps.captioning.engines.endpoints import Endpoint, Rotation
from fgmcaps.captioning.engines.http_pool import Answer, AnswerTooLongError, HttpPool
from fgmcaps.captioning.engines.settings import EngineConfigError, EngineSettings, ServerUnavailableError
from fgmcaps.captioning.prompts.prompt import Message

log = logging.getLogger(__name__)

RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_MAX_RETRY_AFTER = 120.0
CAPTION_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"caption": {"type": "string", "maxLength": 700}},
    "required": ["caption"],
    "additionalProperties": False,
}
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "caption", "strict": True, "schema": CAPTION_SCHEMA}}


class AskError(RuntimeError):
    """One request failed for good; ``rule`` names how (``server.timeout``, ``server.refused``, ``server.down`` ...)."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


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

    async def ask(self, messages: list[Message]) -> str:
        """The model's text. Raises AskError when tries or time are spent, EngineConfigError for key and model."""
        settings = self._settings
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
            try:
                return await self._try(endpoint, messages)
            except _RetryError as error:
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

    async def _try(self, endpoint: Endpoint, messages: list[Message]) -> str:
        """One request, or two where the first one finds out that the server takes no schema."""
        structured = self._structured(endpoint)
        if structured is None and endpoint.probe is not None:
            await asyncio.wait([endpoint.probe])  # another request is finding out
            structured = self._structured(endpoint)
            if structured is None:
                raise _RetryError("server.disconnected", endpoint.last_error)
        if structured is None:
            endpoint.probe = asyncio.get_running_loop().create_future()
            try:
                status, body = await self._find_out(endpoint, messages)
            finally:
                endpoint.probe.set_result(None)
                endpoint.probe = None
        else:
            status, body = await self._post(endpoint, messages, structured)
        return self._answer(endpoint, status, body)

    async def _find_out(self, endpoint: Endpoint, messages: list[Message]) -> tuple[int, bytes]:
        """Ask with a schema, and without one where that is refused; remember which of them works."""
        status, body = await self._post(endpoint, messages, True)
        if status == 200:
            endpoint.structured = True
        elif status in (400, 404, 415, 422, 501):
            plain_status, plain_body = await self._post(endpoint, messages, False)
            if plain_status == 200:
                endpoint.structured = False
                log.info("%s takes no JSON schema (HTTP %d): asking for plain text", endpoint.url, status)
            return plain_status, plain_body
        return status, body

    def _structured(self, endpoint: Endpoint) -> bool | None:
        if self._settings.structured == "auto":
            return endpoint.structured
        return self._settings.structured == "on"

    async def _post(self, endpoint: Endpoint, messages: list[Message], structured: bool) -> tuple[int, bytes]:
        settings = self._settings
        payload: dict[str, Any] = {"model": settings.model, "messages": messages, "n": 1, **settings.sampling}
        if structured:
            payload["response_format"] = RESPONSE_FORMAT
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
