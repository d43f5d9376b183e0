"""The frame score against float64 brute force, an independent implementation, and its own symmetries."""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sentence_transformers.util.similarity import mean_maxsim
from torch.nn import functional as F  # noqa: N812

from fgmcaps.training.model import frame_score
from fgmcaps.training.model.frame_score import frame_scores

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6, torch.bfloat16: 2e-2, torch.float16: 2e-3}
"""Largest absolute error of a score of unit vectors, by the type of the inputs."""


def items(seed, b=3, t=7, c=4, length=5, d=8, dtype=torch.float64, ragged=True):
    g = torch.Generator().manual_seed(seed)
    audio = F.normalize(torch.randn(b, t, d, generator=g, dtype=torch.float64), dim=-1)
    text = F.normalize(torch.randn(c, length, d, generator=g, dtype=torch.float64), dim=-1)
    masks = []
    for n, s in ((b, t), (c, length)):
        mask = torch.rand(n, s, generator=g) > (0.4 if ragged else -1)
        mask[torch.arange(n), torch.randint(s, (n,), generator=g)] = True
        masks.append(mask)
    return audio.to(dtype), masks[0], text.to(dtype), masks[1]


def brute_force(audio, audio_mask, text, text_mask):
    """By hand, in float64 and plain loops."""
    audio, text = audio.double().numpy(), text.double().numpy()
    out = np.empty((len(audio), len(text)))
    for i in range(len(audio)):
        for j in range(len(text)):
            best = []
            for t in np.flatnonzero(audio_mask[i].numpy()):
                sims = [sum(a * b for a, b in zip(audio[i, t], text[j, k], strict=True))
                        for k in np.flatnonzero(text_mask[j].numpy())]  # fmt: skip
                best.append(max(sims))
            out[i, j] = sum(best) / len(best)
    return torch.from_numpy(out)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("budget", [1e-6, 1e-3, 256])
def test_equals_float64_brute_force(dtype, budget):
    batch = items(0, dtype=dtype)
    reference = items(0)
    scores = frame_scores(*batch, budget_mb=budget)
    assert scores.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    torch.testing.assert_close(scores.double(), brute_force(*reference), atol=TOLERANCE[dtype], rtol=0)


def test_equals_mean_maxsim_of_sentence_transformers():
    """Frames are the query there: the mean over query tokens of the best document token."""
    audio, audio_mask, text, text_mask = items(1, b=4, t=9, c=6, length=11, dtype=torch.float32)
    clips = [a[m] for a, m in zip(audio, audio_mask, strict=True)]
    texts = [a[m] for a, m in zip(text, text_mask, strict=True)]
    oracle = mean_maxsim(clips, texts)
    torch.testing.assert_close(frame_scores(audio, audio_mask, text, text_mask), oracle, atol=1e-6, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("budget", [1e-6, 256])
def test_gradients_by_finite_differences(budget):
    audio, audio_mask, text, text_mask = items(2, d=3)
    audio.requires_grad_()
    text.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a, t: frame_scores(a, audio_mask, t, text_mask, budget_mb=budget), (audio, text)
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_gradients_equal_autograd_of_the_plain_formula(dtype):
    batch = items(3, b=5, t=6, c=5, length=7)
    weight = torch.randn(5, 5, dtype=torch.float64)
    got, want = [], []
    for kind, out in ((dtype, got), (torch.float64, want)):
        audio, text = (batch[k].to(dtype).to(kind).requires_grad_() for k in (0, 2))
        if out is got:
            scores = frame_scores(audio, batch[1], text, batch[3], budget_mb=1e-3)
        else:
            sims = torch.einsum("itd,jld->ijtl", audio, text).masked_fill(~batch[3][None, :, None], -math.inf)
            top = sims.amax(-1).masked_fill(~batch[1][:, None], 0)
            scores = top.sum(-1) / batch[1].sum(1)[:, None]
        (scores * weight.to(scores.dtype)).sum().backward()
        out.extend([audio.grad, text.grad])
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a.double(), b, atol=20 * TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1, 1, 1), (1, 1, 1, 300, 2), (2, 250, 3, 128, 4), (1, 3, 5, 1, 7), (4, 1, 1, 1, 1), (2, 2, 2, 256, 3),
     (2, 2, 2, 257, 3)],
)  # fmt: skip
def test_edge_shapes(shape):
    b, t, c, length, d = shape
    batch = items(4, b, t, c, length, d, torch.float32)
    audio, text = batch[0].requires_grad_(), batch[2].requires_grad_()
    scores = frame_scores(audio, batch[1], text, batch[3])
    scores.sum().backward()
    with torch.no_grad():
        torch.testing.assert_close(scores, frame_scores(*batch), atol=0, rtol=0)
    torch.testing.assert_close(scores.double(), brute_force(*(x.detach() for x in batch)), atol=1e-6, rtol=0)
    # each clip's gradient: the sum of the winning tokens, over its frames
    assert torch.isfinite(audio.grad).all() and torch.isfinite(text.grad).all()


def test_winners_are_kept_in_the_smallest_integer_that_holds_them():
    assert [frame_score._index_type(n) for n in (1, 256, 257, 32768, 32769)] == [
        torch.uint8, torch.uint8, torch.int16, torch.int16, torch.int32,
    ]  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 9), st.integers(1, 5), st.integers(1, 9),
    st.integers(1, 6), st.sampled_from([1e-6, 1e-4, 1.0]),
)  # fmt: skip
def test_any_shape_and_budget_equals_brute_force(seed, b, t, c, length, d, budget):
    batch = items(seed, b, t, c, length, d)
    torch.testing.assert_close(frame_scores(*batch, budget_mb=budget), brute_force(*batch), atol=1e-12, rtol=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 7), st.integers(0, 7))
def test_padding_changes_nothing_whatever_it_holds(seed, more_frames, more_tokens):
    audio, audio_mask, text, text_mask = items(seed, dtype=torch.float32)
    rubbish = torch.tensor([math.nan, math.inf, -math.inf, 1e30])
    padded = []
    for x, mask, more in ((audio, audio_mask, more_frames), (text, text_mask, more_tokens)):
        dirty = x.clone()
        dirty[~mask] = rubbish[torch.arange(int((~mask).sum())) % 4, None]
        tail = rubbish[torch.arange(more) % 4].view(1, more, 1).expand(len(x), more, x.shape[2])
        padded.append(torch.cat([dirty, tail], 1).requires_grad_())
        padded.append(F.pad(mask, (0, more)))
    scores = frame_scores(*padded)
    torch.testing.assert_close(scores, frame_scores(audio, audio_mask, text, text_mask), atol=1e-6, rtol=0)
    scores.sum().backward()
    for x, mask in (padded[:2], padded[2:]):
        assert torch.isfinite(x.grad).all()
        assert (x.grad[~mask] == 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_permuted_items_give_permuted_scores_and_permuted_parts_the_same(seed):
    audio, audio_mask, text, text_mask = items(seed)
    clips, captions = torch.randperm(3), torch.randperm(4)
    frames, tokens = torch.randperm(7), torch.randperm(5)
    scores = frame_scores(audio, audio_mask, text, text_mask)
    moved = frame_scores(
        audio[clips][:, frames], audio_mask[clips][:, frames], text[captions][:, tokens], text_mask[captions][:, tokens]
    )
    torch.testing.assert_close(moved, scores[clips][:, captions], atol=1e-12, rtol=0)


def test_the_budget_changes_no_gradient():
    batch = items(5, b=9, t=12, c=9, length=6, d=16, dtype=torch.float32)
    grads = []
    for budget in (1e-6, 1e-2, 256):
        audio, text = (batch[k].clone().requires_grad_() for k in (0, 2))
        frame_scores(audio, batch[1], text, batch[3], budget_mb=budget).square().sum().backward()
        grads.append((audio.grad, text.grad))
    for audio_grad, text_grad in grads[1:]:
        torch.testing.assert_close(audio_grad, grads[0][0], atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(text_grad, grads[0][1], atol=1e-6, rtol=1e-6)


def test_nan_and_infinity_of_real_parts_reach_the_scores_they_take_part_in_and_no_other():
    audio, audio_mask, text, text_mask = items(6, dtype=torch.float32, ragged=False)
    audio[1, 2, 0] = math.nan
    text[3, 1, 0] = math.nan
    broken = torch.isnan(frame_scores(audio, audio_mask, text, text_mask))
    expected = torch.zeros(3, 4, dtype=torch.bool)
    expected[1] = True
    expected[:, 3] = True
    assert torch.equal(broken, expected)
    audio, audio_mask, text, text_mask = items(6, dtype=torch.float32, ragged=False)
    audio[1, 2] = math.inf
    text.abs_()
    scores = frame_scores(audio, audio_mask, text, text_mask)
    assert torch.isinf(scores[1]).all() and torch.isfinite(scores[[0, 2]]).all()


def test_of_tied_tokens_one_gets_the_whole_gradient():
    audio = torch.ones(1, 2, 3, requires_grad=True)
    text = torch.ones(1, 4, 3, requires_grad=True)
    full = torch.ones(1, 2, dtype=torch.bool), torch.ones(1, 4, dtype=torch.bool)
    frame_scores(audio, full[0], text, full[1]).sum().backward()
    assert sorted(text.grad[0].sum(-1).tolist()) == [0, 0, 0, 3]
    torch.testing.assert_close(audio.grad, torch.full((1, 2, 3), 0.5))


def test_no_gradient_is_computed_that_nobody_asked_for():
    audio, audio_mask, text, text_mask = items(7, dtype=torch.float32)
    audio.requires_grad_()
    frame_scores(audio, audio_mask, text, text_mask).sum().backward()
    assert audio.grad is not None and text.grad is None
    assert not frame_scores(audio.detach(), audio_mask, text, text_mask).requires_grad


def test_under_autocast_products_run_in_half_precision():
    audio, audio_mask, text, text_mask = items(8, dtype=torch.float32)
    exact = frame_scores(audio, audio_mask, text, text_mask)
    audio.requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = frame_scores(audio, audio_mask, text, text_mask)
    assert scores.dtype == torch.float32
    assert 0 < (scores - exact).abs().max() < TOLERANCE[torch.bfloat16]
    scores.sum().backward()
    assert audio.grad.dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: (b[0], b[1].clone().fill_(False), *b[2:]), "clip 0 has no real frame"),
        (lambda b: (*b[:3], torch.cat([b[3][:2], b[3][2:] & False])), "caption 2 has no real token"),
        (lambda b: (b[0][..., :3], *b[1:]), "frames of width 3 against tokens of width 8"),
        (lambda b: (b[0], b[1][:, 1:], *b[2:]), "the mask of audio_frames must be bool"),
        (lambda b: (b[0], b[1].float(), *b[2:]), "the mask of audio_frames must be bool"),
        (lambda b: (b[0][0], *b[1:]), "audio_frames must be float"),
        (lambda b: (b[0].long(), *b[1:]), "audio_frames must be float"),
    ],
)
def test_inputs_that_do_not_fit_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        frame_scores(*change(items(9)))


def test_a_contrastive_fit_takes_the_same_path_as_autograd():
    """20 steps of descent through the kernel and through the plain formula end at the same place."""
    batch = items(10, b=6, t=5, c=6, length=4)
    ends = []
    for plain in (False, True):
        audio, text = (batch[k].clone().requires_grad_() for k in (0, 2))
        optimizer = torch.optim.SGD([audio, text], lr=0.5)
        for _ in range(20):
            if plain:
                sims = torch.einsum("itd,jld->ijtl", audio, text).masked_fill(~batch[3][None, :, None], -math.inf)
                scores = sims.amax(-1).masked_fill(~batch[1][:, None], 0).sum(-1) / batch[1].sum(1)[:, None]
            else:
                scores = frame_scores(audio, batch[1], text, batch[3])
            optimizer.zero_grad()
            F.cross_entropy(scores / 0.07, torch.arange(6)).backward()
            optimizer.step()
        ends.append((audio.detach(), text.detach()))
    torch.testing.assert_close(ends[0], ends[1], atol=1e-9, rtol=0)
