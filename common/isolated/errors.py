"""What can go wrong with a tool in a process of its own. ``retryable``: the same request may succeed later."""

from collections.abc import Mapping
from typing import Any


class WorkerError(Exception):
    """Base of all; the message names the worker, what happened, the remedy and the end of the child's stderr."""

    retryable = False


class WorkerStartError(WorkerError):
    """The process did not start, or its handshake says another tool, version or protocol, or it refused to serve.

    ``remote_type`` and ``data`` are the child's own exception type and data where it said why.
    """

    def __init__(self, message: str, remote_type: str = "", data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.remote_type = remote_type
        self.data = dict(data or {})


class WorkerTimeout(WorkerError):  # noqa: N818 - an outcome, named as users look for it
    """No reply in time; the process was killed and the next request starts a new one.

    ``starved``: it had less than a quarter of the time on a processor: it was stopped, or waited for a disk, and may do
    better another time.
    """

    retryable = True

    def __init__(self, message: str, starved: bool = False) -> None:
        super().__init__(message)
        self.starved = starved


class WorkerCrashed(WorkerError):  # noqa: N818
    """The process ended during a request; the next request starts a new one.

    ``returncode`` is the negative number of the signal that killed it, or its exit code.
    """

    retryable = True

    def __init__(self, message: str, returncode: int | None) -> None:
        super().__init__(message)
        self.returncode = returncode


class WorkerProtocolError(WorkerError):
    """The process answered with something that is not a valid frame or not an answer to the request; it was killed."""


class RemoteError(WorkerError):
    """The tool raised while it handled a request; the process is well and goes on.

    ``type`` and ``remote_message`` are the exception's type name and text there, ``data`` what the handler added.
    """

    def __init__(self, message: str, type: str, remote_message: str, data: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.type = type
        self.remote_message = remote_message
        self.data = dict(data)
