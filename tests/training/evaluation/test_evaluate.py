"""Evaluation: scores against brute force in float64, pools of several captions, duplicates, and bad features."""

import numpy as np
import pytest
import torch

from fgmcaps.common.errors import InvalidDataError, NothingToDoError
from fgmcaps.training.evaluation import evaluate as evaluation
from fgmcaps.training.evaluation.evaluate import evaluate, make_pool, metrics_of, score_pool
from fgmcaps.training.model.scoring import embed_texts, score
from tests.training.synthetic import IdentityModel, SyntheticFeatures


def _brute_force(features, rows, pairs, alpha):
    def unit(x):
        x = x.double().numpy()
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    whole, frame = np.zeros((len(rows), len(pairs))), np.zeros((len(rows), len(pairs)))
    for a, i in enumerate(rows):
        for c, (j, k) in enumerate(pairs):
            audio, text = features.audio(i), features.text(j, k)
            whole[a, c] = unit(audio.mean(0)) @ unit(text[0])
            frame[a, c] = (unit(audio) @ unit(text).T).max(axis=1).mean()
    return {"global": whole, "frame": frame, "fused": alpha * whole + (1 - alpha) * frame}


def test_scores_are_those_of_brute_force_whatever_the_blocks():
    features, model, rows = SyntheticFeatures(11, captions=2), IdentityModel(0.3), [3, 0, 7, 10, 5]
    pool = make_pool(features, rows, "all")
    pairs = [(rows[a], k) for a in range(5) for k in range(2)]
    truth = _brute_force(features, rows, pairs, 0.3)
    got = score_pool(model, features, pool)
    for view, matrix in truth.items():
        assert got[view] == pytest.approx(matrix, abs=1e-5), view
    texts = embed_texts(model, [features.text(i, k) for i, k in pairs], block=3)
    blocks = score(model, features, rows, texts, ("frame",), block=2, budget_mb=0.001)
    assert blocks["frame"] == pytest.approx(truth["frame"], abs=1e-5)


def test_a_signal_is_found_and_noise_scores_chance():
    found = evaluate(IdentityModel(), SyntheticFeatures(60, signal=2.0), range(60))
    assert found["fused/t2a/R@10"] > 0.95 and found["frame/a2t/R@1"] > 0.8
    noise = np.mean([evaluate(IdentityModel(), SyntheticFeatures(60, signal=0, seed=s), range(60))["frame/t2a/R@10"]
                     for s in range(8)])  # fmt: skip
    assert noise == pytest.approx(1 / 6, abs=0.07)


def test_a_flat_dict_of_floats_with_the_pool():
    found = evaluate(IdentityModel(), SyntheticFeatures(8, captions=3), range(8), ("global",), captions="all")
    assert found["pool/clips"] == 8 and found["pool/captions"] == 24 and found["pool/tracks"] == 4
    assert {k.split("/")[0] for k in found} == {"pool", "global"}
    assert {"global/t2a/R@1", "global/a2t/R@20", "global/t2a/median_rank", "global/a2t/MRR"} <= set(found)
    assert all(type(v) is float for v in found.values())


def test_equal_captions_are_told_apart_by_nobody():
    features = SyntheticFeatures(20, signal=5.0, same=[(0, 1)])
    found = evaluate(IdentityModel(), features, range(20))
    assert found["pool/same_caption"] == pytest.approx(2 / 20)
    assert found["frame/t2a/R@1"] == pytest.approx(19 / 20)
    assert found["frame/t2a_same_caption/R@1"] == 1.0
    # Clip 1 has the caption of clip 0: two equal scores, its own among them.
    assert found["frame/a2t_same_caption/R@1"] >= found["frame/a2t/R@1"]


def test_training_mode_and_gradients_are_as_before():
    model = IdentityModel()
    model.train()
    evaluate(model, SyntheticFeatures(4), range(4))
    assert model.training and torch.is_grad_enabled()


def test_bad_features_are_named():
    features = SyntheticFeatures(6)
    features._audio[4][1, 2] = float("nan")
    with pytest.raises(InvalidDataError, match=r"clip clip-4: .*NaN"):
        evaluate(IdentityModel(), features, range(6))
    features = SyntheticFeatures(6)
    features._text[3][0][0, 0] = float("inf")
    with pytest.raises(InvalidDataError, match="the caption of clip clip-3"):
        evaluate(IdentityModel(), features, range(6))


@pytest.mark.parametrize("rows", [[], [2]])
def test_a_pool_needs_two_clips(rows):
    with pytest.raises(NothingToDoError, match=f"a pool of {len(rows)} clips"):
        evaluate(IdentityModel(), SyntheticFeatures(4), rows)


def test_progress_ends_at_the_end():
    seen = []
    pool = make_pool(SyntheticFeatures(70), range(70))
    scores = score_pool(IdentityModel(), SyntheticFeatures(70), pool, ("global",), progress=lambda *a: seen.append(a))
    assert seen == [(32, 70), (64, 70), (70, 70)]
    assert metrics_of(scores, pool)["pool/clips"] == 70
    assert evaluation.directed(scores["global"], "t2a").shape == (70, 70)
