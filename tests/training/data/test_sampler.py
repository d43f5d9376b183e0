import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.training.data.sampler import choose_captions, drop_positions, epoch_batches


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=60), st.integers(1, 20), st.integers(0, 99), st.booleans())
def test_every_batch_is_full_and_no_clip_comes_twice(tracks, batch, epoch, one):
    batches = epoch_batches(np.array(tracks), batch, seed=1, epoch=epoch, one_clip_per_track=one)
    size = min(batch, len(tracks))
    assert len(batches) == len(tracks) // size and all(len(b) == size for b in batches)
    seen = np.concatenate(batches)
    assert len(set(seen.tolist())) == len(seen)


def test_at_most_one_clip_of_a_track_in_a_batch_while_tracks_last():
    tracks = np.repeat(np.arange(40), 5)
    batches = epoch_batches(tracks, 20, seed=3, epoch=1)
    repeats = [len(b) - len(set(tracks[b])) for b in batches]
    assert sum(repeats[:-2]) == 0 and sum(repeats) <= 8
    plain = epoch_batches(tracks, 20, seed=3, epoch=1, one_clip_per_track=False)
    assert sum(len(b) - len(set(tracks[b])) for b in plain) > 8


def test_the_order_is_a_function_of_seed_and_epoch():
    tracks = np.arange(50)
    a, b = (np.concatenate(epoch_batches(tracks, 10, seed=1, epoch=2)) for _ in range(2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, np.concatenate(epoch_batches(tracks, 10, seed=1, epoch=3)))
    assert not np.array_equal(a, np.concatenate(epoch_batches(tracks, 10, seed=2, epoch=2)))


def test_captions_are_the_main_one_or_any_of_a_clip_s_own():
    counts = np.array([1, 2, 5] * 50)
    assert choose_captions(counts, "main", seed=0, epoch=1, step=1) == [0] * 150
    chosen = np.array(choose_captions(counts, "any", seed=0, epoch=1, step=1))
    assert (chosen < counts).all() and set(chosen[2::3]) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_dropping_keeps_the_first_and_the_share(share):
    mask = np.arange(200)[None] < np.full((50, 1), 150)
    kept = drop_positions(mask, share, seed=0, epoch=1, step=1, stream=2)
    assert kept[:, 0].all() and not kept[~mask].any()
    assert kept[:, 1:150].mean() == pytest.approx(1 - share, abs=0.02)
