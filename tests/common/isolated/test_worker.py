"""Real child processes that crash, hang, lie and die."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from fgmcaps.common.isolated import (
    FrameError,
    Handshake,
    IsolatedWorker,
    RemoteError,
    WorkerCrashed,
    WorkerProtocolError,
    WorkerStartError,
    WorkerTimeout,
    worker_command,
)
from fgmcaps.common.isolated.process import Deadline

WORKERS = Path(__file__).parent / "workers"


def make(module="misbehaving", handshake=None, **options):
    options.setdefault("timeout_s", 20)
    return IsolatedWorker(
        worker_command(module, root=WORKERS), handshake or Handshake("misbehaving", {"toy": "1.5"}), **options
    )


@pytest.fixture
def worker():
    with make() as made:
        yield made


def gone(pid, within_s=5.0):
    """True once the process has ended and, if it was our own child, is reaped."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE and process.ppid() != os.getpid():
                return True  # an orphan that its new parent has not reaped yet
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def test_big_arrays_come_back_bit_by_bit(worker):
    rng = np.random.default_rng(0)
    arrays = {"audio": rng.standard_normal((3_000_000, 2)).astype("f4"), "empty": np.zeros((0, 5)), "n": np.int64([7])}
    reply = worker.request("echo", {"text": "é\n\udc80", "numbers": [1, 2.5, None]}, arrays)
    assert reply.fields["text"] == "é\n\udc80"
    assert reply.fields["numbers"] == [1, 2.5, None]
    for name, array in arrays.items():
        np.testing.assert_array_equal(reply.arrays[name], array)


def test_a_thousand_requests_use_one_process(worker):
    pids = set()
    for i in range(1000):
        reply = worker.request("echo", {"i": i})
        pids.add(worker.pid)
        assert (reply.fields["i"], reply.fields["calls"]) == (i, i + 1)
    assert worker.starts == 1
    assert len(pids) == 1


def test_a_crash_costs_only_its_own_request(worker):
    worker.request("echo")
    first = worker.pid
    with pytest.raises(WorkerCrashed, match=r"(?s)SIGABRT.*last words before the abort") as caught:
        worker.request("abort")
    assert caught.value.returncode == -signal.SIGABRT
    assert caught.value.retryable
    assert worker.request("echo", {"x": 1}).fields == {"x": 1, "calls": 1}
    assert worker.starts == 2
    assert gone(first)


def test_an_exit_code_is_told(worker):
    with pytest.raises(WorkerCrashed, match="exit code 3"):
        worker.request("leave", {"code": 3})


def test_a_hang_is_killed_in_time_with_all_it_started(worker):
    grandchild = worker.request("child").fields["pid"]
    hung = worker.pid
    begin = time.monotonic()
    with pytest.raises(WorkerTimeout, match=r"'sleep' within 0\.3 s"):
        worker.request("sleep", {"seconds": 100}, timeout_s=0.3)
    assert time.monotonic() - begin < 3
    assert gone(hung)
    assert gone(grandchild)
    assert worker.request("echo").fields["calls"] == 1


def test_a_child_that_does_not_read_is_timed_out_too(worker):
    worker.start()
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerTimeout):
        worker.request("echo", arrays={"x": np.zeros(10_000_000, "f4")}, timeout_s=0.3)
    assert worker.request("echo").fields["calls"] == 1


def test_prints_of_the_tool_do_not_reach_the_protocol(worker):
    reply = worker.request("prints", {"lines": 100_000})  # 700 kB: more than any pipe holds
    assert reply.fields == {"stdin": ""}
    with pytest.raises(WorkerCrashed, match="from C\nfrom C") as caught:
        worker.request("abort")
    assert len(str(caught.value)) < 10_000


@pytest.mark.parametrize("operation", ["garbage", "huge", "wrong_id"])
def test_broken_protocol_is_an_error_and_the_next_request_works(worker, operation):
    with pytest.raises(WorkerProtocolError):
        worker.request(operation)
    assert worker.request("echo").fields["calls"] == 1
    assert worker.starts == 2


def test_errors_of_the_tool_arrive_typed_and_the_process_stays(worker):
    with pytest.raises(RemoteError, match="ValueError: the text of the error") as plain:
        worker.request("raises")
    assert (plain.value.type, plain.value.remote_message) == ("ValueError", "the text of the error")
    with pytest.raises(RemoteError) as rich:
        worker.request("raises_data")
    assert (rich.value.type, rich.value.data) == ("Unplayable", {"reason": "scratched"})
    with pytest.raises(RemoteError, match="no operation 'dance'"):
        worker.request("dance")
    with pytest.raises(RemoteError, match="FrameError"):
        worker.request("unsendable")
    assert worker.starts == 1


def test_a_request_that_fits_no_frame_is_refused_and_the_process_stays():
    with make(max_payload_bytes=100) as small:
        small.start()
        with pytest.raises(FrameError):
            small.request("echo", arrays={"x": np.zeros(200, np.uint8)})
        with pytest.raises(FrameError):
            small.request("echo", {"x": float("inf")})
        assert small.request("echo").fields["calls"] == 1
        assert small.starts == 1


def test_the_memory_limit_is_an_error_of_the_request():
    with make(memory_limit_bytes=2 << 30) as limited:
        with pytest.raises(RemoteError, match="Unable to allocate"):
            limited.request("allocate", {"bytes": 3 << 30})
        assert limited.request("allocate", {"bytes": 1 << 20}).fields == {"bytes": 1 << 20}


def test_the_handshake_is_checked():
    with make() as good:
        assert good.versions()["toy"] == "1.5"
        assert good.versions()["python"].count(".") == 2
    cases = [
        (make("other_protocol"), "speaks protocol 999"),
        (make(handshake=Handshake("another")), "is 'misbehaving', another tool"),
        (make(handshake=Handshake("misbehaving", {"toy": "2"})), "has toy 1.5, not 2"),
        (make("no_such_module", remedy="run make toys"), "(?s)No module named.*Remedy: run make toys"),
        (IsolatedWorker(["/no/such/python"], Handshake("x"), remedy="install it"), "No such file.*install it"),
        (IsolatedWorker(["/bin/echo", "hello"], Handshake("x")), "no valid handshake|ended before its handshake"),
        (IsolatedWorker(["/bin/sleep", "100"], Handshake("x"), start_timeout_s=0.2), "no handshake within"),
        (IsolatedWorker(["/bin/false"], Handshake("x")), "exit code 1"),
    ]
    for worker, pattern in cases:
        with worker, pytest.raises(WorkerStartError, match=pattern):
            worker.request("echo")
        assert worker.pid is None


def test_a_worker_may_refuse_with_a_reason():
    with make("refusing") as refusing, pytest.raises(WorkerStartError, match=r"model\.bin is not there") as caught:
        refusing.start()
    assert (caught.value.remote_type, caught.value.data) == ("MissingCheckpoint", {"path": "model.bin"})


def test_a_process_that_dies_while_idle_is_replaced_silently(worker):
    worker.start()
    os.kill(worker.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert worker.request("echo").fields["calls"] == 1
    assert worker.starts == 2


def descriptors():
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def test_close_ends_the_child_and_leaves_no_zombie_or_descriptor():
    before = descriptors()
    worker = make()
    worker.start()
    pid = worker.pid
    worker.close()
    worker.close()
    assert gone(pid, 0.5)
    assert descriptors() == before
    assert worker.request("echo").fields["calls"] == 1
    worker.close()


def test_threads_take_turns(worker):
    results = {}

    def ask(name):
        results[name] = [worker.request("echo", {"name": name}).fields["name"] for _ in range(50)]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: [n] * 50 for n in range(4)}
    assert worker.starts == 1


def test_an_interrupt_leaves_no_stale_answer_behind(worker):
    worker.start()

    def interrupt(*_):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            worker.request("sleep", {"seconds": 5})
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert worker.request("echo", {"x": 2}).fields == {"x": 2, "calls": 1}


PARENT = """
import sys, time
from fgmcaps.common.isolated import Handshake, IsolatedWorker, worker_command
from pathlib import Path
worker = IsolatedWorker(worker_command("misbehaving", root=Path({workers!r})), Handshake("misbehaving"), timeout_s=100)
worker.start()
sys.stdout.write(str(worker.pid) + chr(10)); sys.stdout.flush()
{rest}
"""


def parent(rest):
    code = PARENT.format(workers=str(WORKERS), rest=rest)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


@pytest.mark.slow
@pytest.mark.parametrize(
    "busy_with",
    [
        "time.sleep(100)",
        "worker.request('sleep', {'seconds': 100})",
        "worker.request('hold_the_lock', {'seconds': 100})",
    ],
)
def test_the_child_dies_with_a_killed_parent_whatever_it_does(busy_with):
    process, child = parent(busy_with)
    time.sleep(0.3)
    assert psutil.pid_exists(child)
    process.kill()
    process.wait()
    process.stdout.close()
    assert gone(child)


def test_the_child_ends_with_a_parent_that_just_ends():
    process, child = parent("")
    assert process.wait(20) == 0
    process.stdout.close()
    assert gone(child)


def test_a_forked_process_gets_a_child_of_its_own(worker):
    worker.request("echo")
    ours = worker.pid
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # the forked process reports and leaves without pytest's exit handlers
        try:
            calls = worker.request("echo").fields["calls"]
            os.write(write, f"{calls} {worker.pid != ours}".encode())
            worker.close()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 100) == b"1 True"
    os.close(read)
    os.close(write)
    assert worker.request("echo").fields["calls"] == 2
    assert worker.pid == ours


def test_time_in_which_everything_was_frozen_does_not_count():
    deadline = Deadline(3)
    deadline.waited(1, 8)  # a wait of a second that took eight
    assert 9.0 < deadline._end - time.monotonic() < 10.1
    deadline.waited(1, 1.5)  # a loaded machine, not a frozen one
    assert 9.0 < deadline._end - time.monotonic() < 10.1


@pytest.mark.slow
def test_a_worker_that_only_waited_is_told_from_one_that_worked(worker):
    with pytest.raises(WorkerTimeout) as caught:
        worker.request("sleep", {"seconds": 100}, timeout_s=0.3)
    assert caught.value.starved
    with pytest.raises(WorkerTimeout) as caught:
        worker.request("spin", {"seconds": 100}, timeout_s=1.5)
    assert not caught.value.starved
