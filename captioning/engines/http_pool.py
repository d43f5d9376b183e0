"""HTTP connections for hundreds of requests in flight.

One small httpx2 transport per request in flight, reused last in, first out. httpx2's own pool looks at every connection
for every request, and asks the operating system about each idle one: with 256 of them that is 20 ms of CPU a request,
measured. Redirects, cookies and other doings of a browser are left out with the client around the transport.
"""

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from fgmcaps.captioning.engines.settings import EngineSettings
from fgmcaps.common.scrub import Scrubber, secrets_of_environment

_LOCAL = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0"})


class AnswerTooLongError(Exception):
    """The body is longer than the limit; the rest was not read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and whole body of a response, secrets of ours taken out of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpPool:
    """Sends requests; belongs to one event loop. As many transports exist as requests were ever in flight at a time."""

    def __init__(self, settings: EngineSettings) -> None:
        # No compression: the limit on an answer's size must hold for what arrives.
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "fgmcaps"}
        if settings.key:
            self._headers["Authorization"] = f"Bearer {settings.key}"
        self.scrubber = Scrubber((settings.key or "", *secrets_of_environment()))
        self._limit = settings.max_response_bytes
        self._connections = len(settings.base_urls)
        self._tls = httpx2.create_ssl_context()
        self._proxy = _proxy_for(settings.base_urls)
        self._urls: dict[str, httpx2.URL] = {}
        self._free: list[httpx2.AsyncHTTPTransport] = []
        self._all: list[httpx2.AsyncHTTPTransport] = []
        # The whole request is timed out by our caller: httpx2's limits are per chunk, which a slow drip never exceeds.
        self._extensions = {"timeout": {"connect": settings.timeout_s}}

    async def request(self, method: str, url: str, content: bytes = b"") -> Answer:
        """Send and read the whole answer. Raises httpx2.HTTPError, OSError and AnswerTooLongError."""
        parsed = self._urls.get(url)
        if parsed is None:
            parsed = self._urls[url] = httpx2.URL(url)
        transport = self._free.pop() if self._free else self._make()
        try:
            request = httpx2.Request(
                method, parsed, headers=self._headers, content=content, extensions=self._extensions
            )
            response = await transport.handle_async_request(request)
            try:
                body = await self._read(response)
            finally:
                await response.aclose()
            return Answer(response.status_code, response.headers, self.scrubber.data(body))
        finally:
            self._free.append(transport)

    async def close(self) -> None:
        """Close all connections."""
        for transport in self._all:
            await transport.aclose()

    async def _read(self, response: httpx2.Response) -> bytes:
        body = bytearray()
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        async for chunk in response.stream:
            body += chunk
            if len(body) > self._limit:
                raise AnswerTooLongError
        return bytes(body)

    def _make(self) -> httpx2.AsyncHTTPTransport:
        limits = httpx2.Limits(max_connections=self._connections, max_keepalive_connections=self._connections)
        transport = httpx2.AsyncHTTPTransport(verify=self._tls, limits=limits, proxy=self._proxy, trust_env=False)
        self._all.append(transport)
        return transport


def _proxy_for(urls: tuple[str, ...]) -> str | None:
    """The proxy of the environment, which is for remote servers, never for one on this machine."""
    remote = [urlsplit(url) for url in urls if urlsplit(url).hostname not in _LOCAL]
    if len(remote) < len(urls) or urllib.request.proxy_bypass(remote[0].hostname or ""):
        return None
    return urllib.request.getproxies().get(remote[0].scheme)
