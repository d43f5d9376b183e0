"""What tests run in processes of their own: ``python -m tests.training.workers JOB FOLDER``."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start(job, folder, **environment):
    """A process that does ``job``."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.training.workers", job, str(folder)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_processes(job, size, folder):
    """Do ``job`` in ``size`` processes of one gloo group; fails with their output when one fails."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    group = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    ranks = [start(job, folder, RANK=str(r), LOCAL_RANK=str(r), **group) for r in range(size)]
    try:
        outputs = [process.communicate(timeout=400)[0] for process in ranks]
    finally:
        for process in ranks:
            process.kill()
    assert [p.returncode for p in ranks] == [0] * size, "\n".join(outputs)


def gather(folder):
    """Loss and gradient of this process's half of a batch, and (in the first one) of the joined batch."""
    import torch
    import torch.distributed as dist

    from fgmcaps.training.model.losses import Items, multi_view_loss
    from fgmcaps.training.model.views import Views
    from fgmcaps.training.trainer.pool import gather_items
    from tests.training.model.test_losses import make_items

    dist.init_process_group("gloo")
    rank = dist.get_rank()
    whole = make_items(6, track=[1, 2, 3, 1, 5, 6], caption=[1, 2, 3, 4, 5, 2], frames=5)
    masks = torch.ones(6, 5, dtype=torch.bool)
    masks[:3, 3:] = False  # the first process sees shorter clips
    lengths = (3, 5)

    def half(views, mask, length, rows):
        mask = views.mask if mask is None else mask
        return Views(views.global_[rows], views.sequence[rows, :length].clone().requires_grad_(), mask[rows, :length])

    rows = slice(3 * rank, 3 * rank + 3)
    own = Items(
        half(whole.audio, masks, lengths[rank], rows),
        half(whole.text, None, None, rows),
        whole.track[rows],
        whole.caption[rows],
    )
    joined, first = gather_items(own)
    loss = multi_view_loss(own, joined, first, direction="reversed").total
    loss.backward()
    padded = torch.zeros(3, 5, 5, dtype=torch.float64)
    padded[:, : lengths[rank]] = own.audio.sequence.grad
    found = {"loss": float(loss), "audio": padded.tolist(), "text": own.text.sequence.grad.tolist()}
    (folder / f"rank{rank}.json").write_text(json.dumps(found))
    if rank == 0:
        alone = Items(
            half(whole.audio, masks, 5, slice(None)),
            half(whole.text, None, None, slice(None)),
            whole.track,
            whole.caption,
        )
        loss = multi_view_loss(alone, alone, 0, direction="reversed").total
        loss.backward()
        found = {
            "loss": float(loss),
            "audio": alone.audio.sequence.grad.tolist(),
            "text": alone.text.sequence.grad.tolist(),
        }
        (folder / "alone.json").write_text(json.dumps(found))
    dist.barrier()


def train(folder):
    """Train with the settings of ``settings.json`` on the cache in ``cache`` into ``out``."""
    from fgmcaps.training.features.cache import FeatureCache
    from fgmcaps.training.settings import TrainSettings
    from fgmcaps.training.trainer.trainer import train as run

    settings = TrainSettings(**json.loads((folder / "settings.json").read_text()))
    run(settings, FeatureCache.open(folder / "cache"), folder / "out", quiet=True)


if __name__ == "__main__":
    {"gather": gather, "train": train}[sys.argv[1]](Path(sys.argv[2]))
