"""The LLM engine: facts to checked captions through any OpenAI-compatible server, hundreds of requests at a time.

For each style of each clip: ask, check, accept; else ask again with the verdict, at most ``max_attempts`` times; else
the template, flagged. No row is lost and no unchecked text leaves: a server that fails costs rows their prose, never
the rows.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field

from fgmcaps.captioning.checker.check import check_caption
from fgmcaps.captioning.engines.chat_client import Answered, AskError, ChatClient, clean_answer
from fgmcaps.captioning.engines.holds import GRAMMAR_VERSION, Hold, hold_facts
from fgmcaps.captioning.engines.request_cache import CacheWriteError, RequestCache, request_key
from fgmcaps.captioning.engines.settings import EngineSettings
from fgmcaps.captioning.engines.template import TEMPLATE_VERSION, TemplateEngine
from fgmcaps.captioning.engines.template_caption import checked_text
from fgmcaps.captioning.prompts.prompt import Message, Prompt, complaint, load_prompt, render_facts
from fgmcaps.schemas import Caption, Facts, StyledCaption, Verdict

log = logging.getLogger(__name__)

Item = tuple[str, Facts]
HELD = "+facts"  # after a prompt's version: the answer was held to the facts by a grammar
_MAX_QUOTED = 700  # characters of a rejected answer that are shown to the model again


@dataclass(slots=True)
class EngineStats:
    """Counts since the engine was made."""

    clips: int = 0
    llm: int = 0
    template: int = 0
    cached_answers: int = 0
    asked: int = 0
    rejections: Counter[str] = field(default_factory=Counter)
    cache_error: str = ""


@dataclass(frozen=True, slots=True)
class _Written:
    """One style's text and how it came about."""

    text: str
    from_llm: bool
    version: str
    attempts: int
    rejected: tuple[Verdict, ...]


class OpenAIEngine:
    """Asynchronous captioner; belongs to one event loop; use as an asynchronous context manager."""

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.stats = EngineStats()
        self._prompts = {style: load_prompt(style) for style in settings.styles}
        self._client = ChatClient(settings)
        self._template = TemplateEngine(settings.template_seed)
        self._cache = RequestCache(settings.cache_dir) if settings.cache_dir else None
        self._asking: dict[str, asyncio.Future[Answered]] = {}

    async def __aenter__(self) -> "OpenAIEngine":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections and the cache."""
        await self._client.__aexit__()
        if self._cache is not None:
            self._cache.close()

    async def wait_ready(self, timeout_s: float) -> None:
        """See :meth:`fgmcaps.captioning.engines.chat_client.ChatClient.wait_ready`."""
        await self._client.wait_ready(timeout_s)

    async def caption(self, clip_id: str, facts: Facts) -> Caption:
        """The caption of one clip in all styles; ``attempts`` counts the answers that were looked at."""
        styles = self.settings.styles
        if len(styles) == 1:  # no task for what is asked alone
            written = [await self._write(clip_id, facts, styles[0])]
        else:
            written = await asyncio.gather(*(self._write(clip_id, facts, style) for style in styles))
        first, style = written[0], self.settings.styles[0]
        self.stats.clips += 1
        self.stats.llm += first.from_llm
        self.stats.template += not first.from_llm
        extra = tuple(StyledCaption(s, w.text) for s, w in zip(self.settings.styles[1:], written[1:], strict=True))
        return Caption(
            clip_id,
            first.text,
            style,
            "llm" if first.from_llm else "template",
            self.settings.model_label if first.from_llm else "",
            first.version,
            sum(w.attempts for w in written),
            tuple(v for w in written for v in w.rejected),
            extra,
        )

    async def _write(self, clip_id: str, facts: Facts, style: str) -> _Written:
        prompt, rejected = self._prompts[style], []
        if render_facts(facts):  # of a clip without facts there is nothing to ask
            hold = hold_facts(facts, style) if self.settings.structured != "off" else None
            messages = prompt.messages(facts)
            for attempt in range(1, self.settings.max_attempts + 1):
                try:
                    answer = await self._ask(prompt, messages, hold)
                except AskError as error:
                    rejected.append(Verdict(False, error.rule, (), str(error)))
                    break
                if answer.fault:
                    rejected.append(Verdict(False, answer.fault, (), "asked again without a grammar"))
                text = clean_answer(answer.text)
                verdict = check_caption(text, facts, style)
                if verdict.ok:
                    version = prompt.version + (HELD if answer.held else "")
                    return _Written(text, True, version, attempt, tuple(rejected))
                rejected.append(verdict)
                messages = [*prompt.messages(facts), *_again(text, verdict)]
        self.stats.rejections.update(v.rule for v in rejected)
        attempts = sum(not v.rule.startswith("server.") for v in rejected)
        text = checked_text(self._template, clip_id, facts, style)
        return _Written(text, False, TEMPLATE_VERSION, attempts, tuple(rejected))

    async def _ask(self, prompt: Prompt, messages: list[Message], hold: Hold | None) -> Answered:
        """The answer from the cache, from a request under way for the same question, or from the server."""
        parts = {
            "messages": messages,
            "prompt": prompt.version,
            "model": self.settings.model_label,
            "sampling": self.settings.sampling,
            "round": self.settings.round,
        }
        plain = request_key(**parts)
        held = request_key(**parts, grammar=GRAMMAR_VERSION) if hold is not None else plain
        if self._cache is not None:
            for key in dict.fromkeys((held, plain)):
                if (known := self._cache.get(key)) is not None:
                    self.stats.cached_answers += 1
                    return Answered(known, key != plain)
        if held in self._asking:
            return await asyncio.shield(self._asking[held])
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda f: f.cancelled() or f.exception())  # nobody else may be waiting for it
        self._asking[held] = future
        try:
            self.stats.asked += 1
            answer = await self._client.ask(messages, hold)
            self._store(held if answer.held else plain, answer.text)
            future.set_result(answer)
            return answer
        except BaseException as error:
            if isinstance(error, Exception):
                future.set_exception(error)
            else:
                future.set_exception(AskError("server.cancelled", "the request was given up"))
            raise
        finally:
            del self._asking[held]

    def _store(self, key: str, answer: str) -> None:
        """A cache that cannot be written costs a later rerun its requests, not this run its rows."""
        if self._cache is None or self.stats.cache_error:
            return
        try:
            self._cache.put(key, answer)
        except CacheWriteError as error:
            self.stats.cache_error = str(error)
            log.error("%s; going on without storing answers", error)


def _again(text: str, verdict: Verdict) -> list[Message]:
    return [{"role": "assistant", "content": text[:_MAX_QUOTED]}, {"role": "user", "content": complaint(verdict)}]
