"""A file is there whole or not at all."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest

from fgmcaps.common.files import atomic_file, temporary_files, write_atomically


def test_a_file_appears_with_its_bytes_and_nothing_else(tmp_path):
    write_atomically(tmp_path / "new" / "a", b"one")
    assert (tmp_path / "new" / "a").read_bytes() == b"one"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a"]


def test_an_error_leaves_the_old_file_and_no_temporary(tmp_path):
    write_atomically(tmp_path / "a", b"old")
    with pytest.raises(RuntimeError), atomic_file(tmp_path / "a") as handle:
        handle.write(b"half")
        raise RuntimeError
    assert (tmp_path / "a").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_put_if_absent_does_not_replace(tmp_path):
    write_atomically(tmp_path / "a", b"old", replace=False)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "a", b"new", replace=False)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_two_writers_of_one_file_never_mix(tmp_path):
    with atomic_file(tmp_path / "a") as one, atomic_file(tmp_path / "a") as two:
        one.write(b"1" * 10)
        two.write(b"2" * 10)
        one.write(b"1" * 10)
    assert (tmp_path / "a").read_bytes() == b"1" * 20


def run(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)])


def test_a_full_disk_is_said_clearly_and_leaves_nothing(tmp_path):
    # A file size limit of the kernel: the write really fails, as on a full disk or an exhausted quota.
    code = """
        import resource, sys
        from pathlib import Path
        from fgmcaps.common.files import DiskFullError, write_atomically
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        path = Path(sys.argv[1]) / "big"
        try:
            write_atomically(path, b"x" * 100_000)
        except DiskFullError as error:
            assert str(path) in str(error) and "free some space" in str(error), error
            sys.exit(7)
    """
    assert run(code, tmp_path).wait(30) == 7
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_the_old_file_and_a_hidden_temporary(tmp_path):
    write_atomically(tmp_path / "a", b"old")
    code = """
        import sys, time
        from pathlib import Path
        from fgmcaps.common.files import atomic_file
        with atomic_file(Path(sys.argv[1]) / "a") as handle:
            handle.write(b"half")
            handle.flush()
            time.sleep(60)
    """
    process = run(code, tmp_path)
    deadline = time.monotonic() + 30
    while not temporary_files(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(temporary_files(tmp_path)) == 1


def test_put_if_absent_works_without_hard_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError("no hard links here")

    monkeypatch.setattr("os.link", refuse)
    write_atomically(tmp_path / "a", b"old", replace=False)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "a", b"new", replace=False)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
