"""Journals: every result comes back as an entry of its kind; what no version writes is an error, never a guess."""

import hashlib
import json
import time

import pytest

from fgmcaps.common.errors import MachineError
from fgmcaps.pipeline.stages.journal import (
    AnnotationEntry,
    CaptionEntry,
    JournalWriter,
    LetterEntry,
    TrackDone,
    TrackRetry,
    WrittenCaption,
    facts_key,
    read_entries,
    scan,
    write_results,
)
from fgmcaps.pipeline.stages.segments import Line, segments, write_segment
from fgmcaps.schemas import ContractError, DeadLetter, to_json
from fgmcaps.schemas.ids import track_id_of
from tests.factories import make_annotation, make_caption

TRACK = "0" * 16
LETTER = DeadLetter(TRACK, None, "a\nb \u65e5.wav", "decode", "failed", "decode", "DecodeError", "no \u2028 sound")
ANNOTATION = make_annotation(3)
CAPTION = make_caption(ANNOTATION)
CLIP = ANNOTATION.clip.clip_id


def test_every_kind_of_result_comes_back(tmp_path):
    clip_letter = DeadLetter(TRACK, f"{TRACK}-00000000", "a.wav", "gate", "filtered", "silence", "", "")
    results = [ANNOTATION, LETTER, clip_letter, TrackDone(TRACK, 2), TrackRetry(TRACK)]
    first, whole, second, done, retry, caption = read_entries(
        write_results(tmp_path, [*results, WrittenCaption(CAPTION, "facts", 3)])
    )
    assert isinstance(first, AnnotationEntry) and first.read() == ANNOTATION
    assert (first.clip_id, first.track_id) == (CLIP, track_id_of(CLIP))
    assert first.facts_key == facts_key(ANNOTATION.labels)
    assert isinstance(whole, LetterEntry) and whole.read() == LETTER
    assert (whole.key, whole.kind, whole.track_id) == (TRACK, "failed", TRACK)
    assert isinstance(second, LetterEntry) and second.read() == clip_letter
    assert (second.key, second.kind, second.track_id) == (clip_letter.clip_id, "filtered", TRACK)
    assert (done, retry) == (TrackDone(TRACK, 2), TrackRetry(TRACK))
    assert isinstance(caption, CaptionEntry) and caption.read() == CAPTION
    assert (caption.facts_key, caption.source, caption.round) == ("facts", CAPTION.source, 3)
    assert caption.digest == hashlib.sha256(to_json(CAPTION).encode()).hexdigest()[:16]


def test_the_index_is_that_of_every_version(tmp_path):
    """Journals of earlier versions hold these bytes, and their builds go on."""
    path = write_results(tmp_path, [ANNOTATION, LETTER, TrackDone(TRACK, 2), WrittenCaption(CAPTION, "facts", 3)])
    digest = hashlib.sha256(to_json(CAPTION).encode()).hexdigest()[:16]
    with path.open() as lines:
        index = json.loads(lines.readline())
        assert [(kind, key, note) for kind, key, _, _, note in index] == [
            ("annotation", CLIP, facts_key(ANNOTATION.labels)),
            ("dead", TRACK, ["failed", TRACK]),
            ("track", TRACK, 2),
            ("caption", CLIP, ["facts", CAPTION.source, 3, digest]),
        ]
        assert next(lines) == to_json(ANNOTATION) + "\n"


def test_a_finished_track_whose_line_is_empty_is_read(tmp_path):
    path = write_segment(tmp_path, [Line("track", TRACK, 3, "{}"), Line("retry", TRACK, None, "{}")])
    assert read_entries(path) == [TrackDone(TRACK, 3), TrackRetry(TRACK)]


@pytest.mark.parametrize(
    "line",
    [
        Line("heading", TRACK, None, "{}"),
        Line("annotation", "x", "facts", "{}"),
        Line("annotation", CLIP, ["facts"], "{}"),
        Line("annotation", CLIP, None, "{}"),
        Line("dead", TRACK, "failed", "{}"),
        Line("dead", TRACK, ["lost", TRACK], "{}"),
        Line("dead", TRACK, ["failed"], "{}"),
        Line("dead", TRACK, ["failed", TRACK, 1], "{}"),
        Line("track", TRACK, "2", "{}"),
        Line("track", TRACK, None, "{}"),
        Line("caption", CLIP, "facts", "{}"),  # as the first builds wrote it
        Line("caption", CLIP, "keys", "{}"),  # as many letters as a note has fields
        Line("caption", CLIP, ["facts", "llm", "0", "d"], "{}"),
        Line("caption", CLIP, ["facts", "llm", 0], "{}"),
    ],
)
def test_what_no_version_writes_is_named_and_none_of_it_used(tmp_path, line):
    path = write_segment(tmp_path, [Line("track", TRACK, 1, "{}"), line])
    seen = []
    with pytest.raises(MachineError, match=f"{path.name} is damaged or was written by another version") as caught:
        seen.extend(scan(tmp_path))
    assert not seen and "delete it and run again" in str(caught.value)


def test_later_results_come_later(tmp_path):
    for i in range(5):
        write_results(tmp_path, [TrackDone(TRACK, i)])
    assert list(scan(tmp_path)) == [TrackDone(TRACK, i) for i in range(5)]


def test_no_journal_is_an_empty_one(tmp_path):
    assert list(scan(tmp_path / "none")) == []


def test_a_line_that_does_not_fit_its_contract_is_an_error(tmp_path):
    (entry,) = read_entries(write_segment(tmp_path, [Line("annotation", CLIP, "facts", to_json(LETTER))]))
    with pytest.raises(ContractError, match="Annotation"):
        entry.read()


def test_the_writer_flushes_when_full_and_when_old(tmp_path):
    writer = JournalWriter(tmp_path, max_results=3, max_seconds=0.2)
    writer.add(LETTER)
    writer.add(LETTER)
    assert segments(tmp_path) == []
    writer.add(LETTER)
    assert len(segments(tmp_path)) == 1
    writer.add(LETTER)
    time.sleep(0.25)
    writer.add(LETTER)
    assert [len(read_entries(p)) for p in segments(tmp_path)] == [3, 2]
    writer.flush()
    assert len(segments(tmp_path)) == 2


def test_a_failed_write_loses_nothing(tmp_path):
    folder = tmp_path / "journal"
    folder.touch()  # a file where the folder should be
    writer = JournalWriter(folder, max_results=1)
    with pytest.raises(MachineError, match="nothing is lost"):
        writer.add(LETTER)
    folder.unlink()
    writer.flush()
    assert len(list(scan(folder))) == 1
