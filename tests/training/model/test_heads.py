import math

import numpy as np
import pytest
import torch

from fgmcaps.training.model.heads import ProjectionHead, masked_mean


def parameters(head):
    return sum(p.numel() for p in head.parameters())


def test_the_published_head_has_exactly_the_published_number_of_parameters():
    assert parameters(ProjectionHead(1024)) == 11_030_016
    assert parameters(ProjectionHead(1024, width=1024)) == 11_030_016


def test_another_input_width_adds_one_linear_layer():
    assert parameters(ProjectionHead(384, width=1024)) == 11_030_016 + 384 * 1024 + 1024


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="7 attention heads do not divide"):
        ProjectionHead(16, heads=7)


def test_frames_equal_a_head_computed_by_hand_in_float64():
    """One layer, one attention head: attention, residual, norm, feed-forward, residual, norm, linear."""
    torch.manual_seed(0)
    head = ProjectionHead(4, layers=1, heads=1, ffn=6, out=3, dropout=0.0).double().eval()
    x, mask = torch.randn(1, 5, 4, dtype=torch.float64), torch.tensor([[True, True, True, False, False]])
    layer = head.layers[0]
    p = {name: value.detach().numpy() for name, value in layer.named_parameters()}

    def norm(v, which):
        centred = v - v.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * p[f"norm{which}.weight"] + p[f"norm{which}.bias"]

    h = x[0].numpy()
    q, k, v = np.split(h @ p["self_attn.in_proj_weight"].T + p["self_attn.in_proj_bias"], 3, axis=-1)
    logits = q @ k.T / math.sqrt(4)
    logits[:, 3:] = -np.inf
    attention = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    h = norm(h + (attention @ v) @ p["self_attn.out_proj.weight"].T + p["self_attn.out_proj.bias"], 1)
    inner = np.maximum(h @ p["linear1.weight"].T + p["linear1.bias"], 0)
    h = norm(h + inner @ p["linear2.weight"].T + p["linear2.bias"], 2)
    expected = h @ head.output.weight.detach().numpy().T + head.output.bias.detach().numpy()
    np.testing.assert_allclose(head.frames(x, mask)[0, :3].detach().numpy(), expected[:3], atol=1e-12)


@pytest.mark.parametrize("train", [False, True])
def test_padding_does_not_reach_real_positions(train):
    head = ProjectionHead(8, heads=2, ffn=8, out=4, dropout=0.0).train(train)
    x, mask = torch.randn(2, 6, 8), torch.tensor([[True] * 4 + [False] * 2, [True] * 6])
    changed = x.clone()
    changed[0, 4:] = 1e6
    a, b = head.frames(x, mask), head.frames(changed, mask)
    torch.testing.assert_close(a[mask], b[mask], atol=1e-6, rtol=0)
    shorter = head.frames(x[:1, :4], mask[:1, :4])
    torch.testing.assert_close(a[:1, :4], shorter, atol=1e-5, rtol=0)


def test_global_view_of_a_pooled_vector_is_the_frame_view_of_a_sequence_of_one():
    head = ProjectionHead(8, heads=2, ffn=8, out=4).eval()
    pooled = torch.randn(3, 8)
    one = head.frames(pooled[:, None], torch.ones(3, 1, dtype=torch.bool))
    torch.testing.assert_close(head.globals_(pooled), one[:, 0])


def test_masked_mean_ignores_whatever_padding_holds():
    x = torch.tensor([[[1.0], [3.0], [math.nan]], [[math.inf], [5.0], [7.0]]])
    mask = torch.tensor([[True, True, False], [False, True, True]])
    assert masked_mean(x, mask).tolist() == [[2.0], [6.0]]
