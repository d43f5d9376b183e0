"""Curves that make probabilities true: right in the limit, harmless with few labels, refused where they do not help."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators import load_profile
from fgmcaps.annotators.evaluation.recalibration import LEAST_GROUPS, fit_curve
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.annotators.fusion.recalibrate import recalibrated, recalibrated_probability
from fgmcaps.annotators.settings import Recalibration
from fgmcaps.schemas import Fused, NamedAlternative


def drawn(n, slope, intercept, seed=0, clips=1):
    """Probabilities that a model states, of which the truth is a curve; ``clips`` of a track err together."""
    rng = np.random.default_rng(seed)
    stated = rng.beta(4, 2, n)
    true = 1 / (1 + np.exp(-(slope * np.log(stated / (1 - stated)) + intercept)))
    right = (rng.random(n) < true).astype(float)
    return np.repeat(stated, clips), np.repeat(right, clips), np.repeat([f"t{i}" for i in range(n)], clips)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, -1.0), (0.5, 0.5), (1.5, 0.0), (1.0, 0.0)])
def test_many_labels_find_the_curve(slope, intercept):
    found = fit_curve(*drawn(20_000, slope, intercept))
    assert (found.slope, found.intercept) == (pytest.approx(slope, abs=0.06), pytest.approx(intercept, abs=0.06))


def test_no_labels_change_nothing():
    found = fit_curve([], [], [])
    assert (found.slope, found.intercept, found.better) == (1.0, 0.0, False)


def test_fifty_labels_are_enough_to_matter_and_are_shrunk():
    """Stated .67 on average, right .45: log loss on a thousand others falls, and the curve lies between."""
    judge = drawn(1000, 1.0, -1.0, seed=99)
    gains, intercepts = [], []
    for seed in range(20):
        found = fit_curve(*drawn(50, 1.0, -1.0, seed=seed))
        after = [
            recalibrated_probability(p, Recalibration(slope=found.slope, intercept=found.intercept)) for p in judge[0]
        ]
        gains.append(_loss(judge[0], judge[1]) - _loss(np.array(after), judge[1]))
        intercepts.append(found.intercept)
    assert np.mean(gains) > 0.06 and sum(gain > 0 for gain in gains) >= 19
    assert -1.0 < np.mean(intercepts) < -0.6


def _loss(p, y):
    return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())


def test_probabilities_that_are_true_are_rarely_changed():
    better = [fit_curve(*drawn(50, 1.0, 0.0, seed=seed)).better for seed in range(40)]
    assert np.mean(better) < 0.5


def test_clips_of_one_track_count_less_than_those_of_many():
    p, y, tracks = drawn(30, 1.0, -1.5, clips=9)
    alone, together = fit_curve(*drawn(30, 1.0, -1.5)), fit_curve(p, y, tracks)
    apart = fit_curve(p, y, [str(n) for n in range(len(p))])
    assert alone.groups == together.groups == 30 and together.clips == apart.clips == 270
    assert alone.intercept > together.intercept > apart.intercept


def test_few_tracks_fit_no_curve():
    assert not fit_curve(*drawn(LEAST_GROUPS - 1, 1.0, -3.0, clips=20)).better


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from("abcdefghijkl")), max_size=40))
def test_any_labels_give_a_curve_that_rises(rows):
    found = fit_curve(*zip(*rows, strict=True)) if rows else fit_curve([], [], [])
    assert 0.05 <= found.slope <= 10 and -10 <= found.intercept <= 10
    Recalibration(slope=found.slope, intercept=found.intercept)


def test_the_filter_sees_the_new_probability_and_the_row_keeps_the_old():
    fused = Fused(
        key="C major", key_probability=0.97, key_alternatives=(NamedAlternative("A minor", 0.02),),
        tempo_bpm=100.0, tempo_probability=0.99,
    )  # fmt: skip
    base = load_profile("best").fusion
    strict = base.model_copy(update={"calibration": {"key": Recalibration(intercept=-3.0)}})
    assert keep(fused, base).key == "C major" and keep(fused, base).key_confidence == 0.97
    labels = keep(fused, strict)
    assert labels.key is None and labels.key_confidence == pytest.approx(0.617, abs=0.001)
    assert labels.fused == fused and labels.tempo_bpm == 100.0
    moved = recalibrated(fused, strict.calibration)
    assert moved.key_probability + moved.key_alternatives[0].probability <= 1


def test_without_curves_nothing_changes():
    fused = Fused(key="C major", key_probability=0.97)
    assert recalibrated(fused, {}) == fused
    assert recalibrated_probability(0.7, Recalibration()) == 0.7


def test_settings_refuse_what_is_no_curve():
    for wrong in ({"fusion.calibration": {"kye": {}}}, {"fusion.calibration": {"key": {"slope": -1}}}):
        with pytest.raises(ValueError, match="calibration"):
            load_profile("best").with_overrides(wrong)
    changed = load_profile("best").with_overrides({"fusion.calibration": {"key": {"slope": 0.5}}})
    assert changed.fingerprint != load_profile("best").fingerprint
    assert changed.estimates_fingerprint == load_profile("best").estimates_fingerprint
