"""Several servers in rotation: which one to ask next, and which ones to leave alone for a while."""

import asyncio
import random
import time
from dataclasses import dataclass

from fgmcaps.captioning.engines.holds import Means


@dataclass(slots=True)
class Endpoint:
    """One server's state.

    ``means`` is None until it is known how the server takes grammars, and ``probe`` is pending while requests find
    that out; ``refusals`` counts grammars that it refused since it last answered under one. ``open_at`` is the
    monotonic time from which it may be asked again; ``down_since`` when its current outage began.
    """

    url: str
    means: Means | None = None
    refusals: int = 0
    in_flight: int = 0
    failures: int = 0
    open_at: float = 0.0
    down_since: float | None = None
    last_error: str = ""
    answers: int = 0
    probe: asyncio.Future[None] | None = None

    def succeeded(self) -> None:
        """The server answered."""
        self.failures, self.down_since, self.open_at = 0, None, 0.0
        self.answers += 1

    def failed(self, error: str, now: float, base: float, cap: float) -> None:
        """The server did not answer, or answered 5xx: leave it alone for a growing, jittered while."""
        self.last_error = error
        self.down_since = now if self.down_since is None else self.down_since
        if now >= self.open_at:  # requests that were in flight together count as one failure
            self.failures += 1
            self.open_at = now + min(cap, base * 2 ** min(self.failures, 16)) * random.uniform(0.5, 1.0)

    def told_to_wait(self, seconds: float, now: float) -> None:
        """429 or 503 with Retry-After: the server lives and says when to come back."""
        self.open_at = max(self.open_at, now + seconds)
        self.last_error = "429 Too Many Requests"


class Rotation:
    """Chooses the open endpoint with the fewest requests in flight."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        self.endpoints = [Endpoint(url.rstrip("/")) for url in urls]
        self._turn = 0

    async def next(self, deadline: float) -> Endpoint | None:
        """An endpoint that may be asked, as soon as one opens; None where none opens by ``deadline`` (monotonic)."""
        while True:
            now = time.monotonic()
            ready = [e for e in self.endpoints if e.open_at <= now]
            if ready:
                self._turn += 1
                least = min(e.in_flight for e in ready)
                equal = [e for e in ready if e.in_flight == least]
                return equal[self._turn % len(equal)]
            opens = min(e.open_at for e in self.endpoints)
            if opens >= deadline:
                return None
            # Wake spread out, so that a storm does not come back as one wave.
            await asyncio.sleep(opens - now + random.uniform(0.0, 0.05))

    def outage(self, now: float) -> float:
        """Seconds for which no endpoint at all has answered; 0 while one is well."""
        since = [e.down_since for e in self.endpoints]
        known = [s for s in since if s is not None]
        return now - max(known) if len(known) == len(since) else 0.0

    def describe(self) -> str:
        """One line on every endpoint, for messages."""
        return "; ".join(f"{e.url}: {e.last_error or 'no answer yet'}" for e in self.endpoints)
