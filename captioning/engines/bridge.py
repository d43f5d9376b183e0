"""The asynchronous engine for synchronous callers, such as a Beam DoFn: an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from fgmcaps.captioning.engines.openai import EngineStats, OpenAIEngine
from fgmcaps.captioning.engines.settings import EngineSettings
from fgmcaps.schemas import Caption, Facts

T = TypeVar("T")


class EngineBridge:
    """One engine on its own event loop thread; one per process: made in a DoFn's ``setup``, closed in ``teardown``.

    A DoFn calls :meth:`submit` for each element, yields what is done, and waits for the rest in ``finish_bundle``. Up
    to ``settings.concurrency`` clips are under way at a time.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._slots = threading.BoundedSemaphore(settings.concurrency)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="caption-engine", daemon=True)
        self._thread.start()
        self._closed = False
        try:
            self._engine = self._call(_make(settings))
        except BaseException:
            self._stop_loop()
            raise

    @property
    def stats(self) -> EngineStats:
        """The engine's counts."""
        return self._engine.stats

    def wait_ready(self, timeout_s: float) -> None:
        """Block until a server answers; ServerUnavailableError or EngineConfigError else."""
        self._call(self._engine.wait_ready(timeout_s))

    def submit(self, clip_id: str, facts: Facts) -> "Future[Caption]":
        """Start one clip; blocks while ``concurrency`` clips are under way, so that memory stays bounded."""
        self._slots.acquire()
        try:
            future = asyncio.run_coroutine_threadsafe(self._engine.caption(clip_id, facts), self._loop)
        except BaseException:
            self._slots.release()
            raise
        future.add_done_callback(lambda _: self._slots.release())
        return future

    def close(self) -> None:
        """Give up what is under way, close connections and cache, end the thread. Harmless when called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._call(self._shut_down())
        finally:
            self._stop_loop()

    def __enter__(self) -> "EngineBridge":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _shut_down(self) -> None:
        others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._engine.close()

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        if not self._thread.is_alive():
            self._loop.close()


async def _make(settings: EngineSettings) -> OpenAIEngine:
    return OpenAIEngine(settings)
