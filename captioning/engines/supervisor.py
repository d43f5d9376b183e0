"""Keeps one command for as long as its owner lives: ``python -I supervisor.py -- COMMAND ...``.

The owner holds the other end of our standard input. When it closes the pipe, or dies in any way (SIGKILL, crash), the
pipe ends and the whole process group of the command is stopped: SIGTERM, and SIGKILL 20 s later
(FGMCAPS_STOP_GRACE_S). Standard library only: it runs as a file, beside no package.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

GRACE_S = float(os.environ.get("FGMCAPS_STOP_GRACE_S", "20"))
_POLL_S = 0.1


def stop_group(child: "subprocess.Popen[bytes]", grace_s: float = GRACE_S) -> None:
    """End a process group and wait for it; harmless where it has ended already.

    The group is signalled even after its leader has gone, since a server's workers may outlive it.
    """
    for number, patience in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            child.poll()  # reaps the leader
            if not _group_lives(child.pid):
                return
            time.sleep(_POLL_S)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> int:
    """Run the command until it ends or standard input does; the command's own exit status, or 0 after a stop."""
    command = sys.argv[sys.argv.index("--") + 1 :]
    # A Ctrl-C in the terminal is the owner's to handle: it closes the pipe when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        while not stopping:
            if child.poll() is not None:
                return child.returncode
            readable, _, _ = select.select([0], [], [], _POLL_S)
            if readable and not os.read(0, 4096):
                break
        return 0
    finally:
        stop_group(child)


if __name__ == "__main__":
    sys.exit(main())
