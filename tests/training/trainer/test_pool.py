"""Negatives from a pool, and from other processes: two processes compute what one does with the joined batch."""

import json

import pytest
import torch

from fgmcaps.training.model.losses import multi_view_loss
from fgmcaps.training.trainer.pool import Pool
from tests.training.model.test_losses import make_items
from tests.training.workers import run_processes


def test_a_pool_holds_the_last_pairs_newest_last():
    pool = Pool(5)
    batches = [make_items(2, seed=10 * k, track=[10 * k, 10 * k + 1], frames=3 + k) for k in range(4)]
    for batch in batches:
        pool.put(batch)
    assert len(pool) == 5
    assert pool.items.track.tolist() == [11, 20, 21, 30, 31]
    assert pool.items.audio.sequence.dtype == torch.float16 and pool.items.audio.sequence.shape[1] == 6
    assert pool.items.audio.mask.sum(1).tolist() == [4, 5, 5, 6, 6]
    torch.testing.assert_close(pool.items.text.global_[-2:].double(), batches[-1].text.global_, atol=1e-3, rtol=0)


def test_pooled_pairs_are_negatives_without_gradient():
    own, old = make_items(3, seed=1), make_items(4, seed=50, track=[0, 9, 9, 8], caption=[1, 2, 3, 4])
    pool = Pool(4)
    assert pool.extend(own) is own
    pool.put(old)
    joined = pool.extend(own)
    assert len(joined) == 7 and joined.audio.sequence.dtype == own.audio.sequence.dtype
    own.audio.sequence.requires_grad_()
    more = multi_view_loss(own, pool.extend(own), 0)
    assert float(more.total.detach()) > float(multi_view_loss(own, own, 0).total.detach())
    more.total.backward()
    assert own.audio.sequence.grad is not None and not pool.items.audio.sequence.requires_grad


def test_a_pool_survives_a_checkpoint():
    pool, again = Pool(4), Pool(4)
    pool.put(make_items(3))
    again.load_state(pool.state())
    assert torch.equal(again.items.text.sequence, pool.items.text.sequence)
    assert torch.equal(again.items.caption, pool.items.caption)
    again.load_state(Pool(4).state())
    assert len(again) == 0


@pytest.mark.slow
def test_two_processes_equal_one_with_the_joined_batch(tmp_path):
    """Loss and gradient of the paper's loss with ragged frames and a track that both processes hold."""
    run_processes("gather", 2, tmp_path)
    alone = json.loads((tmp_path / "alone.json").read_text())
    parts = [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(2)]
    assert sum(p["loss"] for p in parts) / 2 == pytest.approx(alone["loss"], abs=1e-9)
    for name in ("audio", "text"):
        together = torch.cat([torch.tensor(p[name]) for p in parts]) / 2  # as DDP averages
        torch.testing.assert_close(together, torch.tensor(alone[name]), atol=1e-9, rtol=0)
