"""Every fault that a network, a busy server or another writer can put in the way of a push."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.pipeline.hub.push import push_dataset
from tests.pipeline.hub.conftest import REPO

PUBLISH = "Publish 6 clips with FGMCaps"
PASSING = {
    "429 while reading": (r"GET /api/datasets/user/music$", "status", {"status": 429, "retry_after": 1}),
    "503 while listing": (r"GET .*/tree/", "status", {"status": 503, "times": 2}),
    "503 while creating": (r"POST /api/repos/create", "status", {"status": 503}),
    "429 before the upload": (r"POST .*/preupload/", "status", {"status": 429}),
    "503 of the batch": (r"POST .*/objects/batch", "status", {"status": 503}),
    "503 of an upload": (r"PUT /lfs/", "status", {"status": 503, "times": 3}),
    "cut in an upload": (r"PUT /lfs/[0-9a-f]+$", "cut-request", {"times": 2}),
    "cut in a part": (r"PUT /lfs/.*/part/2", "cut-request", {"times": 2}),
    "cut after an upload": (r"PUT /lfs/[0-9a-f]+$", "cut-answer", {}),
    "503 of a verification": (r"POST /lfs/verify", "status", {"status": 503}),
    "503 of the card's check": (r"POST /api/validate-yaml", "status", {"status": 503}),
    "503 of the commit": (r"POST .*/commit/", "status", {"status": 503, "times": 2}),
    "429 of the commit": (r"POST .*/commit/", "status", {"status": 429, "retry_after": 2}),
    "cut in the commit": (r"POST .*/commit/", "cut-request", {}),
    "cut after the commit": (r"POST .*/commit/", "cut-answer", {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_sat_out(hub, small, name):
    request, kind, settings = PASSING[name]
    hub.faults.add(request, kind, **settings)
    result = push_dataset(small, REPO)
    assert hub.faults.happened == settings.get("times", 1)
    assert hub.commits(REPO) == [PUBLISH, "initial commit"]
    assert result.commit == hub.store.repo(REPO).branches["main"]
    for file in result.plan.send:
        assert hub.read(REPO, file.published.path) is not None, file.published.path
    assert push_dataset(small, REPO).commit is None


LASTING = {
    "the server stays busy": (r"PUT /lfs/", "status", {"status": 503}, MachineError, "HTTP 503.*run the same command"),
    "the line stays cut": (r"PUT /lfs/", "cut-request", {}, MachineError, "does not answer"),
    "the commit stays busy": (r"POST .*/commit/", "status", {"status": 503}, MachineError, "HTTP 503"),
    "the token expires": (r"PUT|POST .*/commit/", "status", {"status": 401}, FgmcapsError, "does not accept the token"),
    "the rights are taken": (r"POST .*/commit/", "status", {"status": 403}, FgmcapsError, "no rights"),
    "the storage is full": (
        r"POST .*/commit/",
        "status",
        {"status": 403, "message": "Private repository storage limit reached, please upgrade your plan"},
        MachineError,
        "the storage of .* is full .*Private repository storage limit reached",
    ),
    "the store is full": (r"POST .*/preupload/", "status", {"status": 413}, FgmcapsError, "HTTP 413"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_ends_in_one_line_and_the_next_push_goes_on(hub, small, name):
    request, kind, settings, error, said = LASTING[name]
    hub.faults.add(request, kind, times=10_000, after=3 if request.startswith("PUT") else 0, **settings)
    with pytest.raises(error, match=said) as caught:
        push_dataset(small, REPO)
    assert "\n" not in str(caught.value)
    assert type(caught.value) is error
    assert hub.faults.happened < 100  # retries are bounded
    assert hub.commits(REPO) == ["initial commit"]  # nothing of it is visible
    hub.faults.waiting.clear()
    stored = {path.name for path in (hub.store.root / "large").iterdir()}
    hub.log.clear()
    push_dataset(small, REPO)
    assert hub.commits(REPO) == [PUBLISH, "initial commit"]
    assert not any(oid in request.path for request in hub.uploads() for oid in stored)  # nothing is sent twice


@pytest.mark.slow
def test_a_strangers_commit_beside_ours_becomes_the_parent(hub, small):
    hub.faults.add(r"POST .*/commit/", "before", action=lambda: hub.write(REPO, {"LICENSE": b"theirs"}))
    push_dataset(small, REPO)
    assert hub.commits(REPO) == [PUBLISH, "by hand", "initial commit"]
    assert hub.read(REPO, "LICENSE") == b"theirs"


@pytest.mark.slow
def test_a_strangers_commit_in_our_files_ends_the_push(hub, small):
    push_dataset(small, REPO, audio="none")
    hub.faults.add(r"POST .*/commit/", "before", action=lambda: hub.write(REPO, {"README.md": b"edited meanwhile"}))
    with pytest.raises(FgmcapsError, match="somebody else changed the dataset during this push"):
        push_dataset(small, REPO)
    assert hub.read(REPO, "README.md") == b"edited meanwhile"
    push_dataset(small, REPO)
    assert hub.commits(REPO)[:2] == [PUBLISH, "by hand"]


@pytest.mark.slow
def test_two_pushes_of_the_same_dataset_make_one_commit(hub, small):
    other = []

    def push_too():
        other.append(True)
        push_dataset(copy, REPO)

    copy = small.with_name("copy")
    subprocess.run(["cp", "-r", small, copy], check=True)
    hub.faults.add(r"POST .*/commit/", "before", action=push_too)
    result = push_dataset(small, REPO)
    assert other
    assert hub.commits(REPO) == [PUBLISH, "initial commit"]
    assert result.commit == hub.store.repo(REPO).branches["main"]


@pytest.mark.slow
def test_a_branch_that_never_stands_still_ends_the_push(hub, small):
    count = iter(range(1000))
    hub.faults.add(
        r"POST .*/commit/", "before", times=1000, action=lambda: hub.write(REPO, {"LOG": b"%d" % next(count)})
    )
    with pytest.raises(FgmcapsError):
        push_dataset(small, REPO)
    assert PUBLISH not in hub.commits(REPO)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_killed_or_interrupted_push_is_continued(hub, small, how, code):
    hub.faults.add(r"PUT /lfs/", "before", times=1000, action=lambda: time.sleep(0.3))
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": "hf_writer"}
    program = str(Path(sys.executable).with_name("fgmcaps"))
    process = subprocess.Popen([program, "push", str(small), REPO], env=env, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not any((hub.store.root / "large").iterdir()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(how)
    assert process.wait(timeout=20) == code
    hub.faults.waiting.clear()
    time.sleep(0.5)
    assert hub.commits(REPO) == ["initial commit"]
    stored = {path.name for path in (hub.store.root / "large").iterdir()}
    assert stored
    hub.log.clear()
    push_dataset(small, REPO)
    assert hub.commits(REPO) == [PUBLISH, "initial commit"]
    assert not any(oid in request.path for request in hub.uploads() for oid in stored)
