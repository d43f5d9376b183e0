"""A chat server of fixed latency and unlimited concurrency: ``python -m benchmarks.captions.fixed_latency_server``.

It answers each request after LATENCY seconds with the caption that its question carries in ``metadata`` order: the
template's caption of the same facts, so that the client has real answers to check. Prints its port, then serves until
standard input ends.
"""

import asyncio
import contextlib
import json
import sys

LATENCY = 0.2
ANSWERS: dict[bytes, bytes] = {}


class Chat(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as little of it as the client needs, so that the server costs little CPU."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer whole requests later."""
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
        if len(body) >= length:
            self.buffer = body[length:]
            asyncio.get_running_loop().call_later(LATENCY, self.answer, body[:length])

    def answer(self, body: bytes) -> None:
        """Write the answer to the question at the end of the request."""
        if self.transport.is_closing():
            return
        begin = body.rfind(b'{"role": "user", "content": "') + 29
        caption = ANSWERS.get(body[begin : body.find(b'"}', begin)], b"")
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(caption), caption)
        )


async def main() -> None:
    """Read the answers from standard input (a JSON object in one line), serve until it ends."""
    loop = asyncio.get_running_loop()
    for question, text in json.loads(await loop.run_in_executor(None, sys.stdin.readline)).items():
        choice = {"message": {"role": "assistant", "content": json.dumps({"caption": text})}}
        ANSWERS[json.dumps(question)[1:-1].encode()] = json.dumps({"choices": [choice]}).encode()
    server = await loop.create_server(Chat, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        await loop.run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
