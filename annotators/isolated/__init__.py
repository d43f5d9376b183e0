"""Tools that run in a process of their own, often in an environment of their own."""

from annotators.isolated.client import FOREIGN_PYTHON_ENV, Handshake, IsolatedWorker, worker_command
from annotators.isolated.errors import (
    RemoteError,
    WorkerCrashed,
    WorkerError,
    WorkerProtocolError,
    WorkerStartError,
    WorkerTimeout,
)
from annotators.isolated.framing import FrameError, Message

__all__ = [
    "FOREIGN_PYTHON_ENV",
    "FrameError",
    "Handshake",
    "IsolatedWorker",
    "Message",
    "RemoteError",
    "WorkerCrashed",
    "WorkerError",
    "WorkerProtocolError",
    "WorkerStartError",
    "WorkerTimeout",
    "worker_command",
]
