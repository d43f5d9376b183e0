"""Every kind of evidence survives the details of an estimate, and what is damaged or of other axes is refused."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.annotators.evidence.bars import BarLikelihoods
from fgmcaps.annotators.evidence.base import EvidenceError, rounded
from fgmcaps.annotators.evidence.beats import BeatPeriods
from fgmcaps.annotators.evidence.onsets import OnsetEvidence
from fgmcaps.annotators.evidence.tempi import TempoLikelihoods
from fgmcaps.annotators.fusion.tracker import Tracker
from fgmcaps.annotators.measure.beats import beat_periods
from fgmcaps.annotators.measure.curves import autocorrelation, near_lag
from fgmcaps.annotators.measure.onsets import onset_evidence
from fgmcaps.schemas import BeatGrid, Estimate, from_json, to_json
from tests.annotators.made_evidence import ANY, activations, onsets, periods, posteriors

FPS = 100
KINDS = pytest.mark.parametrize("kind", ANY, ids=lambda kind: kind.__name__)
AXES = [
    (BeatPeriods, "bar_contrast"),
    (BeatPeriods, "bar_margin"),
    (BeatPeriods, "between"),
    (BeatPeriods, "every"),
    (BeatPeriods, "lag_ratio"),
    (BeatPeriods, "downbeat_lag"),
    (OnsetEvidence, "onset_between"),
    (OnsetEvidence, "onset_lag"),
    (TempoLikelihoods, "hypothesis_loglik"),
]


@pytest.mark.slow
@KINDS
@given(data=st.data())
def test_evidence_survives_an_estimate_in_json(kind, data):
    evidence = data.draw(ANY[kind])
    estimate = Estimate("tool", "1", "beats", BeatGrid((), ()), None, {"other": 1.0, **evidence.to_details()})
    assert kind.from_details(from_json(Estimate, to_json(estimate)).details, "tool") == evidence
    assert list(evidence.to_details()) == [field.name for field in fields(kind)]


@KINDS
def test_no_evidence_is_none(kind):
    assert kind.from_details({}, "tool") is None
    assert kind.from_details({"something_else": [1.0]}, "tool") is None


@pytest.mark.slow
@KINDS
@given(data=st.data())
def test_a_missing_field_and_one_of_another_type_are_named(kind, data):
    details = data.draw(ANY[kind]).to_details()
    name = data.draw(st.sampled_from(sorted(details)))
    if len(details) > 1:
        with pytest.raises(EvidenceError, match=rf"^my_tool: .*{kind.__name__}: {name}: Field required"):
            kind.from_details({key: value for key, value in details.items() if key != name}, "my_tool")
    for wrong in ("text", [None], [float("nan")]):
        with pytest.raises(EvidenceError, match=rf"^my_tool: .*{name}"):
            kind.from_details({**details, name: wrong}, "my_tool")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), AXES)
@given(data=st.data())
def test_numbers_on_another_axis_are_refused(kind, name, data):
    details = data.draw(ANY[kind]).to_details()
    for other in (details[name][:-1], [*details[name], details[name][0]]):
        with pytest.raises(EvidenceError, match=rf"tool: .*{name}"):
            kind.from_details({**details, name: other}, "tool")


def test_the_axes_are_those_of_the_fitted_models():
    # Another axis needs other models: annotators/fusion/models hold features that were read on these.
    assert BeatPeriods.BARS == (2, 3, 4, 5, 6, 7)
    assert BeatPeriods.PLACES == (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)
    assert BeatPeriods.EVERY == (2, 3, 4)
    assert BeatPeriods.LAG_RATIOS == (1 / 3, 1 / 2, 2 / 3, 1, 4 / 3, 3 / 2, 2, 3, 4, 6)
    assert OnsetEvidence.BANDS == ("low", "mid", "high")
    assert TempoLikelihoods.RATIOS == (1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3)
    assert TempoLikelihoods.BARS == (2, 3, 4, 6)


def test_a_tracker_reads_at_each_lag_what_was_measured_there():
    random = np.random.default_rng(0)
    curves, times = random.random((1000, 3)), tuple(0.1 + 0.5 * i for i in range(19))
    found, onset = beat_periods(curves[:, :2], FPS, times), onset_evidence(curves, FPS, times)
    tracker = Tracker("tool", 120.0, 1.0, BeatGrid(times, (0,) * 19), periods=found, onsets=onset)
    any_beat = autocorrelation(curves[:, :2].sum(axis=1))
    for beats in (1 / 3, 1 / 2, 2 / 3, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0, 6.0):
        assert tracker.lag(beats) == pytest.approx(near_lag(any_beat, beats * 50), abs=0.0006)
        for band, curve in zip(("low", "mid", "high"), curves.T, strict=True):
            assert tracker.onset_lag(band, beats) == pytest.approx(
                near_lag(autocorrelation(curve), beats * 50), abs=0.006
            )
    for bar in (2, 3, 4, 5, 6, 7):
        want = near_lag(autocorrelation(curves[:, 1]), bar * 50)
        assert tracker.downbeat_lag(bar) == pytest.approx(want, abs=0.0006)


def test_spans_and_bars_have_one_value_each():
    details = posteriors(entropy=(0.1, 0.2)).to_details()
    with pytest.raises(EvidenceError, match=r"tool: .*runner_up_mass has 1 spans, majmin_mass 2"):
        type(posteriors()).from_details({**details, "runner_up_mass": [0.5]}, "tool")
    details = BarLikelihoods.of({3: -10.0, 4: -8.0}, 500).to_details()
    with pytest.raises(EvidenceError, match=r"tool: .*bar_loglik has 1 values for 2 bar_lengths"):
        BarLikelihoods.from_details({**details, "bar_loglik": [-1.0]}, "tool")


def test_the_details_are_as_they_always_were():
    # Journals of finished builds hold these names in this order.
    assert BarLikelihoods.of({4: -8.12345, 3: -10.0, 5: float("-inf")}, 500).to_details() == {
        "bar_lengths": [3.0, 4.0],
        "bar_loglik": [-10.0, -8.123],
        "frames": [500.0],
    }
    assert list(activations().to_details()) == ["beat_activation", "downbeat_activation", "tempo_bpm", "tempo_strength"]
    assert list(periods().to_details()) == [
        "bar_contrast",
        "bar_margin",
        "bar_phase",
        "between",
        "every",
        "lag_ratio",
        "downbeat_lag",
        "irregularity",
    ]
    assert list(onsets().to_details()) == ["onset_between", "onset_low", "onset_all", "onset_lag"]


def test_rounding_leaves_no_number_that_json_lacks():
    assert rounded([0.12345, float("nan"), float("inf"), -float("inf")]) == (0.123, 0.0, 0.0, 0.0)
