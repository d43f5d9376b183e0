"""Identities: golden values by hand, and the properties that shards and splits rest on."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.schemas.ids import make_clip_id, parse_clip_id, shard_of, split_of, track_id_of_digest

TRACKS = st.text("0123456789abcdef", min_size=16, max_size=16)
THIRDS = {"train": 0.8, "validation": 0.1, "test": 0.1}


def test_track_id_is_the_head_of_the_digest():
    digest = hashlib.sha256(b"").hexdigest()
    assert track_id_of_digest(digest) == "e3b0c44298fc1c14"  # SHA-256 of no bytes, FIPS 180-4


@pytest.mark.parametrize("bad", ["", "e3b0", "E" * 64, "g" * 64, "0" * 63])
def test_a_digest_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match="SHA-256"):
        track_id_of_digest(bad)


def test_clip_ids_are_written_as_documented():
    assert make_clip_id("e3b0c44298fc1c14", 90_000) == "e3b0c44298fc1c14-00090000"


@given(TRACKS, st.integers(0, 99_999_999))
def test_clip_ids_come_back(track, start):
    assert parse_clip_id(make_clip_id(track, start)) == (track, start)


@given(TRACKS, st.lists(st.integers(0, 99_999_999), max_size=5))
def test_clip_ids_of_a_track_sort_by_time(track, starts):
    assert sorted(make_clip_id(track, s) for s in starts) == [make_clip_id(track, s) for s in sorted(starts)]


@pytest.mark.parametrize(("track", "start"), [("x", 0), ("e3b0c44298fc1c14", -1), ("e3b0c44298fc1c14", 100_000_000)])
def test_impossible_clips_are_refused(track, start):
    with pytest.raises(ValueError, match=r"track id|out of range"):
        make_clip_id(track, start)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "e3b0c44298fc1c14",
        "e3b0c44298fc1c14-1",
        "../etc/passwd-00000000",
        "e3b0c44298fc1c14-00000000\n",
        "e3b0c44298fc1c14-0000000٣",
    ],
)
def test_a_text_that_is_no_clip_id_is_refused(bad):
    with pytest.raises(ValueError, match="clip id"):
        parse_clip_id(bad)


@given(st.text(max_size=20), st.integers(0, 3))
def test_a_group_keeps_its_split_whatever_else_is_there(group, seed):
    assert split_of(group, THIRDS, seed) == split_of(group, dict(THIRDS), seed)
    assert split_of(group, {"train": 1.0, "test": 0.0}, seed) == "train"


def test_shares_are_met():
    got = [split_of(f"artist {i}", THIRDS) for i in range(20_000)]
    # Binomial: 4 standard deviations of 20,000 draws at 0.1 are 0.0085.
    assert got.count("test") / len(got) == pytest.approx(0.1, abs=0.0085)
    assert got.count("validation") / len(got) == pytest.approx(0.1, abs=0.0085)


def test_another_seed_is_another_split():
    assert [split_of(str(i), THIRDS, 0) for i in range(200)] != [split_of(str(i), THIRDS, 1) for i in range(200)]


@pytest.mark.parametrize("bad", [{}, {"train": 0.5}, {"train": 1.5, "test": -0.5}])
def test_impossible_shares_are_refused(bad):
    with pytest.raises(ValueError, match="sum to 1"):
        split_of("x", bad)


def test_shards_cut_the_range_of_ids_into_equal_parts():
    assert [shard_of(f"{first}{'0' * 15}-00000000", 4) for first in "0348bcf"] == [0, 0, 1, 2, 2, 3, 3]
    assert shard_of("f" * 16 + "-99999999", 7) == 6


@given(st.lists(TRACKS, min_size=2, max_size=6), st.integers(1, 300))
def test_ascending_ids_have_ascending_shards_in_range(tracks, shards):
    indices = [shard_of(make_clip_id(track, 0), shards) for track in sorted(tracks)]
    assert indices == sorted(indices)
    assert 0 <= indices[0] <= indices[-1] < shards


def test_no_shards_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        shard_of("0" * 16 + "-00000000", 0)
