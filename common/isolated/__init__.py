"""Tools that run in a process of their own, often in an environment of their own."""

from fgmcaps.common.isolated.client import FOREIGN_PYTHON_ENV, Handshake, IsolatedWorker, worker_command
from fgmcaps.common.isolated.errors import (
    RemoteError,
    WorkerCrashed,
    WorkerError,
    WorkerProtocolError,
    WorkerStartError,
    WorkerTimeout,
)
from fgmcaps.common.isolated.framing import FrameError, Message

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
