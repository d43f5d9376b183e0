"""Segments: what was written is read back; a segment is whole or not there; damage is named, never half-used."""

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.common.errors import MachineError
from fgmcaps.pipeline.stages.segments import Line, read_index, segments, write_segment


def line(key="a"):
    return Line("dead", key, ["failed", "0" * 16], json.dumps({"message": "no \u2028 sound"}))


NOTES = st.one_of(st.none(), st.integers(), st.text(max_size=9), st.lists(st.text(max_size=9), max_size=3))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(max_size=20), NOTES, st.text(max_size=60)), max_size=6))
def test_any_text_survives(tmp_path_factory, items):
    lines = [Line("caption", key, note, json.dumps(text)) for key, note, text in items]
    rows = read_index(write_segment(tmp_path_factory.mktemp("journal"), lines))
    assert [(r.kind, r.key, r.note, json.loads(r.read())) for r in rows] == [("caption", *item) for item in items]


def test_later_segments_come_later(tmp_path):
    paths = [write_segment(tmp_path, [line(str(i))]) for i in range(5)]
    assert segments(tmp_path) == paths


def test_the_clock_does_not_order_segments(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "time_ns", iter(range(10**18, 0, -(10**17))).__next__)
    monkeypatch.setattr(time, "time", iter(range(10**9, 0, -(10**8))).__next__)
    paths = [write_segment(tmp_path, [line(str(i))]) for i in range(5)]
    assert segments(tmp_path) == paths


def test_numbers_go_on_from_the_times_of_earlier_versions_however_high(tmp_path):
    for number in ("00001800000000000000-aaaaaaaaaaaa", "99999999999999999999-bbbbbbbbbbbb"):
        path = write_segment(tmp_path, [line()])
        path.rename(tmp_path / f"{number}.jsonl")
        assert segments(tmp_path)[-1].name == f"{number}.jsonl"
        assert segments(tmp_path)[-1] != write_segment(tmp_path, [line()]) == segments(tmp_path)[-1]


def test_many_writers_at_once_lose_nothing_and_agree_on_an_order(tmp_path):
    code = (
        "import pathlib, sys\n"
        "from fgmcaps.pipeline.stages.segments import Line, write_segment\n"
        "for i in range(40):\n"
        "    write_segment(pathlib.Path(sys.argv[1]), [Line('retry', f'{sys.argv[2]}-{i}', None, '{}')])\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)]) for n in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    keys = [read_index(path)[0].key for path in segments(tmp_path)]
    assert len(keys) == len(set(keys)) == 160
    for n in range(4):  # what one process wrote stands in the order in which it wrote it
        own = [key for key in keys if key.startswith(f"{n}-")]
        assert own == [f"{n}-{i}" for i in range(40)]
    assert segments(tmp_path)[-1].name < write_segment(tmp_path, [line()]).name


def test_no_journal_is_an_empty_one(tmp_path):
    assert segments(tmp_path / "none") == []


def test_unfinished_and_foreign_files_are_not_read(tmp_path):
    path = write_segment(tmp_path, [line()])
    (tmp_path / f".{path.name}.tmp").write_bytes(path.read_bytes())
    (tmp_path / ".hidden.jsonl").write_bytes(path.read_bytes())
    (tmp_path / "notes.txt").touch()
    assert segments(tmp_path) == [path]


@pytest.mark.parametrize("damage", ["cut", "cut in the index", "empty", "longer", "no index", "bad row", "no numbers"])
def test_a_damaged_segment_is_named(tmp_path, damage):
    path = write_segment(tmp_path, [line("a"), line("b")])
    whole = path.read_bytes()
    head, body = whole.split(b"\n", 1)
    index = json.loads(head)
    path.write_bytes(
        {
            "cut": whole[:-5],
            "cut in the index": whole[:20],
            "empty": b"",
            "longer": whole + b"{}\n",
            "no index": body,
            "bad row": json.dumps([index[0], ["dead", "b"]]).encode() + b"\n" + body,
            "no numbers": json.dumps([index[0], ["dead", "b", "0", "1", None]]).encode() + b"\n" + body,
        }[damage]
    )
    with pytest.raises(MachineError, match=path.name) as caught:
        read_index(path)
    assert "delete it and run again" in str(caught.value) and caught.value.exit_code == 4


def test_a_full_disk_leaves_no_half_segment(tmp_path):
    code = (
        "import resource, sys, pathlib, signal\n"
        "from fgmcaps.pipeline.stages.segments import Line, write_segment\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "lines = [Line('retry', str(i), None, 'y' * 90) for i in range(50)]\n"
        "write_segment(pathlib.Path(sys.argv[1]), lines)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "MachineError: cannot write the journal" in done.stderr
    assert list(tmp_path.iterdir()) == []
