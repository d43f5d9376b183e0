"""Beliefs over a track: lone clips stay, neighbours help, real changes stay, agreement is not certainty."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.annotators.fusion.track.chain import Chain, smoothed

CHAIN = Chain(change_per_s=0.004, trust=0.5, shrink=0.38)


def beliefs(rows):
    return np.array(rows, dtype=np.float64)


def times(count):
    return 10.0 * np.arange(count)


def exact(prior, rows, stay):
    """Posterior of each place of a two-state chain by summing over all paths: independent of the recursion."""
    count = len(rows)
    out = np.zeros((count, 2))
    for path in np.ndindex(*(2,) * count):
        weight = prior[path[0]]
        for i, state in enumerate(path):
            weight *= rows[i][state]
            if i:
                weight *= stay if path[i] == path[i - 1] else 1 - stay
        for i, state in enumerate(path):
            out[i, state] += weight
    return out / out.sum(axis=1, keepdims=True)


def test_with_full_trust_it_is_the_sum_over_all_paths():
    rows = beliefs([[0.6, 0.4], [0.7, 0.3], [0.2, 0.8], [0.55, 0.45]])
    chain = Chain(change_per_s=0.01, trust=1.0, shrink=0.0)
    change = (1 - np.exp(-0.01 * 10)) / 2  # half of the changes lead back to the same state
    found = smoothed(rows, times(4), chain)
    np.testing.assert_allclose(found, exact((0.5, 0.5), rows, 1 - change), atol=1e-9)


@given(st.lists(st.floats(0.05, 0.95), min_size=1, max_size=1))
def test_a_lone_clip_stays_as_it_is(values):
    rows = beliefs([[v, 1 - v] for v in values])
    np.testing.assert_array_equal(smoothed(rows, times(1), CHAIN), rows)


@given(st.lists(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4), min_size=1, max_size=12))
def test_beliefs_stay_beliefs(rows):
    table = beliefs(rows)
    found = smoothed(table / table.sum(axis=1, keepdims=True), times(len(rows)), CHAIN)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_doubtful_clip_takes_the_value_of_its_neighbours():
    rows = beliefs([[0.9, 0.05, 0.05]] * 3 + [[0.3, 0.4, 0.3]] + [[0.9, 0.05, 0.05]] * 3)
    assert (smoothed(rows, times(7), CHAIN).argmax(axis=1) == 0).all()


def test_a_change_inside_the_track_stays():
    rows = beliefs([[0.9, 0.1]] * 5 + [[0.1, 0.9]] * 5)
    assert smoothed(rows, times(10), CHAIN).argmax(axis=1).tolist() == [0] * 5 + [1] * 5


def test_many_clips_that_say_the_same_are_no_certainty():
    rows = beliefs([[0.7] + [0.3 / 23] * 23] * 20)
    assert 0.7 < smoothed(rows, times(20), CHAIN)[10, 0] < 0.99


def test_what_lies_far_away_says_less():
    rows = beliefs([[0.9, 0.1], [0.4, 0.6]])
    near = smoothed(rows, np.array([0.0, 10.0]), CHAIN)[1, 0]
    far = smoothed(rows, np.array([0.0, 5000.0]), CHAIN)[1, 0]
    assert near > far
