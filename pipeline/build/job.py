"""The job process: ``python -m fgmcaps.pipeline.build.job FOLDER PID`` runs the build that ``FOLDER/job.json``
describes, for the command whose process id is PID.

A process of its own, so that a native crash in a tool or a runner that hangs on a dead worker never takes the command
with it: the command watches, and starts the job again where its journals end.
"""

import logging
import os
import sys
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.common.files import write_atomically
from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.build.spec import BuildSpec
from fgmcaps.pipeline.stages.in_flight import lead_build
from fgmcaps.schemas import ContractError, from_json, to_json

JOB, ERROR = "job.json", "error.json"
WORKER_THREAD, WORKER_DIED = "run_worker", 70
"""Beam's name of the thread that waits for a worker process; exit code of a job that lost one."""


@dataclass(frozen=True, slots=True)
class JobError:
    """How a job ended: one line for people, and the exit code of the command."""

    message: str
    exit_code: int


def main(folder: Path, command_pid: int) -> int:
    """Run the job; the exit code is that of the error, whose one line goes to ``error.json``."""
    lead_build(command_pid)
    threading.excepthook = end_with_a_worker
    warnings.filterwarnings("ignore")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("apache_beam", "datasets", "jax"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    from fgmcaps.pipeline.build.build import Build
    from fgmcaps.pipeline.build.steps import run_steps

    try:
        run_steps(Build(from_json(BuildSpec, (folder / JOB).read_bytes())))
    except Exception as error:
        known = isinstance(error, FgmcapsError)
        if not known:
            logging.getLogger(__name__).exception("the build failed")
        code = error.exit_code if isinstance(error, FgmcapsError) else MachineError.exit_code
        message = str(error) if known else f"{type(error).__name__}: {error}"
        _report(folder, message, code)
        return code
    return 0


def end_with_a_worker(raised: threading.ExceptHookArgs) -> None:
    """End the job when the runner's thread that waits for a worker says that it died: the runner would wait forever.

    The command then starts the job again (:mod:`fgmcaps.pipeline.build.supervise`).
    """
    threading.__excepthook__(raised)
    if raised.thread is not None and raised.thread.name == WORKER_THREAD:
        os._exit(WORKER_DIED)


def _report(folder: Path, message: str, code: int) -> None:
    try:
        write_atomically(folder / ERROR, to_json(JobError(message, code)).encode())
    except OSError:  # a full disk: the exit code and the log still say it
        echo(message, err=True)


def read_error(folder: Path) -> JobError | None:
    """How the job ended, where it ended with an error that it could write down."""
    try:
        return from_json(JobError, (folder / ERROR).read_bytes())
    except (OSError, ContractError):
        return None


def describe(folder: Path, spec: BuildSpec) -> None:
    """Write the job that :func:`main` will run."""
    (folder / ERROR).unlink(missing_ok=True)
    write_atomically(folder / JOB, to_json(spec).encode())


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.flush()
    os._exit(code)  # threads of a runner may hang at exit; everything that matters is on disk
