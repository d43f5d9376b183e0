"""The child's side: answer requests on a channel until the parent goes away. Needs only numpy and the standard library.

A worker file has a function ``main(channel)`` that loads its tool and calls :func:`serve`; ``boot.py`` runs it.
"""

import errno
import fcntl
import os
import platform
import select
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fgmcaps.common.isolated.framing import (
    PREFIX,
    PROTOCOL_VERSION,
    Array,
    Message,
    decode,
    encode,
    parse_prefix,
)

Handler = Callable[[Mapping[str, Any], Mapping[str, Array]], Message]
"""``(args, arrays) -> Message(values, arrays)``. Raise :class:`HandlerError` for an error with data."""

_ERROR_CHARACTERS = 4000


class HandlerError(Exception):
    """An error that reaches the client as ``RemoteError(type, message, data)`` with exactly these three."""

    def __init__(self, kind: str, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.data = dict(data or {})


@dataclass(frozen=True, slots=True)
class Channel:
    """The two ends that carry frames; nothing else of the process can write to them by accident."""

    read_fd: int
    write_fd: int

    @classmethod
    def take_over_stdio(cls) -> "Channel":
        """Move the frames away from descriptors 0 and 1: stray prints (C code too) go to stderr, stdin is empty."""
        channel = cls(os.dup(0), os.dup(1))
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        return channel

    def receive(self) -> Message | None:
        """The next message; None when the parent closed the pipe. Raises FrameError."""
        prefix = self._read(PREFIX.size)
        if prefix is None:
            return None
        header_bytes, payload_bytes = parse_prefix(prefix.tobytes())
        header, payload = self._read(header_bytes), self._read(payload_bytes)
        return None if header is None or payload is None else decode(header.tobytes(), payload)

    def send(self, message: Message) -> None:
        """Write a message whole. Raises FrameError before a byte is written, BrokenPipeError if the parent is gone."""
        for buffer in encode(message):
            while len(buffer):
                buffer = buffer[os.write(self.write_fd, buffer[: 1 << 20]) :]

    def _read(self, size: int) -> Array | None:
        data = np.empty(size, np.uint8)  # pages are committed as the bytes arrive, not by the announced length
        view = data.data
        while len(view):
            got = os.readv(self.read_fd, [view[: 1 << 20]])
            if got == 0:
                return None
            view = view[got:]
        return data


@dataclass(frozen=True, slots=True)
class Tool:
    """What the handshake says of this side: the tool's name, and the versions that its results depend on."""

    name: str
    versions: Mapping[str, str] = field(default_factory=dict)


def serve(channel: Channel, tool: Tool, handlers: Mapping[str, Handler]) -> None:
    """Say hello, then answer one request at a time; returns when the parent closes the pipe.

    An exception of a handler is an error reply, never the end. Only broken framing ends the loop, with FrameError.
    """
    hello = {
        "kind": "hello",
        "protocol": PROTOCOL_VERSION,
        "tool": tool.name,
        "versions": {"python": platform.python_version(), **tool.versions},
    }
    try:
        channel.send(Message(hello))
        while (request := channel.receive()) is not None:
            channel.send(_answer(request, handlers))
    except BrokenPipeError:
        return


def refuse(channel: Channel, error: BaseException) -> None:
    """Say why there will be no hello: the client raises it as WorkerStartError."""
    channel.send(_error_reply(0, error))


def _answer(request: Message, handlers: Mapping[str, Handler]) -> Message:
    number, operation = request.fields.get("id"), request.fields.get("op")
    try:
        handler = handlers.get(str(operation))
        if handler is None:
            raise HandlerError("UnknownOperation", f"no operation {operation!r}; there are {', '.join(handlers)}")
        reply = handler(request.fields.get("args") or {}, request.arrays)
        answer = Message({"kind": "reply", "id": number, "values": dict(reply.fields)}, reply.arrays)
        encode(answer)  # a reply that does not fit into a frame is this request's error, too
        return answer
    except Exception as error:  # a tool may raise anything; the client gets its type and text
        return _error_reply(number, error)


def _error_reply(number: Any, error: BaseException) -> Message:
    data: Mapping[str, Any] = {}
    kind, text = type(error).__name__, str(error)
    if isinstance(error, HandlerError):
        kind, text, data = error.kind, error.message, error.data
    return Message({"kind": "error", "id": number, "type": kind, "message": text[:_ERROR_CHARACTERS], "data": data})


def guard_parent(lifeline_fd: int) -> None:
    """Die by signal when the parent dies, even inside a C call that never returns and holds the interpreter's lock.

    The parent keeps the other end of the lifeline pipe and never writes; the kernel sends SIGIO, whose default action
    ends the process, when that end closes. (PR_SET_PDEATHSIG would fire when the *thread* that started us ends.)
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline_fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline_fd, fcntl.F_SETFL, fcntl.fcntl(lifeline_fd, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(lifeline_fd, 0)
    if poll.poll(0):  # the parent died before the flag was set
        os._exit(errno.EPIPE)
