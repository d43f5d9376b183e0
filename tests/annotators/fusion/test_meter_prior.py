"""Shares of meters in a corpus: found without truth, and what they change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.annotators.fusion.meter_prior import belief, estimated_meters, with_meters
from fgmcaps.schemas import Fused, NamedAlternative

ASSUMED = {"2/4": 0.01, "3/4": 0.04, "4/4": 0.9, "5/4": 0.01, "6/8": 0.04}
METERS = list(ASSUMED)


def clip(shares, **changes):
    """A clip that is believed to have each meter with its share."""
    order = sorted(range(5), key=lambda i: -shares[i])
    others = tuple(NamedAlternative(METERS[i], shares[i]) for i in order[1:4])
    best = order[0]
    return Fused(
        time_signature=METERS[best], meter_probability=shares[best], meter_alternatives=others,
        downbeats=(0.1, 2.1), downbeats_probability=0.8, **changes,
    )  # fmt: skip


def drawn(true_shares, count, sharpness, seed=0):
    """Clips of a corpus and the posteriors of a judge that is right under ``ASSUMED``: drawn, so truth is known."""
    rng = np.random.default_rng(seed)
    prior = np.array(list(ASSUMED.values()))
    clips, truth = [], rng.choice(5, count, p=true_shares)
    for meter in truth:
        evidence = rng.normal(0, 1, 5) * sharpness**0.5
        evidence[meter] += sharpness  # Gaussian log-likelihood ratios of variance 2 x mean are consistent
        posterior = prior * np.exp(evidence)
        clips.append(clip((posterior / posterior.sum()).tolist()))
    return clips, truth


def test_the_shares_of_a_corpus_are_found_again():
    clips, _ = drawn([0.1, 0.5, 0.25, 0.05, 0.1], 3000, 4.0)
    found = estimated_meters(clips, ASSUMED)
    np.testing.assert_allclose(list(found.values()), [0.1, 0.5, 0.25, 0.05, 0.1], atol=0.05)


def test_judged_with_them_more_clips_are_right():
    clips, truth = drawn([0.1, 0.5, 0.25, 0.05, 0.1], 2000, 4.0)
    found = estimated_meters(clips, ASSUMED)
    before = np.mean([c.time_signature == METERS[t] for c, t in zip(clips, truth, strict=True)])
    anew = [with_meters(c, found, ASSUMED).time_signature for c in clips]
    after = np.mean([meter == METERS[t] for meter, t in zip(anew, truth, strict=True)])
    assert after > before + 0.05


def test_a_handful_of_clips_changes_little():
    found = estimated_meters([clip([0.05, 0.75, 0.1, 0.05, 0.05])] * 2, ASSUMED)
    assert found["4/4"] > 0.75


def test_without_clips_nothing_changes():
    assert estimated_meters([Fused()], ASSUMED) == ASSUMED


@given(st.lists(st.floats(0.01, 1), min_size=5, max_size=5))
def test_the_same_shares_change_nothing(weights):
    shares = [round(w / sum(weights), 4) for w in weights]
    before = clip(shares)
    after = with_meters(before, ASSUMED, ASSUMED)
    assert after.meter_probability == pytest.approx(before.meter_probability, abs=2e-3)
    assert after.downbeats == before.downbeats or after.time_signature != before.time_signature


def test_a_meter_that_becomes_another_has_no_bars():
    waltz = {**ASSUMED, "3/4": 0.6, "4/4": 0.3}
    after = with_meters(clip([0.01, 0.3, 0.66, 0.01, 0.02]), waltz, ASSUMED)
    assert after.time_signature == "3/4"
    assert (after.downbeats, after.downbeats_probability) == ((), None)
    assert after.meter_alternatives[0].value == "4/4"


def test_what_is_not_named_has_what_is_left_in_proportion():
    row = belief(Fused(time_signature="4/4", meter_probability=0.8), ASSUMED)
    np.testing.assert_allclose(row, [0.02, 0.08, 0.8, 0.02, 0.08])
