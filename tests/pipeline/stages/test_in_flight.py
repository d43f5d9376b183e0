"""Workers end with their build, and only what a dead process of this host had in flight is blamed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from fgmcaps.pipeline.stages.in_flight import BUILD_PID, InFlight, left_in_flight

HOST = socket.gethostname()


def start(code, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


@pytest.fixture
def dead_pid():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_note_names_what_is_in_flight_until_it_is_cleared(tmp_path):
    notes = InFlight(tmp_path / "workers")
    notes.note("first")
    notes.note("second")
    (path,) = (tmp_path / "workers").iterdir()
    assert path.name == f"{HOST}-{os.getpid()}.json" and json.loads(path.read_text()) == "second"
    assert left_in_flight(tmp_path / "workers") == []  # this process lives
    notes.clear()
    notes.clear()
    assert not path.exists()


def test_what_a_killed_process_left_in_flight_is_blamed_also_before_it_is_reaped(tmp_path):
    code = (
        "import pathlib, sys, time\nfrom fgmcaps.pipeline.stages.in_flight import InFlight\n"
        f"InFlight(pathlib.Path({str(tmp_path)!r})).note('guilty')\nprint('ready', flush=True)\ntime.sleep(60)"
    )
    child = start(code)
    assert child.stdout.readline() == "ready\n" and left_in_flight(tmp_path) == []
    child.send_signal(signal.SIGKILL)
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert left_in_flight(tmp_path) == ["guilty"]
    child.communicate()
    assert left_in_flight(tmp_path) == ["guilty"]


def test_only_whole_notes_of_this_host_are_read(tmp_path, dead_pid):
    for name, text in {
        f"{HOST}-{dead_pid}.json": '"mine"',
        f"{HOST}-other-{dead_pid}.json": '"of a host whose name starts like this one"',
        f"elsewhere-{dead_pid}.json": '"of another host"',
        f"{HOST}-x.json": '"of no process"',
    }.items():
        (tmp_path / name).write_text(text)
    assert left_in_flight(tmp_path) == ["mine"]
    (tmp_path / f"{HOST}-{dead_pid}.json").write_text('"half a no')
    assert left_in_flight(tmp_path) == []


LEAD = (
    "import subprocess, sys, os, time\n"
    "from fgmcaps.pipeline.stages.in_flight import lead_build\nlead_build(os.getppid())\n"
    "worker = 'import time; from fgmcaps.pipeline.stages.in_flight import follow_build as f; '\\\n"
    "  'f(); print(1, flush=True); time.sleep(99)'\n"
    "child = subprocess.Popen([sys.executable, '-c', worker], stdout=subprocess.PIPE, text=True)\n"
    "child.stdout.readline()\nprint(child.pid, flush=True)\ntime.sleep(99)"
)


def ended(pid, seconds=10):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_when_the_command_is_killed_the_build_and_its_workers_end():
    command = start(
        f"import subprocess, sys, time\nlead = subprocess.Popen([sys.executable, '-c', {LEAD!r}],"
        " stdout=subprocess.PIPE, text=True)\nprint(lead.pid, lead.stdout.readline(), flush=True)\ntime.sleep(99)"
    )
    lead, worker = map(int, command.stdout.readline().split())
    assert psutil.pid_exists(lead) and psutil.pid_exists(worker)
    command.kill()
    command.communicate()
    assert ended(lead) and ended(worker)


def test_a_worker_of_a_build_that_is_gone_never_starts(dead_pid):
    worker = start(
        "from fgmcaps.pipeline.stages.in_flight import follow_build; follow_build(); print('ran')",
        **{BUILD_PID: str(dead_pid)},
    )
    assert worker.communicate(timeout=30)[0] == "" and worker.returncode == 1


def test_outside_a_build_nothing_is_followed():
    environment = {k: v for k, v in os.environ.items() if k != BUILD_PID}
    code = "from fgmcaps.pipeline.stages.in_flight import follow_build; follow_build(); print('ran')"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment).stdout == "ran\n"
    )


@pytest.mark.parametrize(("name", "code"), [("run_worker", 70), ("another", 3)])
def test_the_job_ends_when_the_runner_says_that_a_worker_died(name, code):
    """Beam's main thread waits for ever for a worker that is gone; an error in any other thread ends nothing."""
    job = start(
        "import os, threading\n"
        "from fgmcaps.pipeline.build.job import end_with_a_worker\nthreading.excepthook = end_with_a_worker\n"
        f"thread = threading.Thread(target=lambda: 1 / 0, name={name!r})\nthread.start()\nthread.join()\nos._exit(3)"
    )
    job.communicate(timeout=30)
    assert job.returncode == code
