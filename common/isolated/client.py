"""A tool in a process of its own: started once, restarted when it dies, killed when it hangs.

The child speaks the frames of :mod:`fgmcaps.common.isolated.framing` over its stdin and stdout; its side is
:mod:`fgmcaps.common.isolated.server`. A request that kills the child costs only itself.
"""

import logging
import os
import signal
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from fgmcaps.common.isolated.errors import (
    RemoteError,
    WorkerCrashed,
    WorkerError,
    WorkerProtocolError,
    WorkerStartError,
    WorkerTimeout,
)
from fgmcaps.common.isolated.framing import MAX_PAYLOAD_BYTES, PROTOCOL_VERSION, Array, FrameError, Message
from fgmcaps.common.isolated.process import ChildProcess, Deadline, DeadlineError, GoneError

logger = logging.getLogger(__name__)

# Variables of our own environment that would send another interpreter into the wrong one.
FOREIGN_PYTHON_ENV: Mapping[str, str | None] = {"PYTHONPATH": None, "PYTHONHOME": None, "VIRTUAL_ENV": None}

_BOOT = Path(__file__).with_name("boot.py")
_CRASH_WAIT_S = 1.0
_STARVED = 0.25


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the child must say of itself: the tool's name, and the versions that are pinned (others are free)."""

    tool: str
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Slot:
    """Where the finalizer finds the child of the moment, without holding the worker alive."""

    child: ChildProcess | None = None
    owner_pid: int = 0


def worker_command(module: str, python: str | Path = sys.executable, root: Path | None = None) -> list[str]:
    """Command that runs ``main(channel)`` of ``module``: one of ours, or one that is found under ``root``."""
    return [str(python), "-I", str(_BOOT), module, *([] if root is None else [str(root)])]


class IsolatedWorker:
    """A child process that answers requests, one at a time.

    Starts on the first request (or :meth:`start`); starts anew on the request after a crash, a time-out or a protocol
    error. A context manager; :meth:`close` ends the child, so does the interpreter's exit, and the child ends itself
    if this process is killed. Thread-safe: calls from several threads queue, and each one's time-out begins when its
    turn comes. After a fork the new process starts a child of its own and leaves the inherited one alone.

    Args:
        command: argv of the child, no shell; see :func:`worker_command`.
        handshake: what the child must say of itself, else WorkerStartError.
        timeout_s: default seconds for one request, from sending to the whole reply.
        start_timeout_s: seconds from start to the handshake (a large model loads in it).
        memory_limit_bytes: address space of the child (Linux), None for no limit.
        max_payload_bytes: cap on the arrays of one request and of one reply.
        env: laid over our environment; None as a value removes the variable.
        remedy: what to do if it does not start, shown in WorkerStartError.
    """

    def __init__(
        self,
        command: Sequence[str],
        handshake: Handshake,
        *,
        timeout_s: float = 60.0,
        start_timeout_s: float = 60.0,
        memory_limit_bytes: int | None = None,
        max_payload_bytes: int = MAX_PAYLOAD_BYTES,
        env: Mapping[str, str | None] | None = None,
        stop_grace_s: float = 1.0,
        remedy: str = "",
    ) -> None:
        self._command = tuple(command)
        self._handshake = handshake
        self._timeout_s = timeout_s
        self._start_timeout_s = start_timeout_s
        self._memory_limit_bytes = memory_limit_bytes
        self._max_payload_bytes = max_payload_bytes
        self._env = dict(env or {})
        self._stop_grace_s = stop_grace_s
        self._remedy = remedy
        self._lock = threading.Lock()
        self._slot = _Slot()
        self._versions: Mapping[str, str] = {}
        self._starts = 0
        self._next_id = 0
        self._finalizer = weakref.finalize(self, _stop, self._slot, stop_grace_s)

    @property
    def starts(self) -> int:
        """How many child processes were started so far: 1 + restarts."""
        return self._starts

    @property
    def pid(self) -> int | None:
        """Process id of the child of the moment, None if there is none."""
        child = self._slot.child
        return child.pid if child is not None and self._slot.owner_pid == os.getpid() else None

    def versions(self) -> Mapping[str, str]:
        """The versions that the child declared, its Python's among them; starts it if need be."""
        with self._lock:
            self._running()
            return self._versions

    def start(self) -> None:
        """Start the child and wait for its handshake; nothing if it runs. Raises WorkerStartError."""
        with self._lock:
            self._running()

    def request(
        self,
        operation: str,
        args: Mapping[str, Any] | None = None,
        arrays: Mapping[str, Array] | None = None,
        timeout_s: float | None = None,
    ) -> Message:
        """Ask for ``operation``; the reply's ``fields`` (JSON values) and ``arrays``.

        Raises FrameError (the request does not fit into a frame: nothing was sent), RemoteError, WorkerTimeout,
        WorkerCrashed, WorkerProtocolError, WorkerStartError.
        """
        with self._lock:
            child = self._running()
            self._next_id += 1
            message = Message({"id": self._next_id, "op": operation, "args": dict(args or {})}, dict(arrays or {}))
            reply = self._exchange(child, message, operation, self._timeout_s if timeout_s is None else timeout_s)
        if reply.fields.get("kind") == "error":
            raise self._remote_error(reply, operation)
        values = reply.fields.get("values")
        return Message(values if isinstance(values, dict) else {}, reply.arrays)

    def close(self) -> None:
        """End the child; a later request would start a new one. May be called twice."""
        with self._lock:
            _stop(self._slot, self._stop_grace_s)

    def __enter__(self) -> "IsolatedWorker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, child: ChildProcess, message: Message, operation: str, timeout_s: float) -> Message:
        deadline = Deadline(timeout_s)
        used_before = child.cpu_seconds()
        sending = True
        try:
            child.send(message, deadline, self._max_payload_bytes)
            sending = False
            reply = child.receive(deadline, self._max_payload_bytes)
            if reply.fields.get("kind") not in ("reply", "error") or reply.fields.get("id") != message.fields["id"]:
                raise FrameError(f"not the answer to request {message.fields['id']}: {dict(reply.fields)!r:.300}")
            return reply
        except DeadlineError:
            used = child.cpu_seconds()
            starved = used is not None and used_before is not None and used - used_before < _STARVED * timeout_s
            self._drop(child)
            raise WorkerTimeout(
                self._text(child, f"gave no answer to {operation!r} within {timeout_s:g} s and was killed"), starved
            ) from None
        except GoneError:
            self._slot.child = None
            code = child.exit_code_after_close(_CRASH_WAIT_S)
            raise WorkerCrashed(
                self._text(child, f"ended during {operation!r} ({describe_exit(code)})"), code
            ) from None
        except FrameError as error:
            if sending:
                raise  # nothing was sent, the child is well
            self._drop(child)
            raise WorkerProtocolError(
                self._text(child, f"broke the protocol during {operation!r} and was killed: {error}")
            ) from None
        except BaseException:  # Ctrl-C between request and reply: the stream is out of step
            self._drop(child)
            raise

    def _running(self) -> ChildProcess:
        slot = self._slot
        if slot.child is not None and slot.owner_pid != os.getpid():
            slot.child.abandon()  # our parent's, inherited by fork
            slot.child = None
        if slot.child is not None and not slot.child.alive():
            logger.warning("%s ended while idle; it is started again", self._handshake.tool)
            self._drop(slot.child)
        if slot.child is None:
            slot.child = self._start()
            slot.owner_pid = os.getpid()
        return slot.child

    def _start(self) -> ChildProcess:
        try:
            child = ChildProcess(self._command, self._env, self._memory_limit_bytes)
        except OSError as error:
            raise WorkerStartError(self._text(None, f"cannot be started: {error}", self._remedy)) from None
        self._starts += 1
        try:
            hello = child.receive(Deadline(self._start_timeout_s), self._max_payload_bytes)
        except DeadlineError:
            child.kill()
            problem = f"gave no handshake within {self._start_timeout_s:g} s and was killed"
            raise WorkerStartError(self._text(child, problem, self._remedy)) from None
        except GoneError:
            code = child.exit_code_after_close(_CRASH_WAIT_S)
            problem = f"ended before its handshake ({describe_exit(code)})"
            raise WorkerStartError(self._text(child, problem, self._remedy)) from None
        except FrameError as error:
            child.kill()
            raise WorkerStartError(self._text(child, f"gave no valid handshake: {error}", self._remedy)) from None
        except BaseException:
            child.kill()
            raise
        try:
            self._versions = self._check(hello, child)
        except WorkerError:
            child.kill()
            raise
        logger.info("%s started, pid %d, versions %s", self._handshake.tool, child.pid, dict(self._versions))
        return child

    def _check(self, hello: Message, child: ChildProcess) -> Mapping[str, str]:
        fields, expected = hello.fields, self._handshake
        if fields.get("kind") == "error":
            kind, text, data = fields.get("type"), fields.get("message"), fields.get("data")
            problem = self._text(child, f"refused to start: {kind}: {text}", self._remedy)
            raise WorkerStartError(problem, str(kind), data if isinstance(data, dict) else {})
        versions = fields.get("versions")
        if fields.get("kind") != "hello" or not isinstance(versions, dict):
            raise WorkerStartError(self._text(child, f"gave no handshake but {dict(fields)!r:.300}", self._remedy))
        if fields.get("protocol") != PROTOCOL_VERSION:
            problem = f"speaks protocol {fields.get('protocol')!r}, not {PROTOCOL_VERSION}"
            raise WorkerStartError(self._text(child, problem, self._remedy))
        if fields.get("tool") != expected.tool:
            raise WorkerStartError(self._text(child, f"is {fields.get('tool')!r}, another tool", self._remedy))
        for name, version in expected.versions.items():
            if versions.get(name) != version:
                problem = f"has {name} {versions.get(name)}, not {version}"
                raise WorkerStartError(self._text(child, problem, self._remedy))
        return {str(name): str(version) for name, version in versions.items()}

    def _remote_error(self, reply: Message, operation: str) -> RemoteError:
        kind, text = str(reply.fields.get("type")), str(reply.fields.get("message"))
        data = reply.fields.get("data")
        message = f"{self._handshake.tool} failed at {operation!r}: {kind}: {text}"
        return RemoteError(message, kind, text, data if isinstance(data, dict) else {})

    def _drop(self, child: ChildProcess) -> None:
        self._slot.child = None
        child.kill()

    def _text(self, child: ChildProcess | None, problem: str, remedy: str = "") -> str:
        parts = [f"worker {self._handshake.tool!r} {problem}"]
        if remedy:
            parts.append(f"Remedy: {remedy}")
        parts.append(f"Command: {' '.join(self._command)}")
        tail = child.stderr_tail() if child is not None else ""
        if tail:
            parts.append(f"End of its stderr:\n{tail}")
        return ". ".join(parts[:-1]) + (f". {parts[-1]}")


def describe_exit(code: int | None) -> str:
    """``exit code 3`` or ``killed by SIGABRT``."""
    if code is None:
        return "no exit code"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _stop(slot: _Slot, grace_s: float) -> None:
    child, slot.child = slot.child, None
    if child is not None and slot.owner_pid == os.getpid():
        child.stop(grace_s)
