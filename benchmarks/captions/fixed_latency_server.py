"""A chat server of fixed latency and unlimited concurrency: ``python -m benchmarks.captions.fixed_latency_server``.

It answers each request after LATENCY seconds with a good caption of the style that is asked for, so that the client has
real answers to check. Prints its port, then serves until standard input ends.
"""

import asyncio
import contextlib
import json
import sys

LATENCY = 0.2
ANSWERS: dict[tuple[bytes, bytes], bytes] = {}
"""System text and question, both as JSON writes them -> the body of the answer."""


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
        system = body.find(b'{"role": "system", "content": "') + 31
        question = body.rfind(b'{"role": "user", "content": "') + 29
        asked = (body[system : body.find(b'"}', system)], body[question : body.find(b'"}', question)])
        caption = ANSWERS.get(asked, b"")
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(caption), caption)
        )


async def main() -> None:
    """Read the answers from standard input (JSON: system text, question, answer), serve until it ends."""
    loop = asyncio.get_running_loop()
    for system, question, text in json.loads(await loop.run_in_executor(None, sys.stdin.readline)):
        choice = {"message": {"role": "assistant", "content": json.dumps({"caption": text})}}
        asked = (json.dumps(system)[1:-1].encode(), json.dumps(question)[1:-1].encode())
        ANSWERS[asked] = json.dumps({"choices": [choice]}).encode()
    server = await loop.create_server(Chat, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        await loop.run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
