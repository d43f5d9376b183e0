"""Workers leave a note of what they are working on, and end when the build that started them is gone."""

import atexit
import json
import os
import socket
import threading
import time
from pathlib import Path

import psutil

BUILD_PID = "FGMCAPS_BUILD_PID"
_following = False


def lead_build(command_pid: int) -> None:
    """Mark this process as the build's own, and end it when the command that started it is gone (or was already)."""
    if os.getppid() != command_pid:
        os._exit(1)
    _exit_without(psutil.Process(command_pid))
    os.environ[BUILD_PID] = str(os.getpid())


def follow_build() -> None:
    """In a worker process: end soon after the build's own process has ended. Elsewhere: nothing.

    A worker whose build was killed must not go on: it would compete with the next build.
    """
    global _following
    leader = os.environ.get(BUILD_PID)
    if _following or leader is None or leader == str(os.getpid()):
        return
    _following = True
    # All results are on disk when a worker ends; unloading its models one by one only keeps the build waiting.
    atexit.register(os._exit, 0)
    try:
        _exit_without(psutil.Process(int(leader)))
    except psutil.NoSuchProcess:
        os._exit(1)


def _exit_without(other: psutil.Process, poll_s: float = 1.0) -> None:
    def wait_and_exit() -> None:
        while _works(other):
            time.sleep(poll_s)
        os._exit(1)

    threading.Thread(target=wait_and_exit, name="exit-without-parent", daemon=True).start()


def _works(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)  # is_running knows reused pids
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False


class InFlight:
    """The clip that this process is working on, in ``folder/<host>-<pid>.json``: after a crash, the one to blame."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{socket.gethostname()}-{os.getpid()}.json"

    def note(self, key: str) -> None:
        """Note the clip or track that is being started."""
        self.path.write_text(json.dumps(key), encoding="utf-8")

    def clear(self) -> None:
        """Nothing is in flight."""
        self.path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        return _works(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def left_in_flight(folder: Path) -> list[str]:
    """Clips and tracks that processes of this host left in flight when they died."""
    keys = []
    for path in sorted(folder.glob("*.json")):
        host, _, pid = path.stem.rpartition("-")
        if host == socket.gethostname() and pid.isdecimal() and not _lives(int(pid)):
            try:
                keys.append(str(json.loads(path.read_text(encoding="utf-8"))))
            except (ValueError, FileNotFoundError):
                continue  # it died while writing the note, or it has just finished
    return keys
