"""Caption engines as the captioning stage uses them: facts in, checked captions out as they are done."""

import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from fgmcaps.captioning import TemplateEngine, write_caption
from fgmcaps.captioning.engines.bridge import EngineBridge
from fgmcaps.captioning.engines.settings import EngineConfigError, EngineSettings, ServerUnavailableError
from fgmcaps.captioning.engines.vllm_server import ServeOptions, VllmServer, VllmServerError
from fgmcaps.common.errors import MachineError
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.stages.styles import styles_of
from fgmcaps.schemas import Caption, Facts

READY_TIMEOUT_S = 20.0


class Engine(Protocol):
    """Writes captions: one for each clip, in any order, each checked before it comes out."""

    def submit(self, facts: Iterable[tuple[str, Facts]]) -> Iterator[Caption]:
        """Take ``(clip_id, facts)`` of each clip; yields captions that are done meanwhile."""

    def drain(self) -> Iterator[Caption]:
        """Wait for the captions under way and yield them."""

    def close(self) -> None:
        """Close connections."""


class Templates:
    """The template grammar as an engine."""

    def __init__(self, config: BuildConfig) -> None:
        self.engine = TemplateEngine(seed=config.seed)
        self.styles = styles_of(config)

    def submit(self, facts: Iterable[tuple[str, Facts]]) -> Iterator[Caption]:
        """Captions in the order of the facts."""
        for clip_id, clip_facts in facts:
            yield write_caption(self.engine, clip_id, clip_facts, styles=self.styles)

    def drain(self) -> Iterator[Caption]:
        """Nothing is ever under way."""
        return iter(())

    def close(self) -> None:
        """There is nothing to close."""


class Llm:
    """An OpenAI-compatible server as an engine: hundreds of clips are under way at any time, across batches."""

    def __init__(self, settings: EngineSettings) -> None:
        self.bridge = EngineBridge(settings)
        self.done: queue.SimpleQueue[Future[Caption]] = queue.SimpleQueue()
        self.pending = 0
        try:
            self.bridge.wait_ready(READY_TIMEOUT_S)
        except (EngineConfigError, ServerUnavailableError) as error:
            self.close()
            raise MachineError(f"captions: {error}") from None

    def submit(self, facts: Iterable[tuple[str, Facts]]) -> Iterator[Caption]:
        """Start each clip; blocks while enough are under way."""
        for clip_id, clip_facts in facts:
            self.bridge.submit(clip_id, clip_facts).add_done_callback(self.done.put)
            self.pending += 1
            while not self.done.empty():
                yield self._take()

    def drain(self) -> Iterator[Caption]:
        """Wait for all that is under way."""
        while self.pending:
            yield self._take()

    def close(self) -> None:
        """Abandon what is under way; close connections and cache."""
        self.bridge.close()

    def _take(self) -> Caption:
        self.pending -= 1
        try:
            return self.done.get().result()
        except EngineConfigError as error:
            raise MachineError(f"captions: {error}") from None


def engine_settings(config: BuildConfig, cache: Path, round_: int) -> EngineSettings:
    """Settings of the LLM engine. Raises MachineError for an address or model that cannot work."""
    llm = config.llm
    try:
        return EngineSettings(
            base_urls=llm.base_urls,
            model=llm.served_model,
            revision=llm.revision,
            styles=styles_of(config),
            temperature=llm.temperature,
            top_p=llm.top_p,
            max_tokens=llm.max_tokens,
            extra_body=llm.extra_body,
            structured=llm.structured,
            concurrency=llm.concurrency,
            max_attempts=llm.max_attempts,
            timeout_s=llm.timeout_s,
            deadline_s=llm.deadline_s,
            cache_dir=cache,
            round=round_,
            template_seed=config.seed,
        )
    except EngineConfigError as error:
        raise MachineError(f"captions: {error}") from None


def make_engine(config: BuildConfig, cache: Path, round_: int) -> Engine:
    """The engine that the configuration names."""
    return Templates(config) if config.captioner == "template" else Llm(engine_settings(config, cache, round_))


@contextmanager
def with_server(config: BuildConfig, log_path: Path, say: Callable[[str], None]) -> Iterator[BuildConfig]:
    """The configuration with the address of a vLLM server that runs inside this block, where it asks for one.

    Raises MachineError if the server does not become healthy. It is stopped in any case, also when this process dies.
    """
    serve = config.llm.serve
    if config.captioner != "openai" or serve is None:
        yield config
        return
    options = ServeOptions(
        model=serve.model,
        served_name=config.llm.served_model,
        command=serve.command,
        device=serve.device,
        dtype=serve.dtype,
        tensor_parallel=serve.tensor_parallel,
        max_model_len=serve.max_model_len,
        extra_args=serve.extra_args,
        log_path=log_path,
        start_timeout_s=serve.start_timeout_s,
    )
    server = VllmServer(options, say)
    try:
        server.start()
    except VllmServerError as error:
        raise MachineError(f"--serve {serve.model}: {error}") from None
    try:
        llm = config.llm.model_copy(update={"base_urls": (*config.llm.base_urls, server.base_url)})
        yield config.model_copy(update={"llm": llm})
    finally:
        server.stop()
