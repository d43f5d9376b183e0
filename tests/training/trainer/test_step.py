"""Gradients of a batch computed in parts are those of the whole batch."""

from contextlib import nullcontext

import pytest
import torch

from fgmcaps.training.data.batch import Batch
from fgmcaps.training.model.losses import Items, multi_view_loss
from fgmcaps.training.settings import TrainSettings
from fgmcaps.training.trainer.step import Objective, backward_in_parts, backward_whole
from tests.training.model.test_model import make_model, sound, words


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("pooling", ["features", "layers"])
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_parts_give_the_gradient_of_the_whole(size, pooling, alpha):
    generator = torch.Generator().manual_seed(0)
    audio = torch.randn(5, 7, 6, generator=generator, dtype=torch.float64)
    text = torch.randn(5, 4, 5, generator=generator, dtype=torch.float64)
    masks = torch.arange(7)[None] < torch.tensor([7, 3, 5, 7, 6])[:, None], torch.ones(5, 4, dtype=torch.bool)
    ids = torch.tensor([1, 2, 2, 3, 4])
    batch = Batch(audio, masks[0], text, masks[1], torch.arange(5), ids, torch.arange(5))
    grads, losses = [], []
    for in_parts in (False, True):
        model = make_model(global_pooling=pooling, frame_stride=2).double()
        forward = model.__call__

        def loss(a, t):
            items = Items(a, t, batch.track, batch.caption)
            return multi_view_loss(items, items, 0, alpha=alpha)

        if in_parts:
            parts = backward_in_parts(
                forward, batch, loss, torch.Tensor.backward, size, lambda part: None, lambda last: nullcontext()
            )
        else:
            parts = backward_whole(forward, batch, loss, torch.Tensor.backward)
        losses.append(float(parts.total.detach()))
        grads.append({name: p.grad for name, p in model.named_parameters() if p.requires_grad})
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    for name, grad in grads[0].items():
        torch.testing.assert_close(grads[1][name], grad, atol=1e-5, rtol=1e-5)


def test_dropout_is_the_same_in_both_computations_of_a_part():
    """With dropout, parts still give a gradient of the loss they report: checked by a finite difference."""
    batch = Batch(*sound(), *words(), *(torch.arange(3) for _ in range(3)))
    model = make_model(dropout=0.5).train()
    weight = model.audio_head.output.weight

    def run():
        model.zero_grad()
        parts = backward_in_parts(
            model.__call__,
            batch,
            lambda a, t: multi_view_loss(*[Items(a, t, batch.track, batch.caption)] * 2, 0),
            torch.Tensor.backward,
            2,
            lambda part: torch.manual_seed(part),
            lambda last: nullcontext(),
        )
        return float(parts.total.detach()), weight.grad.clone()

    loss, grad = run()
    direction = grad / grad.norm()
    with torch.no_grad():
        weight.add_(1e-2 * direction)
    above, _ = run()
    with torch.no_grad():
        weight.sub_(2e-2 * direction)
    below, _ = run()
    assert (above - below) / 2e-2 == pytest.approx(float(grad.norm()), rel=0.02)
    assert below < loss < above


def test_the_objective_fills_its_pool_and_more_negatives_cost_more():
    batch = Batch(*sound(), *words(), *(torch.arange(3) for _ in range(3)))
    objective = Objective(TrainSettings(negatives="pool", pool_batches=3, batch=3))
    model = make_model()
    sizes, losses = [], []
    for k in range(4):
        other = Batch(*sound(seed=k), *words(seed=50 + k), *(torch.arange(3) + 10 * k for _ in range(3)))
        parts = objective(*model(other if k < 3 else batch), other, 0.07)
        sizes.append(len(objective.pool))
        losses.append(float(parts.total.detach()))
    assert sizes == [3, 6, 6, 6]
    alone = Objective(TrainSettings())(*model(batch), batch, 0.07)
    assert losses[-1] > float(alone.total.detach())
