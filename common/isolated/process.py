"""One child process on pipes, with a deadline on every wait. No threads: its stderr is read while we wait for it."""

import contextlib
import math
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fgmcaps.common.isolated.framing import PREFIX, Array, Message, decode, encode, parse_prefix

LIFELINE_VARIABLE = "FGMCAPS_LIFELINE_FD"
STDERR_TAIL_BYTES = 8192
_CHUNK = 1 << 20
_SLICE_S = 1.0


class Deadline:
    """A time-out that does not run while everything is frozen (a paused container, a suspended machine).

    A wait that was to take a second and took many more is no sign of a slow child: we were stopped, and so was it.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def slice_s(self) -> float:
        """How long to wait now, 0 when the time is over."""
        return min(_SLICE_S, max(0.0, self._end - time.monotonic()))

    def waited(self, meant_s: float, took_s: float) -> None:
        """Note a wait: what it took too long does not count."""
        if took_s > meant_s + _SLICE_S:
            self._end += took_s - meant_s


class DeadlineError(Exception):
    """The child did not take or give the bytes in time."""


class GoneError(Exception):
    """The child closed its end: it is dead, or as good as."""


class ChildProcess:
    """A started child in a session of its own, so that killing it kills what it started.

    Not thread-safe; the owner holds a lock. ``env`` is laid over ours, None removes a variable.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str | None], memory_limit_bytes: int | None) -> None:
        lifeline_child, self._lifeline = os.pipe()
        variables = {**os.environ, **env, LIFELINE_VARIABLE: str(lifeline_child)}
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=(lifeline_child,),
                start_new_session=True,
                env={name: value for name, value in variables.items() if value is not None},
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline_child)
        assert process.stdin and process.stdout and process.stderr
        self._process = process
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._stderr_open = True
        self._tail = bytearray()
        for stream in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(stream.fileno(), False)
        self._limit(memory_limit_bytes)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def cpu_seconds(self) -> float | None:
        """Processor time that the child has used, None where the system does not say."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return None

    def alive(self) -> bool:
        """False once the child has ended."""
        return self._process.poll() is None

    def send(self, message: Message, deadline: Deadline, max_payload_bytes: int) -> None:
        """Write a message before ``deadline``.

        Raises FrameError before anything is written, DeadlineError or GoneError on the way.
        """
        fd = self._stdin.fileno()
        for buffer in encode(message, max_payload_bytes=max_payload_bytes):
            while len(buffer):
                self._wait(fd, select.POLLOUT, deadline)
                try:
                    buffer = buffer[os.write(fd, buffer[:_CHUNK]) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    raise GoneError from None

    def receive(self, deadline: Deadline, max_payload_bytes: int) -> Message:
        """Read the next message. Raises FrameError, DeadlineError or GoneError."""
        prefix = self._read(PREFIX.size, deadline).tobytes()
        header_bytes, payload_bytes = parse_prefix(prefix, max_payload_bytes=max_payload_bytes)
        header = self._read(header_bytes, deadline)
        return decode(header.tobytes(), self._read(payload_bytes, deadline))

    def stderr_tail(self) -> str:
        """The last of what the child wrote to stderr, for error messages."""
        self._drain_stderr()
        return self._tail.decode("utf-8", "replace").strip()

    def kill(self) -> int | None:
        """Kill the child and all of its session, reap it, close the pipes; its exit code."""
        if self._process.returncode is None:  # not reaped yet, so the group id is still ours
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._drain_stderr()
        self._close()
        return self._process.returncode

    def exit_code_after_close(self, seconds: float) -> int | None:
        """Exit code of a child that closed its pipes: it has a moment to end by itself, then it is killed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Wait without reaping, so that the group can still be killed for its grandchildren.
            self._await_exit(seconds)
        return self.kill()

    def stop(self, grace_s: float) -> None:
        """End the child in order: close its stdin, wait, terminate, wait, kill. Leaves no zombie."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        if not self._await_exit(grace_s):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._await_exit(grace_s)
        self.kill()

    def abandon(self) -> None:
        """Close our copies of the pipes after a fork: the child is our parent's, and must see its end alone."""
        self._close()
        self._process.returncode = 0  # so that its finalizer does not wait for a child that is not ours

    def _await_exit(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._process.returncode is None:
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return True
            if time.monotonic() >= deadline:
                return False
            self._drain_stderr()  # a child that is blocked on a full stderr cannot end
            time.sleep(0.005)
        return True

    def _limit(self, memory_limit_bytes: int | None) -> None:
        if not hasattr(resource, "prlimit"):  # Linux only; elsewhere the time-outs are the guard
            return
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self.pid, resource.RLIMIT_CORE, (0, 0))
            if memory_limit_bytes is not None:
                resource.prlimit(self.pid, resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))

    def _read(self, size: int, deadline: Deadline) -> Array:
        data = np.empty(size, np.uint8)  # pages are committed as bytes arrive, not by the announced length
        view = data.data
        fd = self._stdout.fileno()
        while len(view):
            self._wait(fd, select.POLLIN, deadline)
            try:
                got = os.readv(fd, [view[:_CHUNK]])
            except BlockingIOError:
                continue
            if got == 0:
                raise GoneError
            view = view[got:]
        return data

    def _wait(self, fd: int, event: int, deadline: Deadline) -> None:
        while True:
            left = deadline.slice_s()
            if left <= 0:
                raise DeadlineError
            began = time.monotonic()
            poll = select.poll()
            poll.register(fd, event)
            if self._stderr_open:
                poll.register(self._stderr.fileno(), select.POLLIN)
            ready = {ready_fd for ready_fd, _ in poll.poll(math.ceil(left * 1000))}
            deadline.waited(left, time.monotonic() - began)
            if self._stderr_open and self._stderr.fileno() in ready:
                self._drain_stderr()
            if fd in ready:
                return

    def _drain_stderr(self) -> None:
        for _ in range(64):  # bounded: a child that writes without end must not keep us here
            if not self._stderr_open:
                return
            try:
                data = os.read(self._stderr.fileno(), 1 << 16)
            except BlockingIOError:
                return
            if not data:
                self._stderr_open = False
            self._tail = (self._tail + data)[-STDERR_TAIL_BYTES:]

    def _close(self) -> None:
        self._stderr_open = False
        for stream in (self._stdin, self._stdout, self._stderr):
            with contextlib.suppress(OSError):
                stream.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
