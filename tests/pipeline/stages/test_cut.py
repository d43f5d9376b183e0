"""A track cut into clips without Beam: one outcome for each clip, whatever the file is like."""

import hashlib
import os

import pytest

from fgmcaps.pipeline.audio.decode import Decoder
from fgmcaps.pipeline.sources.base import location_of
from fgmcaps.pipeline.stages.cut import ClipWork, TrackTask, clips_of
from fgmcaps.schemas import DeadLetter, Track
from fgmcaps.schemas.ids import make_clip_id
from tests.pipeline.inputs import write_wav


@pytest.fixture(scope="module")
def decoder():
    with Decoder(timeout_s=30) as made:
        yield made


def track_of(path):
    """The track that a file holds now."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Track(digest[:16], location_of(path), "music", path.name, path.stat().st_size, "train")


@pytest.fixture
def track(tmp_path):
    return track_of(write_wav(tmp_path / "a.wav", frames=31 * 8000))


@pytest.fixture
def clip_ids(track):
    return [make_clip_id(track.track_id, start) for start in (0, 10_000, 20_000)]


def test_every_window_is_a_decoded_clip_in_order(track, clip_ids, decoder):
    begun = []
    works = list(clips_of(TrackTask(track), decoder, "all", begun.append))
    assert all(isinstance(work, ClipWork) for work in works)
    assert [(w.clip.clip_id, w.clip.start_s, w.clip.duration_s) for w in works] == [
        (clip_ids[0], 0.0, 10.0), (clip_ids[1], 10.0, 10.0), (clip_ids[2], 20.0, 10.0)
    ]  # fmt: skip
    assert {w.audio.samples.size / w.audio.sample_rate for w in works} == {10.0}
    assert begun == [track.track_id, *clip_ids] and all(work.estimates == () for work in works)


def test_a_finished_clip_counts_and_is_not_decoded(track, clip_ids, decoder):
    begun = []
    first, second, third = clips_of(TrackTask(track, finished=frozenset(clip_ids[:2])), decoder, "all", begun.append)
    assert (first, second) == (None, None) and isinstance(third, ClipWork) and begun == [track.track_id, clip_ids[2]]


def test_what_killed_workers_is_not_opened(track, clip_ids, decoder):
    begun = []
    first, second, third = clips_of(TrackTask(track, poison=frozenset({clip_ids[1]})), decoder, "all", begun.append)
    assert isinstance(first, ClipWork) and isinstance(third, ClipWork) and clip_ids[1] not in begun
    assert isinstance(second, DeadLetter)
    assert (second.clip_id, second.stage, second.reason, second.retryable) == (clip_ids[1], "annotate", "crash", True)
    assert second.message == "a.wav at 10 s: took a worker process down"
    (whole,) = clips_of(TrackTask(track, poison=frozenset({track.track_id})), decoder, "all", begun.append)
    assert isinstance(whole, DeadLetter) and (whole.clip_id, whole.stage, whole.reason) == (None, "decode", "crash")


@pytest.mark.parametrize(("content", "reason"), [(b"no audio at all", "not_audio"), (None, "unreadable")])
def test_a_track_that_cannot_be_read_is_one_letter(tmp_path, decoder, content, reason):
    path = tmp_path / "b.wav"
    if content is not None:
        path.write_bytes(content)
    track_id = hashlib.sha256(content or b"").hexdigest()[:16]
    (letter,) = clips_of(TrackTask(Track(track_id, str(path), "music", "b.wav", 1, "train")), decoder, 1)
    assert isinstance(letter, DeadLetter)
    assert (letter.clip_id, letter.stage, letter.kind, letter.reason) == (None, "decode", "failed", reason)
    assert letter.error_type == "DecodeError" and letter.message.startswith("b.wav: ")


def replace_content(path):
    write_wav(path, seed=5, frames=31 * 8000)


def replace_file(path):
    write_wav(path.with_suffix(".new"), seed=5, frames=31 * 8000).rename(path)


def replace_and_put_times_back(path):
    before = path.stat()
    replace_content(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change", [replace_content, replace_file, replace_and_put_times_back, lambda path: os.truncate(path, 400_000)]
)
def test_a_file_that_changed_since_it_was_hashed_is_a_letter(tmp_path, track, decoder, change):
    change(tmp_path / "a.wav")
    (letter,) = clips_of(TrackTask(track), decoder, "all")
    assert isinstance(letter, DeadLetter) and (letter.reason, letter.retryable) == ("changed", True)


def test_a_file_that_changes_between_its_clips_loses_the_later_ones(tmp_path, track, clip_ids, decoder):
    works = clips_of(TrackTask(track), decoder, "all")
    assert isinstance(next(works), ClipWork)
    replace_and_put_times_back(tmp_path / "a.wav")
    rest = list(works)
    assert [(x.clip_id, x.reason) for x in rest] == [(clip_id, "changed") for clip_id in clip_ids[1:]]
