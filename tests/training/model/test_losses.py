import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812

from fgmcaps.training.model.losses import Items, info_nce, multi_view_loss, same_item
from fgmcaps.training.model.views import Views


def unit(*shape, seed):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64), dim=-1)


def make_items(n, seed=0, track=None, caption=None, frames=4, tokens=3, d=5):
    audio = Views(unit(n, d, seed=seed), unit(n, frames, d, seed=seed + 1), torch.ones(n, frames, dtype=torch.bool))
    text = Views(unit(n, d, seed=seed + 2), unit(n, tokens, d, seed=seed + 3), torch.ones(n, tokens, dtype=torch.bool))
    ids = torch.arange(n)
    track = ids if track is None else torch.tensor(track)
    return Items(audio, text, track, ids + 100 if caption is None else torch.tensor(caption))


def by_hand(items, alpha, temperature, direction="columns", same=lambda i, j: False):
    """The paper's formulas in numpy float64, one pair at a time."""
    n = len(items)
    audio, text = items.audio.sequence.numpy(), items.text.sequence.numpy()
    global_ = items.audio.global_.numpy() @ items.text.global_.numpy().T
    cos = np.einsum("itd,jld->ijtl", audio, text)
    frame = cos.max(-1).mean(-1)
    backward = cos.max(2).mean(-1) if direction == "reversed" else frame

    def nce(rows, columns):
        losses = []
        for i in range(n):
            for matrix, axis in ((rows, 0), (columns, 1)):
                scores = matrix[i] if axis == 0 else matrix[:, i]
                others = [np.exp(scores[j] / temperature) for j in range(n) if j == i or not same(i, j)]
                losses.append(-np.log(np.exp(scores[i] / temperature) / sum(others)))
        return sum(losses) / (2 * n)

    return alpha * nce(global_, global_) + (1 - alpha) * nce(frame, backward)


@pytest.mark.parametrize("direction", ["columns", "reversed"])
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_equals_the_formulas_by_hand(alpha, direction):
    items = make_items(6)
    loss = multi_view_loss(items, items, 0, alpha=alpha, direction=direction)
    assert float(loss.total) == pytest.approx(by_hand(items, alpha, 0.07, direction), abs=1e-6)
    assert (float(loss.frame) == 0) == (alpha == 1)
    assert (float(loss.global_) == 0) == (alpha == 0)


def test_same_track_and_same_caption_pairs_are_no_negatives():
    track, caption = [1, 1, 2, 3, 4], [7, 8, 9, 9, 5]
    items = make_items(5, track=track, caption=caption)

    def same(i, j):
        return track[i] == track[j] or caption[i] == caption[j]

    loss = float(multi_view_loss(items, items, 0).total)
    assert loss == pytest.approx(by_hand(items, 0.6, 0.07, same=same), abs=1e-6)
    unmasked = multi_view_loss(items, items, 0, mask_same_track=False, mask_same_caption=False)
    assert float(unmasked.total) == pytest.approx(by_hand(items, 0.6, 0.07), abs=1e-6)
    assert loss < float(unmasked.total)
    only_track = multi_view_loss(items, items, 0, mask_same_caption=False)
    expected = by_hand(items, 0.6, 0.07, same=lambda i, j: track[i] == track[j])
    assert float(only_track.total) == pytest.approx(expected, abs=1e-6)


def test_the_positive_itself_is_never_masked():
    scores = torch.tensor([[0.5, 0.1], [0.2, 0.3]])
    everything = torch.ones(2, 2, dtype=torch.bool)
    assert info_nce(scores, torch.tensor([0, 1]), everything, 0.07).tolist() == [0, 0]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(0, 4), st.integers(0, 1000))
@example(6, 1, 129)  # a loss of 8.2, where 1e-6 is less than what float32 tells apart
def test_own_rows_may_stand_anywhere_among_the_candidates(n, more, seed):
    """What is around the own pairs counts as negatives, wherever it stands."""
    whole = make_items(n + more, seed=seed)
    order = np.random.default_rng(seed).permutation(more)
    split = int(np.random.default_rng(seed + 1).integers(0, more + 1))
    rows = np.concatenate([n + order[:split], np.arange(n), n + order[split:]])

    def pick(index):
        index = torch.as_tensor(index)
        return Items(whole.audio[index], whole.text[index], whole.track[index], whole.caption[index])

    own = pick(np.arange(n))
    a = multi_view_loss(own, whole, 0)
    b = multi_view_loss(own, pick(rows), split)
    assert float(a.total) == pytest.approx(float(b.total), rel=1e-6, abs=1e-6)


def test_swapping_audio_and_text_swaps_the_directions_only():
    items = make_items(5)
    swapped = Items(items.text, items.audio, items.track, items.caption)
    a = multi_view_loss(items, items, 0, direction="reversed", alpha=0.0)
    b = multi_view_loss(swapped, swapped, 0, direction="reversed", alpha=0.0)
    assert float(a.total) == pytest.approx(float(b.total), abs=1e-6)


def test_a_temperature_parameter_gets_its_gradient():
    items = make_items(4)
    log_temperature = torch.tensor(np.log(0.07), requires_grad=True)
    multi_view_loss(items, items, 0, temperature=log_temperature.exp()).total.backward()
    eps, ends = 1e-5, []
    for sign in (1, -1):
        tau = float(np.exp(np.log(0.07) + sign * eps))
        ends.append(by_hand(items, 0.6, tau))
    assert float(log_temperature.grad) == pytest.approx((ends[0] - ends[1]) / (2 * eps), rel=1e-3)


def test_same_item_by_each_id():
    a, b = make_items(2, track=[1, 2], caption=[5, 6]), make_items(3, track=[2, 3, 1], caption=[9, 5, 9])
    assert same_item(a, b).tolist() == [[False, True, True], [True, False, False]]
    assert same_item(a, b, caption=False).tolist() == [[False, False, True], [True, False, False]]
    assert same_item(a, b, track=False, caption=False).sum() == 0
