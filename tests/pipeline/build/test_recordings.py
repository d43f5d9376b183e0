"""Copies become one recording by their audio or their sound; what only shares a stretch of sound stays apart."""

import dataclasses

import numpy as np
import pytest

from fgmcaps.pipeline.audio.decode import SoundIdentity
from fgmcaps.pipeline.audio.fingerprint import to_bytes
from fgmcaps.pipeline.audio.tags import Tags
from fgmcaps.pipeline.build.recordings import SAME_AUDIO, SAME_SOUND, find_recordings
from fgmcaps.pipeline.build.track_plan import make_plan
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.sources.inventory import Identity
from fgmcaps.schemas import Duplicate
from tests.pipeline.inputs import known, sha

HALVES = BuildConfig(splits={"train": 0.5, "test": 0.5})


def sound(seed, frames=350, flipped=0.0, payload=None, seconds=60.0, **tags):
    """A made fingerprint: ``flipped`` of the bits of that of ``seed`` are turned."""
    bits = np.random.default_rng(seed).integers(0, 2, (frames, 16))
    noise = np.random.default_rng(seed + 1000).random((frames, 16)) < flipped
    prints = ((bits ^ noise) @ (1 << np.arange(16))).astype(np.uint16)
    return SoundIdentity(payload, Tags(**tags), seconds, to_bytes(prints))


def file(name, made=None, seen=0, **metadata):
    item = known(name, **metadata)
    return dataclasses.replace(item, identity=Identity(sha(name), made, seen))


def test_equal_audio_is_one_recording_whatever_the_tags():
    files = [file(f"{n}.mp3", sound(n, payload=sha("one"), title=f"{n}")) for n in range(3)]
    found = find_recordings(files, compare_sound=False).recordings
    assert [r.duplicates() for r in found] == [[Duplicate(f"{n}.mp3", "0.mp3", SAME_AUDIO) for n in (1, 2)]]


def test_a_reencoding_is_a_copy_and_another_recording_is_not():
    files = [file("a.flac", sound(1)), file("b.mp3", sound(1, flipped=0.08, seconds=60.4)), file("c.mp3", sound(2))]
    found = find_recordings(files, compare_sound=True)
    assert [(r.name, r.duplicates()) for r in found.recordings] == [
        ("a.flac", [Duplicate("b.mp3", "a.flac", SAME_SOUND)]),
        ("c.mp3", []),
    ]
    assert len(find_recordings(files, compare_sound=False).recordings) == 3


@pytest.mark.parametrize("seconds", [90.0, None])
def test_the_same_sound_in_a_longer_file_is_related_and_stays(seconds):
    files = [file("a.flac", sound(1)), file("b.mp3", sound(1, flipped=0.08, seconds=seconds))]
    found = find_recordings(files, compare_sound=True)
    assert [r.name for r in found.recordings] == ["a.flac", "b.mp3"] and found.related == ((0, 1),)
    for seed in range(20):
        plan = make_plan(files, "s", HALVES.model_copy(update={"seed": seed}))
        assert plan.related == 2 and len({track.split for track in plan.tracks}) == 1


def test_of_copies_the_one_that_was_known_first_keeps_its_name():
    old = file("song.mp3", sound(1, payload=sha("x")), seen=0)
    new = file("a copy.mp3", sound(1, payload=sha("x")), seen=1)
    other = file("a re-encoding.ogg", sound(1, flipped=0.05), seen=2)
    (track,) = make_plan([new, other, old], "s", HALVES).tracks
    assert track.source_path == "song.mp3" and track.track_id == sha("song.mp3")[:16]


def test_files_that_cannot_be_decoded_are_told_apart_by_their_bytes():
    found = find_recordings([file("a", None), file("b", None)], compare_sound=True)
    assert [r.name for r in found.recordings] == ["a", "b"]


def test_any_artist_of_any_copy_joins():
    files = [
        file("a", sound(1, payload=sha("x"), artists=("ann",))),
        file("b", sound(1, payload=sha("x"), artists=("bob",))),
        file("c", sound(2), artist="Bob feat. Cid"),
        file("d", sound(3), artist="CID"),
        file("e", sound(4), artist="Eve"),
    ]
    for seed in range(20):
        splits = {
            t.source_path: t.split for t in make_plan(files, "s", HALVES.model_copy(update={"seed": seed})).tracks
        }
        assert splits["a"] == splits["c"] == splits["d"]


@pytest.mark.parametrize("ids", [{"artist_ids": ("1" * 36,)}, {"recording_ids": ("2" * 36,)}])
def test_musicbrainz_ids_join(ids):
    files = [file(f"{n}", sound(n, **ids), artist=f"spelling {n}") for n in range(8)]
    assert len({track.split for track in make_plan(files, "s", HALVES).tracks}) == 1


def test_the_source_wins_over_tags_and_tags_may_be_left_alone():
    tags = {"title": "tag", "artist": "Tag", "artists": ("tag",), "genre": ("Rock",), "licence": "CC BY 4.0"}
    files = [file("a", sound(1, **tags), title="given", genre=("Jazz",))]
    (track,) = make_plan(files, "s", HALVES).tracks
    told = track.metadata
    assert (told.title, told.artist, told.genre, told.licence) == ("given", "Tag", ("Jazz",), "CC BY 4.0")
    (track,) = make_plan(files, "s", HALVES.model_copy(update={"tags": "ignore"})).tracks
    assert (track.metadata.artist, track.metadata.licence) == (None, None)


def test_files_are_tracks_copies_and_letters():
    files = [file("a", sound(1)), file("b", sound(1, flipped=0.05)), file("c", None)]
    plan = make_plan(files, "s", HALVES)
    assert (plan.files, len(plan.tracks), len(plan.duplicates), len(plan.letters)) == (3, 2, 1, 0)
