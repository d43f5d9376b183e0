"""An OpenAI-compatible chat server on 127.0.0.1 that misbehaves on purpose. Standard library only.

A behaviour is a function of the request (parsed JSON, running number) that returns a :class:`Reply`; the server speaks
HTTP/1.1 with keep-alive by itself, so that it can also cut, drip and hang.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """One answer. ``cut`` closes the connection after so many bytes of the response, ``drip`` waits between bytes."""

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0
    drip: float = 0.0
    cut: int | None = None

    def payload(self) -> bytes:
        if self.body is not None:
            return self.body
        if self.status != 200:
            return json.dumps({"error": {"message": "no"}}).encode()
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": self.text}}
        return json.dumps({"object": "chat.completion", "choices": [choice]}).encode()


Behaviour = Callable[[dict[str, Any], int], Reply]


class HostileServer:
    """Runs a behaviour in a thread of its own; a context manager; ``url`` is the base URL for the engine."""

    def __init__(self, behaviour: Behaviour, port: int = 0) -> None:
        self.behaviour = behaviour
        self.requests: list[dict[str, Any]] = []
        self.authorizations: set[str] = set()
        self.peak = 0
        self._running = 0
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def port(self) -> int:
        return self._port

    def __enter__(self) -> "HostileServer":
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self._port, backlog=1024))
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:]) if n}
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        if "authorization" in headers:
            self.authorizations.add(headers["authorization"])
        if head[0].startswith("GET"):
            reply = Reply(body=b'{"object": "list", "data": []}')
        else:
            request = json.loads(content)
            self.requests.append(request)
            reply = self.behaviour(request, len(self.requests))
        self._running += 1
        self.peak = max(self.peak, self._running)
        try:
            await asyncio.sleep(reply.delay)
            return await self._send(writer, reply)
        finally:
            self._running -= 1

    async def _send(self, writer: asyncio.StreamWriter, reply: Reply) -> bool:
        payload = reply.payload()
        lines = [f"HTTP/1.1 {reply.status} X", f"Content-Length: {len(payload)}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode() + payload
        if reply.cut is not None:
            writer.write(data[: reply.cut])
            await writer.drain()
            return False
        if reply.drip:
            for i in range(len(data)):
                writer.write(data[i : i + 1])
                await writer.drain()
                await asyncio.sleep(reply.drip)
        else:
            writer.write(data)
            await writer.drain()
        return True
