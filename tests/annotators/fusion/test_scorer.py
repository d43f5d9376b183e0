"""Fitted models as plain numbers: the same as scikit-learn, through JSON; calibration curves and thresholds."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.labels.boosting import Boosting, Columns, Examples, fit_json, out_of_fold
from benchmarks.labels.calibrate import isotonic, platt, thresholds
from benchmarks.labels.trees import trees_of
from fgmcaps.annotators.fusion.choose import choose, log_odds, probabilities
from fgmcaps.annotators.fusion.scorer import Calibration, Threshold, Trees, threshold_for


def _data(rows: int = 800) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    table = np.round(random.normal(size=(rows, 5)), 4)
    table[random.uniform(size=table.shape) < 0.15] = np.nan
    filled = np.nan_to_num(table)
    return table, (filled[:, 0] * filled[:, 1] + filled[:, 2] + random.normal(size=rows) > 0).astype(int)


@pytest.mark.parametrize("rising", [False, True])
def test_scores_are_scikit_learn_s(rising: bool) -> None:
    table, truth = _data()
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=7, monotonic_cst=[0, 0, int(rising), 0, 0], early_stopping=False, random_state=0
    ).fit(table, truth)
    trees = Trees.from_json(json.loads(json.dumps(trees_of(model, list("abcde")))))
    np.testing.assert_allclose(trees(table), model.decision_function(table), rtol=0, atol=1e-4)
    nothing = np.full((1, 5), np.nan)
    np.testing.assert_allclose(trees(nothing), model.decision_function(nothing), atol=1e-4)


def test_a_tree_by_hand() -> None:
    tree = {
        "feature": [0, -1, 1, -1, -1],
        "threshold": [0.5, 0, -1.0, 0, 0],
        "left": [1, 0, 3, 0, 0],
        "right": [2, 0, 4, 0, 0],
        "missing_left": [1, 0, 0, 0, 0],
        "value": [0, 10.0, 0, 20.0, 30.0],
    }
    trees = Trees.from_json({"features": ["x", "y"], "base": 1.0, "trees": [tree]})
    table = np.array([[0.5, 0], [0.6, -1.0], [0.6, 0.0], [np.nan, 0.0], [0.6, np.nan]])
    assert trees(table).tolist() == [11.0, 21.0, 31.0, 11.0, 31.0]
    with pytest.raises(ValueError, match="2 features"):
        trees(np.zeros((3, 1)))


def test_features_that_turn_up_late_and_those_that_never_vary() -> None:
    columns = Columns()
    first = columns.table([{"a": 1.0, "b": 2.0}])
    second = columns.table([{"b": 3.0, "c": 4.0}])
    assert np.isnan(columns.select(first, ["c", "b"])).tolist() == [[True, False]]
    examples = Examples(columns)
    examples.add(first, [1.0], "x")
    examples.add(second, [0.0], "y")
    assert examples.all().shape == (2, 3)
    assert fit_json(examples, Boosting(trees=1, min_leaf=1))["features"] == ["b"]


def _examples(count: int, value: Callable[[int], float], target: Callable[[int], float], families: int) -> Examples:
    examples = Examples()
    for i in range(count):
        examples.add(examples.columns.table([{"x": value(i)}]), [target(i)], f"family {i % families}")
    return examples


def test_a_share_counts_as_that_much_right() -> None:
    examples = _examples(400, lambda i: float(i % 2), lambda i: 0.75 if i % 2 else 0.25, 8)
    trees = Trees.from_json(fit_json(examples, Boosting(trees=200, rate=0.2, share=1.0, l2=0.0)))
    assert 1 / (1 + np.exp(-trees(np.array([[0.0], [1.0]])))) == pytest.approx([0.25, 0.75], abs=0.02)


def test_no_family_is_judged_by_trees_that_saw_it() -> None:
    examples = _examples(300, lambda i: i / 300, lambda i: float(i % 2), 10)
    folds = out_of_fold(examples, Boosting(trees=5))
    left_out = [family for families, _ in folds for family in families]
    assert sorted(left_out) == sorted(set(examples.group))


def test_a_curve_is_straight_between_knots_and_flat_beyond() -> None:
    curve = Calibration(np.array([-1.0, 1.0]), np.array([0.2, 0.8]))
    assert curve(np.array([-9.0, -1.0, 0.0, 1.0, 9.0])).tolist() == pytest.approx([0.2, 0.2, 0.5, 0.8, 0.8])


@pytest.mark.parametrize("method", [platt, isotonic])
def test_calibration_finds_the_truth_in_overconfident_scores(method: object) -> None:
    random = np.random.default_rng(3)
    score = random.normal(size=6000) * 2
    outcome = (random.uniform(size=6000) < 1 / (1 + np.exp(-score))).astype(float)
    data = method(3 * score, outcome)  # type: ignore[operator]
    curve = Calibration(np.array(data["score"]), np.array(data["probability"]))
    assert (np.diff(curve.probability) >= 0).all()
    asked = np.array([-2.0, 0.0, 2.0])
    assert curve(3 * asked) == pytest.approx(1 / (1 + np.exp(-asked)), abs=0.05)


def test_calibration_without_a_failure_does_not_break() -> None:
    assert platt(np.array([1.0, 2.0]), np.ones(2))["probability"] == [1.0, 1.0]


def test_thresholds_reach_their_precision_and_rise() -> None:
    random = np.random.default_rng(0)
    probability = np.round(random.uniform(size=3000), 4)
    outcome = (random.uniform(size=3000) < probability).astype(float)
    table = thresholds(probability, outcome, None, (0.5, 0.8, 0.9, 0.999))
    assert [t["precision"] for t in table][:3] == [0.5, 0.8, 0.9]
    for entry in table:
        kept = probability >= entry["probability"]
        assert outcome[kept].mean() >= entry["precision"]
        assert kept.mean() == pytest.approx(entry["coverage"], abs=1e-4)
    assert [t["probability"] for t in table] == sorted(t["probability"] for t in table)


def test_a_threshold_between_two_precisions_is_the_stricter() -> None:
    table = (Threshold(0.9, 0.5, 0.8), Threshold(0.95, 0.7, 0.6))
    assert threshold_for(table, 0.92).probability == 0.7
    assert threshold_for(table, 0.0).probability == 0.0
    with pytest.raises(ValueError, match=r"a precision of 0\.95 at most, not 0\.99"):
        threshold_for(table, 0.99)


@settings(deadline=None)
@given(st.lists(st.floats(-30, 30), min_size=1, max_size=40))
def test_at_most_one_hypothesis_is_right(scores: list[float]) -> None:
    share = probabilities(np.array(scores))
    assert ((share >= 0) & (share <= 1)).all()
    assert share.sum() <= 1 + 1e-9
    best, _ = choose(np.array(scores))
    assert share[best] == pytest.approx(share.max())


def test_log_odds_undo_a_probability() -> None:
    assert probabilities(np.array([log_odds(0.3)])) == pytest.approx([0.3])
    assert (log_odds(0.0), log_odds(1.0)) == (-12.0, 12.0)
