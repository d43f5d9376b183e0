"""Journals: what was written is read back; a segment is whole or not there; damage is named, never half-used."""

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.common.errors import MachineError
from fgmcaps.pipeline.stages.journal import JournalWriter, Record, read_index, scan, segments, write_segment
from fgmcaps.schemas import Annotation, Caption, ContractError, DeadLetter
from tests.factories import make_annotation

LETTER = DeadLetter("0" * 16, None, "a\nb \u65e5.wav", "decode", "failed", "decode", "DecodeError", "no \u2028 sound")


def letter_record(key="0" * 16, note=("failed", "0" * 16)):
    return Record("dead", key, LETTER, list(note))


def test_records_come_back_whole(tmp_path):
    annotation = make_annotation(3)
    path = write_segment(
        tmp_path, [Record("annotation", "x", annotation, "note"), letter_record(), Record("retry", "t", {})]
    )
    first, second, third = read_index(path)
    assert (first.kind, first.key, first.note) == ("annotation", "x", "note")
    assert first.read(Annotation) == annotation
    assert second.read(DeadLetter) == LETTER and second.note == ["failed", "0" * 16]
    assert (third.kind, third.key, third.note) == ("retry", "t", None)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.text(max_size=20), st.text(max_size=60), st.one_of(st.none(), st.integers(), st.text(max_size=9))),
        max_size=6,
    )
)
def test_any_text_survives(tmp_path_factory, items):
    folder = tmp_path_factory.mktemp("journal")
    captions = [Caption(key, text, "objective", "template", "", "1") for key, text, _ in items]
    records = [Record("caption", k, c, note) for (k, _, note), c in zip(items, captions, strict=True)]
    write_segment(folder, records)
    got = list(scan(folder))
    assert [(e.key, e.note, e.read(Caption)) for e in got] == [(r.key, r.note, r.value) for r in records]


def test_later_segments_come_later(tmp_path):
    for i in range(5):
        write_segment(tmp_path, [Record("track", str(i), {}, i)])
    assert [e.note for e in scan(tmp_path)] == [0, 1, 2, 3, 4]


def test_no_journal_is_an_empty_one(tmp_path):
    assert segments(tmp_path / "none") == [] and list(scan(tmp_path / "none")) == []


def test_unfinished_and_foreign_files_are_not_read(tmp_path):
    path = write_segment(tmp_path, [letter_record()])
    (tmp_path / f".{path.name}.tmp").write_bytes(path.read_bytes())
    (tmp_path / ".hidden.jsonl").write_bytes(path.read_bytes())
    (tmp_path / "notes.txt").touch()
    assert segments(tmp_path) == [path]


@pytest.mark.parametrize("damage", ["cut", "cut in the index", "empty", "longer", "no index", "bad row", "no numbers"])
def test_a_damaged_segment_is_named_and_none_of_it_used(tmp_path, damage):
    path = write_segment(tmp_path, [letter_record("a"), letter_record("b")])
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
    seen = []
    with pytest.raises(MachineError, match=path.name) as caught:
        seen.extend(scan(tmp_path))
    assert not seen and "delete it and run again" in str(caught.value) and caught.value.exit_code == 4


def test_a_line_that_does_not_fit_its_contract_is_an_error(tmp_path):
    (entry,) = read_index(write_segment(tmp_path, [letter_record()]))
    with pytest.raises(ContractError, match="Annotation"):
        entry.read(Annotation)


def test_the_writer_flushes_when_full_and_when_old(tmp_path):
    writer = JournalWriter(tmp_path, max_records=3, max_seconds=0.2)
    writer.add(letter_record("0"))
    writer.add(letter_record("1"))
    assert segments(tmp_path) == []
    writer.add(letter_record("2"))
    assert len(segments(tmp_path)) == 1
    writer.add(letter_record("3"))
    time.sleep(0.25)
    writer.add(letter_record("4"))
    assert [len(list(read_index(p))) for p in segments(tmp_path)] == [3, 2]
    writer.flush()
    assert len(segments(tmp_path)) == 2


def test_a_failed_write_loses_nothing(tmp_path):
    folder = tmp_path / "journal"
    folder.touch()  # a file where the folder should be
    writer = JournalWriter(folder, max_records=1)
    with pytest.raises(MachineError, match="nothing is lost"):
        writer.add(letter_record())
    folder.unlink()
    writer.flush()
    assert len(list(scan(folder))) == 1


def test_a_full_disk_leaves_no_half_segment(tmp_path):
    code = (
        "import resource, sys, pathlib, signal\n"
        "from fgmcaps.pipeline.stages.journal import Record, write_segment\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_segment(pathlib.Path(sys.argv[1]), [Record('retry', str(i), {'x': 'y' * 90}) for i in range(50)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "MachineError: cannot write the journal" in done.stderr
    assert list(tmp_path.iterdir()) == []
