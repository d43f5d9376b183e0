"""What journals add up to: later wins, labels beat letters, a retry forgets failures and only those."""

import random
import time
from dataclasses import replace

import pytest

from fgmcaps.pipeline.build.journal_state import forget_failures, read_annotations, read_captions
from fgmcaps.pipeline.stages.journal import TrackDone, WrittenCaption, write_results
from fgmcaps.schemas import Caption, DeadLetter
from fgmcaps.schemas.ids import make_clip_id
from tests.factories import make_annotation, make_track

TRACK = make_track(0)
CLIPS = [make_clip_id(TRACK.track_id, 10_000 * i) for i in range(4)]


def label(clip_id):
    annotation = make_annotation(0)
    return replace(annotation, clip=replace(annotation.clip, clip_id=clip_id))


def letter(key, kind="failed", message=""):
    clip = key if "-" in key else None
    return DeadLetter(TRACK.track_id, clip, "x.wav", "decode", kind, "reason", "", message)


def done(outcomes):
    return TrackDone(TRACK.track_id, outcomes)


def state_of(folder, *segments):
    for results in segments:
        write_results(folder, results)
    return read_annotations(folder, [TRACK])


def test_a_track_is_finished_when_every_outcome_is_journaled(tmp_path):
    state = state_of(tmp_path, [label(CLIPS[0]), letter(CLIPS[1])])
    assert not state.is_finished(TRACK.track_id)  # nobody said yet how many there are
    assert not state_of(tmp_path, [done(3)]).is_finished(TRACK.track_id)
    state = state_of(tmp_path, [letter(CLIPS[2], "filtered")])
    assert state.is_finished(TRACK.track_id)
    assert state.finished_keys(TRACK.track_id) == set(CLIPS[:3])
    assert set(state.annotations) == {CLIPS[0]} and set(state.letters) == set(CLIPS[1:3])


def test_an_unknown_track_is_not_finished(tmp_path):
    state = state_of(tmp_path)
    assert not state.is_finished("f" * 16) and state.finished_keys("f" * 16) == frozenset()


def test_a_track_that_failed_as_a_whole_is_finished(tmp_path):
    state = state_of(tmp_path, [letter(TRACK.track_id), done(1)])
    assert state.is_finished(TRACK.track_id) and [x.clip_id for x in state.read_letters()] == [None]


def test_other_tracks_of_the_journal_are_left_out(tmp_path):
    other = make_track(1)
    write_results(tmp_path, [label(make_clip_id(other.track_id, 0)), TrackDone(other.track_id, 1)])
    assert not state_of(tmp_path).annotations and not state_of(tmp_path).outcomes


@pytest.mark.parametrize("seed", range(4))
def test_labels_beat_a_letter_in_any_order(tmp_path, seed):
    records = [[label(CLIPS[0])], [letter(CLIPS[0])], [done(1)]]
    random.Random(seed).shuffle(records)
    state = state_of(tmp_path, *records)
    assert set(state.annotations) == {CLIPS[0]} and not state.letters and state.is_finished(TRACK.track_id)


def test_a_later_letter_replaces_an_earlier_one(tmp_path):
    state = state_of(tmp_path, [letter(CLIPS[0], message="first")], [letter(CLIPS[0], message="second")])
    assert [x.message for x in state.read_letters()] == ["second"]


def test_a_retry_forgets_failures_but_neither_labels_nor_what_was_filtered(tmp_path):
    state = state_of(tmp_path, [label(CLIPS[0]), letter(CLIPS[1]), letter(CLIPS[2], "filtered"), done(3)])
    forget_failures(tmp_path, [TRACK.track_id])
    state = state_of(tmp_path)
    assert set(state.annotations) == {CLIPS[0]} and set(state.letters) == {CLIPS[2]}
    assert not state.is_finished(TRACK.track_id)
    assert state.finished_keys(TRACK.track_id) == {CLIPS[0], CLIPS[2]}
    state = state_of(tmp_path, [label(CLIPS[1]), done(3)])
    assert state.is_finished(TRACK.track_id) and set(state.annotations) == set(CLIPS[:2])


def test_a_track_that_failed_as_a_whole_gives_all_its_clips_after_a_retry(tmp_path):
    state_of(tmp_path, [letter(TRACK.track_id), done(1)])
    forget_failures(tmp_path, [TRACK.track_id])
    state = state_of(tmp_path, [label(CLIPS[0])])
    assert not state.is_finished(TRACK.track_id)
    state = state_of(tmp_path, [label(CLIPS[1]), done(2)])
    assert state.is_finished(TRACK.track_id) and not state.letters


def caption_of(text, facts="facts"):
    return WrittenCaption(Caption(CLIPS[0], text, "objective", "template", "", "1"), facts, 0)


def test_the_latest_caption_of_the_same_facts_wins(tmp_path):
    for text in ("first", "second"):
        write_results(tmp_path, [caption_of(text)])
    (entry,) = read_captions(tmp_path).values()
    assert entry.read().text == "second"


def test_a_caption_counts_for_its_own_facts_only(tmp_path):
    write_results(tmp_path, [caption_of("of rock", "rock")])
    write_results(tmp_path, [caption_of("of jazz", "jazz")])
    found = read_captions(tmp_path)
    assert {key: entry.read().text for key, entry in found.items()} == {
        (CLIPS[0], "rock"): "of rock",
        (CLIPS[0], "jazz"): "of jazz",
    }


@pytest.mark.parametrize("facts", ["facts", "other facts"])
def test_a_clock_set_back_changes_nothing(tmp_path, facts):
    """A segment of an earlier version of fgmcaps, named by a clock that runs a year ahead."""
    path = write_results(tmp_path, [caption_of("old", facts)])
    path.rename(path.with_name(f"{time.time_ns() + 365 * 86_400 * 10**9:020d}-{path.name[21:]}"))
    write_results(tmp_path, [caption_of("new")])
    assert read_captions(tmp_path)[CLIPS[0], "facts"].read().text == "new"
