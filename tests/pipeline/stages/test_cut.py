"""A track cut into clips without Beam: one outcome for each clip, whatever the file is like."""

import pytest

from fgmcaps.pipeline.audio.decode import Decoder
from fgmcaps.pipeline.sources.base import location_of
from fgmcaps.pipeline.stages.cut import ClipWork, TrackTask, clips_of
from fgmcaps.schemas import DeadLetter, Track
from fgmcaps.schemas.ids import make_clip_id
from tests.pipeline.inputs import write_wav

ID = "0" * 16
CLIPS = [make_clip_id(ID, start) for start in (0, 10_000, 20_000)]


@pytest.fixture(scope="module")
def decoder():
    with Decoder(timeout_s=30) as made:
        yield made


@pytest.fixture(scope="module")
def track(tmp_path_factory):
    path = write_wav(tmp_path_factory.mktemp("music") / "a.wav", frames=31 * 8000)
    return Track(ID, location_of(path), "music", "a.wav", path.stat().st_size, "train")


def test_every_window_is_a_decoded_clip_in_order(track, decoder):
    begun = []
    works = list(clips_of(TrackTask(track), decoder, "all", begun.append))
    assert all(isinstance(work, ClipWork) for work in works)
    assert [(w.clip.clip_id, w.clip.start_s, w.clip.duration_s) for w in works] == [
        (CLIPS[0], 0.0, 10.0), (CLIPS[1], 10.0, 10.0), (CLIPS[2], 20.0, 10.0)
    ]  # fmt: skip
    assert {w.audio.samples.size / w.audio.sample_rate for w in works} == {10.0}
    assert begun == [ID, *CLIPS] and all(work.estimates == () for work in works)


def test_a_finished_clip_counts_and_is_not_decoded(track, decoder):
    begun = []
    first, second, third = clips_of(TrackTask(track, finished=frozenset(CLIPS[:2])), decoder, "all", begun.append)
    assert (first, second) == (None, None) and isinstance(third, ClipWork) and begun == [ID, CLIPS[2]]


def test_what_killed_workers_is_not_opened(track, decoder):
    begun = []
    first, second, third = clips_of(TrackTask(track, poison=frozenset({CLIPS[1]})), decoder, "all", begun.append)
    assert isinstance(first, ClipWork) and isinstance(third, ClipWork) and CLIPS[1] not in begun
    assert isinstance(second, DeadLetter)
    assert (second.clip_id, second.stage, second.reason, second.retryable) == (CLIPS[1], "annotate", "crash", True)
    assert second.message == "a.wav at 10 s: took a worker process down"
    (whole,) = clips_of(TrackTask(track, poison=frozenset({ID})), decoder, "all", begun.append)
    assert isinstance(whole, DeadLetter) and (whole.clip_id, whole.stage, whole.reason) == (None, "decode", "crash")


@pytest.mark.parametrize(("content", "reason"), [(b"no audio at all", "not_audio"), (None, "unreadable")])
def test_a_track_that_cannot_be_read_is_one_letter(tmp_path, decoder, content, reason):
    path = tmp_path / "b.wav"
    if content is not None:
        path.write_bytes(content)
    (letter,) = clips_of(TrackTask(Track(ID, str(path), "music", "b.wav", 1, "train")), decoder, 1)
    assert isinstance(letter, DeadLetter)
    assert (letter.clip_id, letter.stage, letter.kind, letter.reason) == (None, "decode", "failed", reason)
    assert letter.error_type == "DecodeError" and letter.message.startswith("b.wav: ")
