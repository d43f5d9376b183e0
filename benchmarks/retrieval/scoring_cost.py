"""Cost of the frame scores of a pool: seconds and peak memory of ``fgmcaps.training.model.scoring`` by number of clips
and captions.

python -m benchmarks.retrieval.scoring_cost [--clips 64] [--captions 1000] [--frames 250] [--tokens 60] [--dim 512]
"""

import argparse
import resource
import time

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from benchmarks.machine import machine
from fgmcaps.training.model.scoring import TextViews, score_block
from fgmcaps.training.model.views import Views


def main() -> None:
    """Print one line of figures for each block."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (
        ("clips", 64),
        ("captions", 1000),
        ("frames", 250),
        ("tokens", 60),
        ("dim", 512),
        ("block", 32),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget-mb", type=float, default=256)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    generator = torch.Generator().manual_seed(0)

    def unit(*shape: int) -> torch.Tensor:
        return F.normalize(torch.randn(*shape, generator=generator), dim=-1)

    def views(count: int, length: int) -> Views:
        return Views(unit(count, a.dim), unit(count, length, a.dim), torch.ones(count, length, dtype=torch.bool))

    texts = [views(min(250, a.captions - start), a.tokens) for start in range(0, a.captions, 250)]
    pool = TextViews(tuple(texts), np.arange(a.captions))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started, cpu = time.perf_counter(), time.process_time()
    with torch.no_grad():
        for start in range(0, a.clips, a.block):
            score_block(
                views(min(a.block, a.clips - start), a.frames), pool, ("global", "frame", "fused"), 0.6, a.budget_mb
            )
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    work = 2 * a.clips * a.frames * a.captions * a.tokens * a.dim
    print(machine())
    print(f"{a.clips} clips x {a.captions} captions, T={a.frames}, L={a.tokens}, d={a.dim}, {a.threads} threads, "
          f"budget {a.budget_mb:.0f} MB")  # fmt: skip
    print(f"wall {wall:.1f} s, processor {cpu:.1f} s, {work / cpu / 1e9:.1f} GFLOP/s of processor time; "
          f"peak memory {peak:.0f} MB ({peak - before:.0f} MB above the captions alone)")  # fmt: skip
    print(f"1,000 x 1,000 at this rate: {cpu * 1000 * 1000 / a.clips / a.captions:.0f} s of processor time")


if __name__ == "__main__":
    main()
