"""Which 10 s become clips: hand-made envelopes, and properties of any envelope."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.pipeline.audio.windows import choose_windows

CLIP = 10_000


def envelope(seconds, loud=(), level=1.0):
    """RMS each 0.5 s: 0.1, and ``level`` in the seconds ``loud`` = (start, end)."""
    rms = np.full(round(seconds * 2), 0.1, np.float32)
    if loud:
        rms[round(loud[0] * 2) : round(loud[1] * 2)] = level
    return rms


def test_the_loudest_ten_seconds_are_found_to_the_half_second():
    assert choose_windows(60.0, envelope(60, (20.5, 30.5)), 1) == ((20_500, CLIP),)


def test_ties_go_to_the_earlier_window_away_from_the_start():
    # 60 s: 101 possible starts (0, 0.5, ... 50 s); the first and last tenth (10 starts, 5 s) are left out.
    assert choose_windows(60.0, envelope(60), 1) == ((5_000, CLIP),)


def test_a_louder_intro_or_ending_is_avoided():
    assert choose_windows(60.0, envelope(60, (0, 10)), 1)[0][0] == 5_000  # the inner window with most of it
    assert choose_windows(60.0, envelope(60, (50, 60)), 1)[0][0] == 45_000


def test_the_ends_are_used_when_the_middle_is_full():
    # 30 s: starts 0 .. 20 s in halves, the inner ones 2 .. 18 s; the loudest inner one is 10 s, which leaves the ends.
    assert choose_windows(30.0, envelope(30, (10, 20)), 3) == ((0, CLIP), (10_000, CLIP), (20_000, CLIP))


def test_k_windows_are_the_loudest_that_do_not_overlap():
    rms = envelope(60, (20, 30), level=0.9)
    rms[80:100] = 0.8  # 40 .. 50 s
    assert choose_windows(60.0, rms, 2) == ((20_000, CLIP), (40_000, CLIP))


@pytest.mark.parametrize(
    ("seconds", "starts"),
    [(10.0, [0]), (19.999, [0]), (20.0, [0, 10_000]), (35.2, [0, 10_000, 20_000]), (10.01, [0])],
)
def test_all_gives_every_whole_window_from_the_start(seconds, starts):
    assert choose_windows(seconds, envelope(seconds), "all") == tuple((s, CLIP) for s in starts)


@pytest.mark.parametrize("k", [1, 5, "all"])
@pytest.mark.parametrize(("seconds", "length"), [(0.0, 0), (0.1, 100), (9.99, 9_990)])
def test_a_short_track_is_one_window_of_its_whole_length(seconds, length, k):
    assert choose_windows(seconds, envelope(seconds), k) == ((0, length),)


def test_exactly_one_clip_fits_whatever_the_number_asked_for():
    assert choose_windows(10.0, envelope(10), 1000) == ((0, CLIP),)


def test_an_envelope_shorter_or_longer_than_the_track_is_padded_or_cut():
    assert choose_windows(60.0, envelope(60, (20, 30))[:70], 1) == ((20_000, CLIP),)
    assert choose_windows(60.0, np.append(envelope(60, (20, 30)), np.ones(40, np.float32)), 1) == ((20_000, CLIP),)
    assert choose_windows(60.0, np.zeros(0, np.float32), 1) == ((5_000, CLIP),)


def test_samples_that_are_no_numbers_count_as_silence():
    rms = envelope(60, (20, 30))
    rms[100:] = np.nan
    assert choose_windows(60.0, rms, 1) == ((20_000, CLIP),)


@settings(max_examples=60)
@given(
    st.floats(0, 200),
    st.lists(st.floats(0, 1, width=32), max_size=400),
    st.one_of(st.just("all"), st.integers(1, 30)),
)
def test_windows_lie_in_the_track_ascend_and_never_overlap(seconds, values, k):
    rms = np.array(values, np.float32)
    windows = choose_windows(seconds, rms, k)
    assert windows == choose_windows(seconds, rms, k)
    assert len(windows) >= 1 and (k == "all" or len(windows) <= k)
    for (start, length), (after, _) in itertools.pairwise(windows):
        assert start + length <= after
    start, length = windows[-1]
    assert windows[0][0] >= 0 and start + length <= seconds * 1000
    assert seconds < 10 or all(n == CLIP for _, n in windows)


@given(st.integers(20, 120), st.integers(0, 10_000))
def test_the_choice_is_that_of_a_plain_search_over_all_inner_starts(seconds, seed):
    rms = np.random.default_rng(seed).random(seconds * 2).astype(np.float32)
    starts = (seconds - 10) * 2 + 1
    inner = range(starts // 10, starts - starts // 10)
    best = max(inner, key=lambda i: (float(np.sum(rms[i : i + 20].astype(np.float64) ** 2)), -i))
    assert choose_windows(float(seconds), rms, 1) == ((best * 500, CLIP),)
