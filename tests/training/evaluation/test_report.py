"""The report: figures of score matrices known by hand, as data, Markdown and pictures; and explanations."""

import json

import numpy as np
import pytest

from fgmcaps.training.evaluation.bootstrap import Interval, Paired
from fgmcaps.training.evaluation.evaluate import Pool
from fgmcaps.training.evaluation.perturbation_table import PerturbationRow
from fgmcaps.training.evaluation.report_build import EvaluationReport, compare, describe
from fgmcaps.training.evaluation.report_files import write_report
from fgmcaps.training.evaluation.report_text import markdown, with_interval
from fgmcaps.training.evaluation.truncation import TruncationPoint
from fgmcaps.training.retrieval.explain import Explanation


def _pool(clips, tracks=None):
    n = np.arange(clips)
    return Pool(n, n if tracks is None else np.array(tracks), n, n * 0, n, tuple(f"clip-{i}" for i in n))


def _report(**more):
    rng = np.random.default_rng(0)
    scores = {v: (np.eye(40) * 2 + rng.random((40, 40))).astype(np.float32) for v in ("global", "frame")}
    pool = _pool(40)
    return EvaluationReport("model", "data", "test", pool.sizes(), describe(scores, pool), **more)


def test_figures_of_a_matrix_known_by_hand():
    scores = {"frame": np.array([[3, 1, 2], [2, 1, 0], [0, 5, 1]], np.float32)}
    t2a, a2t = describe(scores, _pool(3))
    assert t2a.direction == "t2a" and t2a.figures["R@1"].mean == pytest.approx(1 / 3)
    # Captions as queries: ranks 1, 2 (5 > 1, a tie with clip 0), 2; clips as queries: 1, 2, 2.
    assert t2a.median_rank == 2.0 and a2t.median_rank == 2.0
    assert a2t.figures["R@1"].mean == pytest.approx(1 / 3) and t2a.curve == {1: pytest.approx(1 / 3), 2: 5 / 6, 3: 1}
    assert t2a.chance == pytest.approx({"R@1": 1 / 3, "R@5": 1, "R@10": 1, "R@20": 1, "MRR": (1 + 1 / 2 + 1 / 3) / 3})


def test_intervals_are_over_tracks():
    rng = np.random.default_rng(1)
    scores = {"frame": rng.random((60, 60)).astype(np.float32)}
    scores["frame"][:30, :30] += 5 * np.eye(30, dtype=np.float32)
    alone, six = (describe(scores, _pool(60, t))[0].figures["R@10"] for t in (None, np.arange(60) // 10))
    assert alone.mean == six.mean and six.high - six.low > 1.5 * (alone.high - alone.low)


def test_a_model_against_itself_and_against_a_better_one():
    rng = np.random.default_rng(2)
    noise = {"frame": rng.random((50, 50)).astype(np.float32)}
    good = {"frame": noise["frame"] + np.eye(50, dtype=np.float32)}
    assert all(c.paired.p == 1 and c.paired.difference == 0 for c in compare(noise, noise, _pool(50)))
    better = next(c for c in compare(good, noise, _pool(50)) if c.figure == "R@10" and c.direction == "t2a")
    assert better.mine == 1.0 and better.paired.p < 0.01 and better.paired.low > 0


def test_files_are_written_and_json_is_strict(tmp_path):
    wins = Interval(0.8, 0.7, 0.9)
    half, quarter = ({f"R@{k}": value for k in (1, 5, 10)} for value in (0.5, 0.25))
    row = PerturbationRow("frame", "key", 30, 40, half, quarter, {"R@1": Paired(0.25, 0.1, 0.4, 0.01)}, wins)
    recall = {f"{v}/t2a/R@10": 0.5 for v in ("global", "frame")}
    points = [TruncationPoint(k, 1 - k / 20, recall, recall) for k in (5, 10, 15)]
    report = _report(perturbation=[row], truncation=points)
    written = {p.name for p in write_report(report, tmp_path)}
    assert written == {"evaluation.json", "evaluation.md", "recall.png", "truncation.png", "perturbation.png"}
    data = json.loads((tmp_path / "evaluation.json").read_text(), parse_constant=pytest.fail)
    assert data["pool"]["pool/clips"] == 40 and data["directions"][0]["figures"]["R@10"]["mean"] == 1.0
    assert data["perturbation"][0]["wins"]["low"] == 0.7
    text = (tmp_path / "evaluation.md").read_text()
    assert "Pool: 40 clips of 40 tracks, 40 captions." in text
    assert "| frame | key | 30 of 40 | 50.0 -> 25.0 |" in text and "| 5 | 75.0 | 50.0 |" in text
    assert "| chance | T2A | 2.50 | 12.50 | 25.00 | 50.00 | 20.5 |" in text
    assert (tmp_path / "recall.png").read_bytes()[:4] == b"\x89PNG"


def test_one_track_has_no_interval(tmp_path):
    scores = {"global": np.eye(4, dtype=np.float32)}
    pool = _pool(4, [0, 0, 0, 0])
    report = EvaluationReport("m", "d", "test", pool.sizes(), describe(scores, pool))
    assert report.to_dict()["directions"][0]["figures"]["R@1"] == {"mean": 1.0, "low": None, "high": None}
    assert "| global | T2A | 100.0 | 100.0 |" in markdown(report)
    assert with_interval(Interval(0.5, 0.25, 0.75)) == "50.0 [25.0, 75.0]"


def test_an_explanation_adds_up(tmp_path):
    similarity = np.array([[0.9, 0.1, 0.2], [0.3, 0.4, 0.1], [0.8, 0.2, 0.1], [0.1, 0.2, 0.7]], np.float32)
    found = Explanation("a$b c", ("▁a$b", "▁c", "</s>"), np.arange(4) * 0.04, 0.04, similarity, {"frame": 0.7})
    assert found.best_token.tolist() == [0, 1, 0, 2] and found.token_share.tolist() == [0.5, 0.25, 0.25]
    assert similarity.max(axis=1).mean() == pytest.approx(0.7)
    data = json.loads(json.dumps(found.to_dict()))
    assert data["frames"][2] == {"seconds": 0.08, "token": 0, "similarity": 0.8}
    assert [t["token"] for t in data["tokens"]] == ["▁a$b", "▁c", "</s>"]
    assert found.draw(tmp_path / "heat.png").read_bytes()[:4] == b"\x89PNG"
