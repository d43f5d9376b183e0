"""Evidence around beats: planted periods, phases and subdivisions are found; nothing is made of nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fgmcaps.annotators.evidence.beats import BeatActivations, BeatPeriods
from fgmcaps.annotators.measure.beats import bar_phases, beat_activations, beat_periods, tempo_peaks
from fgmcaps.annotators.measure.curves import autocorrelation, off_beat, sampled
from fgmcaps.annotators.measure.onsets import onset_evidence

FPS = 100
BARS = BeatPeriods.BARS


def pulses(times: np.ndarray, heights: np.ndarray, frames: int = 1000) -> np.ndarray:
    out = np.full((frames, 2), 0.01)
    for t, h in zip(times, np.broadcast_to(heights, times.shape), strict=True):
        if round(t * FPS) < frames:
            out[round(t * FPS), 0] = h
    return out


@pytest.mark.parametrize("bpm", [60, 75, 100, 120, 150])
def test_the_strongest_peak_of_the_autocorrelation_is_the_tempo(bpm: int) -> None:
    times = np.arange(0.1, 9.9, 60 / bpm)
    found, strength = tempo_peaks(pulses(times, np.array(0.8)).sum(axis=1), FPS)
    assert any(bpm * k == pytest.approx(found[0], rel=0.02) for k in (1, 0.5, 1 / 3, 0.25))
    assert bpm in [pytest.approx(f, rel=0.02) for f in found]
    assert strength == sorted(strength, reverse=True)


@pytest.mark.parametrize(("bar", "phase"), [(2, 1), (3, 0), (3, 2), (4, 3), (5, 2), (6, 4), (7, 1)])
def test_a_planted_bar_has_the_highest_contrast_and_its_phase(bar: int, phase: int) -> None:
    on = np.full(28, 0.05)
    on[phase::bar] = 0.75
    contrast, margin, phases = bar_phases(on)
    index = BARS.index(bar)
    assert contrast[index] == pytest.approx(0.7)
    assert margin[index] == pytest.approx(0.7)
    assert phases[index] == phase
    assert np.argmax(contrast) == index


def test_bars_longer_than_the_clip_count_nothing() -> None:
    contrast, margin, phases = bar_phases(np.array([0.9, 0.1, 0.2]))
    assert contrast[BARS.index(3) :] == [0.0] * 5
    assert margin[BARS.index(3) :] == [0.0] * 5
    assert phases[BARS.index(3) :] == [0] * 5


def test_thirds_and_halves_between_beats_are_told_apart() -> None:
    beats = np.arange(0.5, 9.5, 0.6)
    for parts, name in (((1 / 3, 2 / 3), "thirds"), ((0.5,), "half")):
        times = np.concatenate([beats, *(beats + p * 0.6 for p in parts)])
        found = beat_periods(pulses(times, np.array(0.6)), FPS, tuple(beats))
        assert found is not None
        quarter, third, half, two_thirds, three_quarters = found.between
        strong, weak = ((third, two_thirds), half) if name == "thirds" else ((half,), third)
        assert min(strong) > 0.9
        assert max(weak, quarter, three_quarters) < 0.1


def test_every_second_beat_stronger_shows_in_every() -> None:
    beats = np.arange(0.5, 9.5, 0.5)
    heights = np.where(np.arange(beats.size) % 2 == 0, 0.9, 0.3)
    found = beat_periods(pulses(beats, heights), FPS, tuple(beats))
    assert found is not None
    assert found.every[0] == pytest.approx(0.6, abs=0.01)
    ratios = dict(zip(BeatPeriods.LAG_RATIOS, found.lag_ratio, strict=True))
    assert ratios[2.0] > ratios[1.0] > ratios[1.5]
    assert found.irregularity == pytest.approx(0.0, abs=0.01)


def test_fewer_than_three_beats_have_no_periods_and_silence_no_tempo() -> None:
    assert beat_activations(np.zeros((300, 2)), FPS, ()) == BeatActivations((), (), (), ())
    assert beat_periods(np.zeros((300, 2)), FPS, (0.1, 0.2)) is None
    assert onset_evidence(np.zeros((300, 3)), FPS, (0.1, 0.2)) is None


def test_onsets_off_the_beat_show_where_they_are() -> None:
    beats = np.arange(0.5, 9.5, 0.5)
    onsets = np.zeros((1000, 3))
    onsets[np.rint(beats * FPS).astype(int), 0] = 1.0
    onsets[np.rint((beats + 0.25) * FPS).astype(int), 2] = 1.0
    found = onset_evidence(onsets, FPS, tuple(beats))
    assert found is not None
    low, middle, high = found.onset_between
    assert low[0] > 10 and low[3] == 0
    assert high[0] == 0 and high[3] > 10
    assert middle == (0.0,) * 6


def test_sampling_reaches_20_ms_and_not_30_and_is_zero_outside() -> None:
    curve = np.zeros(1000)
    curve[500] = 1.0
    assert sampled(curve, np.array([4.98, 5.02, 4.97, -1.0, 12.0]), FPS).tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert off_beat(curve, np.array([4.5, 5.5]), FPS, 0.5) == 1.0


def test_the_autocorrelation_equals_its_definition() -> None:
    curve = np.random.default_rng(0).random(200)
    centred = curve - curve.mean()
    want = [np.sum(centred[: 200 - k] * centred[k:]) / (200 - k) / np.mean(centred**2) for k in range(200)]
    np.testing.assert_allclose(autocorrelation(curve), want, atol=1e-10)
    assert not autocorrelation(np.full(50, 0.3)).any()


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 300), st.just(2)), elements=st.floats(0, 0.5)),
    st.lists(st.floats(0, 3.5), max_size=12, unique=True),
)
def test_evidence_of_any_activations_can_be_read_back(activations: np.ndarray, times: list[float]) -> None:
    at = tuple(sorted(times))
    for kind in (beat_activations(activations, FPS, at), beat_periods(activations, FPS, at)):
        if kind is not None:
            assert type(kind).from_details(kind.to_details(), "tracker") == kind
