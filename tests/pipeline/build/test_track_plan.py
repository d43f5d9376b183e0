"""The plan: dedup, splits that do not leak, dead letters for what cannot be read; the same in any order."""

import dataclasses
import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.build.track_plan import check_given_splits, make_plan
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.schemas import TrackMetadata
from fgmcaps.schemas.ids import leak_group
from tests.pipeline.inputs import known, sha, unreadable

CONFIG = BuildConfig()
HALVES = BuildConfig(splits={"train": 0.5, "validation": 0.25, "test": 0.25})


def splits_of(plan):
    return {t.source_path: t.split for t in plan.tracks}


def test_copies_are_one_track_under_the_first_name():
    plan = make_plan([known("c.wav", "same"), known("a.wav", "same"), known("b.wav", "same"), known("d")], "s", CONFIG)
    assert (plan.files, len(plan.duplicates), len(plan.tracks)) == (4, 2, 2)
    track = next(t for t in plan.tracks if t.source_path != "d")
    assert (track.source_path, track.location, track.track_id) == ("a.wav", "/music/a.wav", sha("same")[:16])
    assert track.source == "s"


def test_tracks_are_sorted_by_id():
    ids = [t.track_id for t in make_plan([known(f"{i}") for i in range(20)], "s", CONFIG).tracks]
    assert ids == sorted(ids)


def test_the_limit_takes_the_first_names_and_counts_only_their_copies():
    files = [known("a", "x"), known("b", "y"), known("c", "z"), known("z", "x")]
    plan = make_plan(files, "s", CONFIG, limit=2)
    assert sorted(t.source_path for t in plan.tracks) == ["a", "b"]
    assert (plan.files, len(plan.duplicates)) == (3, 1)


def test_a_file_that_cannot_be_read_is_a_dead_letter_of_the_plan():
    plan = make_plan([known("a"), unreadable("gone.wav")], "s", CONFIG)
    (letter,) = plan.letters
    assert (plan.files, len(plan.duplicates), len(plan.tracks)) == (2, 0, 1)
    assert (letter.source_path, letter.stage, letter.kind, letter.reason) == (
        "gone.wav",
        "read",
        "failed",
        "unreadable",
    )
    assert letter.retryable and letter.clip_id is None and letter.error_type == "FileNotFoundError"
    assert letter.track_id == hashlib.sha256(b"unreadable:gone.wav").hexdigest()[:16]
    assert letter.message == "gone.wav: cannot be read: FileNotFoundError: No such file or directory"


def test_a_given_split_wins_and_takes_the_artist_along():
    files = [known("a", artist="Ann", split="test"), known("b", artist=" ANN "), known("c", artist="ann")]
    assert set(splits_of(make_plan(files, "s", CONFIG)).values()) == {"test"}


def test_a_copy_may_carry_the_split():
    files = [known("a", "same", title="first"), known("b", "same", title="second", split="test")]
    (track,) = make_plan(files, "s", CONFIG).tracks
    assert (track.split, track.metadata.split, track.metadata.title) == ("test", "test", "first")


def test_two_splits_for_copies_of_one_file_are_refused():
    files = [known("a.wav", "same", split="train"), known("b.wav", "same", split="test")]
    with pytest.raises(FgmcapsError, match=r"copies.*'a\.wav': train, 'b\.wav': test"):
        make_plan(files, "s", CONFIG)


def test_two_splits_for_one_artist_are_refused_before_and_after_hashing():
    files = [known("a.wav", artist="Ann", split="train"), known("b.wav", artist="aNN", split="test")]
    for refuse in (lambda: make_plan(files, "s", CONFIG), lambda: check_given_splits(h.file for h in files)):
        with pytest.raises(FgmcapsError, match=r"artist 'ann'.*'a\.wav': train, 'b\.wav': test") as caught:
            refuse()
        assert caught.value.exit_code == 2


@pytest.mark.parametrize("artist", [None, "", "  ", "Unknown Artist", "VARIOUS artists", "n/a"])
def test_tracks_without_a_real_artist_are_groups_of_their_own(artist):
    files = [known("a", artist=artist, split="train"), known("b", artist=artist, split="test")]
    check_given_splits(h.file for h in files)
    assert splits_of(make_plan(files, "s", CONFIG)) == {"a": "train", "b": "test"}


def test_one_spelling_of_a_name_whatever_the_unicode_form():
    names = ("Bj\u00f6rk", "Bjo\u0308rk")
    assert {leak_group("0" * 16, name) for name in names} == {"artist:bj\u00f6rk"}


def test_a_split_by_hash_is_the_documented_function():
    # Independent of the code: the first 8 bytes of SHA-256 of "split:{seed}:{group}" as a share of 2**64.
    def expected(group, seed):
        u = int(hashlib.sha256(f"split:{seed}:{group}".encode()).hexdigest()[:16], 16) / 2**64
        return "train" if u < 0.5 else "validation" if u < 0.75 else "test"

    for seed in (0, 1):
        config = HALVES.model_copy(update={"seed": seed})
        files = [known(f"{i}") for i in range(30)] + [known(f"x{i}", artist=f"A{i}") for i in range(30)]
        got = splits_of(make_plan(files, "s", config))
        want = {f"{i}": expected(f"track:{sha(f'{i}')[:16]}", seed) for i in range(30)}
        want |= {f"x{i}": expected(f"artist:a{i}", seed) for i in range(30)}
        assert got == want
        assert set(got.values()) == {"train", "validation", "test"}


def test_a_licence_for_all_fills_only_what_is_missing():
    config = BuildConfig(licence="CC0-1.0")
    plan = make_plan([known("a"), known("b", licence="MIT")], "s", config)
    assert {t.source_path: t.metadata.licence for t in plan.tracks} == {"a": "CC0-1.0", "b": "MIT"}


def test_the_corpus_fingerprint_sees_rows_and_not_places():
    files = [known("a"), known("b")]
    plan = make_plan(files, "s", CONFIG)
    moved = [
        dataclasses.replace(h, file=dataclasses.replace(h.file, location=f"/else/{h.file.source_path}")) for h in files
    ]
    assert make_plan(moved, "s", CONFIG).corpus == plan.corpus
    titled = [
        files[0],
        dataclasses.replace(files[1], file=dataclasses.replace(files[1].file, metadata=TrackMetadata("T"))),
    ]
    others = [
        make_plan(titled, "s", CONFIG),
        make_plan(files, "t", CONFIG),
        make_plan(files[:1], "s", CONFIG),
        make_plan([*files, known("c", "a")], "s", CONFIG),
        make_plan([*files, unreadable("x")], "s", CONFIG),
    ]
    assert len({plan.corpus, *(o.corpus for o in others)}) == 6


NAMES = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"),
        st.sampled_from(["", "one", "two", "three"]),
        st.sampled_from([None, "Ann", "ann ", "Bob", "unknown"]),
    ),
    unique_by=lambda item: item[0],
)


@settings(max_examples=60)
@given(NAMES, st.integers(0, 99), st.lists(st.sampled_from("uvw"), unique=True))
def test_any_order_gives_the_same_plan_and_every_file_is_counted_once(items, seed, broken):
    files = [known(name, content, artist=artist) for name, content, artist in items] + [unreadable(n) for n in broken]
    shuffled = files.copy()
    random.Random(seed).shuffle(shuffled)
    plan = make_plan(files, "s", HALVES)
    assert make_plan(shuffled, "s", HALVES) == plan
    assert plan.files == len(files) == len(plan.tracks) + len(plan.duplicates) + len(plan.letters)
    by_group = {}
    for track in plan.tracks:
        group = leak_group(track.track_id, track.metadata.artist)
        assert by_group.setdefault(group, track.split) == track.split


@given(st.sets(st.integers(0, 50), min_size=1), st.sets(st.integers(0, 50)))
def test_adding_tracks_never_moves_another_to_another_split(before, added):
    small = splits_of(make_plan([known(f"{i}") for i in before], "s", HALVES))
    large = splits_of(make_plan([known(f"{i}") for i in before | added], "s", HALVES))
    assert small.items() <= large.items()
