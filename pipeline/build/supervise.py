"""Runs the job process and watches it: progress from the journals, restarts after a crash, a clean end after Ctrl-C.

Beam's local runner waits forever when a worker process dies (measured with 2.77), so death is noticed here: by the
clip that a dead worker left in flight, or by a worker that is gone. The job is killed and started again; its journals
hold all but what was in memory. A clip that takes a worker down twice goes to the dead letters.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from fgmcaps.common.errors import MachineError, error_of
from fgmcaps.pipeline.build.job import describe, read_error
from fgmcaps.pipeline.build.output_folder import OutputFolder
from fgmcaps.pipeline.build.runner_check import LOCAL
from fgmcaps.pipeline.build.spec import BuildSpec
from fgmcaps.pipeline.stages.in_flight import left_in_flight

log = logging.getLogger(__name__)
POLL_S = 0.25
CRASHES_TO_BLAME = 2
MAX_RESTARTS_WITHOUT_BLAME = 3
LOST_WORKER_GRACE_S = 20.0
LOOK_EVERY_S = 3.0  # listing all processes of the machine takes time that the workers need


def supervise(spec: BuildSpec, tick: Callable[[], None]) -> None:
    """Run the job to its end; ``tick`` is called a few times a second.

    Raises FgmcapsError (or its kinds) with the job's own message, KeyboardInterrupt after stopping everything.
    """
    folder = OutputFolder(spec.out)
    in_flight = folder.work / "workers"
    crashes: Counter[str] = Counter()
    unexplained = 0
    while True:
        _clear(in_flight)
        describe(folder.work, spec)
        finished, guilty = _run_once(spec, folder.work, in_flight, tick)
        if finished:
            return
        if guilty:
            crashes.update(guilty)
            poison = frozenset(key for key, n in crashes.items() if n >= CRASHES_TO_BLAME)
            log.warning("a worker process died while it worked on %s; going on", ", ".join(guilty))
            spec = replace(spec, poison=poison)
        else:
            unexplained += 1
            log.warning("a worker process died; going on")
            if unexplained > MAX_RESTARTS_WITHOUT_BLAME:
                raise MachineError(
                    f"worker processes keep dying (out of memory? try fewer --workers); log: {_log_file(folder.work)}; "
                    "run again to continue"
                )


def _run_once(spec: BuildSpec, work: Path, in_flight: Path, tick: Callable[[], None]) -> tuple[bool, list[str]]:
    """One run of the job: ``(finished, clips in flight in workers that died)``."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with _log_file(work).open("ab") as log_file:
        job = subprocess.Popen(
            [sys.executable, "-m", "fgmcaps.pipeline.build.job", str(work), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            start_new_session=True,
            env={**os.environ, **threads, "PYTHONWARNINGS": "ignore"},
        )
        try:
            watched = _Workers(job.pid) if spec.runner == LOCAL else None
            while job.poll() is None:
                tick()
                time.sleep(POLL_S)
                guilty = left_in_flight(in_flight) if watched is not None else []
                if guilty or (watched is not None and watched.lost()):
                    return False, guilty
            tick()
        finally:
            kill_group(job)
    if job.returncode == 0:
        return True, []
    error = read_error(work)
    if error is not None:
        raise error_of(error.exit_code)(error.message)
    return False, left_in_flight(in_flight)


class _Workers:
    """The worker processes of a job; notices when there are fewer than there were while the job goes on."""

    def __init__(self, job_pid: int) -> None:
        self.job_pid, self.most, self.since = job_pid, 0, 0.0
        self.looked = 0.0

    def lost(self) -> bool:
        """True when a worker has been gone for longer than an orderly end takes."""
        now = time.monotonic()
        if now - self.looked < LOOK_EVERY_S:
            return False
        self.looked = now
        try:
            children = psutil.Process(self.job_pid).children(recursive=True)
            alive = sum("sdk_worker_main" in " ".join(c.cmdline()) for c in children if c.is_running())
        except psutil.Error:
            return False
        if alive >= self.most or alive == 0:
            self.most, self.since = alive, 0.0
            return False
        self.since = self.since or time.monotonic()
        return time.monotonic() - self.since > LOST_WORKER_GRACE_S


def kill_group(job: "subprocess.Popen[bytes]") -> None:
    """End the job and every process that it started; nothing is left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(job.pid, signal.SIGKILL)
    job.wait()


def _log_file(work: Path) -> Path:
    return work / "build.log"


def _clear(in_flight: Path) -> None:
    for path in in_flight.glob("*.json") if in_flight.is_dir() else []:
        path.unlink(missing_ok=True)
