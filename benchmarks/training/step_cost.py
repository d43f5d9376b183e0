"""Seconds and peak memory of one optimisation step, and of the frame score within it.

    python -m benchmarks.training.step_cost [--config paper] [--set batch=32 ...] [--frames 250] [--tokens 128]

Features are random numbers of the shapes that the encoders give; nothing is read from disk. On a CPU memory is the
growth of the process's peak (VmHWM) over what it held before the first step; on a GPU it is what torch's allocator
held at most. `--formula` adds what the plain formula of the score (all similarities at once) would hold.
"""

import argparse
import time
from pathlib import Path

import torch

from benchmarks.machine import machine
from fgmcaps.training.data.batch import Batch
from fgmcaps.training.model.config import EncoderRecord, ModelConfig
from fgmcaps.training.model.frame_score import frame_scores
from fgmcaps.training.model.losses import Items
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.settings import TrainSettings, load_settings
from fgmcaps.training.trainer.step import Objective, backward_in_parts, backward_whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="paper")
    parser.add_argument("--set", dest="pairs", action="append", default=[])
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--audio-width", type=int, default=1024)
    parser.add_argument("--text-width", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--score-only", action="store_true", help="The frame score alone, forward and backward.")
    given = parser.parse_args()
    settings = load_settings(given.config, pairs=given.pairs)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    where = torch.cuda.get_device_name() if device == "cuda" else f"{machine()}, {torch.get_num_threads()} threads"
    print(where)
    run = score_only if given.score_only else whole_step
    seconds, peak = run(settings, given, device)
    what = "frame score" if given.score_only else "step"
    print(
        f"{what}, batch {settings.batch}, micro_batch {settings.micro_batch}, negatives {settings.negatives}, "
        f"T {given.frames}, L {given.tokens}, out {settings.head_out}, {settings.precision}: "
        f"{min(seconds):.3f} s (best of {len(seconds)}; all {', '.join(f'{s:.3f}' for s in seconds)}), "
        f"peak memory {peak / 2**30:.2f} GiB"
    )
    pairs = settings.batch**2 * given.frames * given.tokens
    print(f"all similarities at once would be {4 * pairs / 2**30:.2f} GiB in fp32, before any gradient")


def whole_step(settings: TrainSettings, given: argparse.Namespace, device: str) -> tuple[list[float], float]:
    """Forward, loss, backward and Adam of a batch."""
    torch.manual_seed(0)
    audio, text = (EncoderRecord(name="random", dim=d) for d in (given.audio_width, given.text_width))
    model = FigmaModel(ModelConfig.of(settings, audio, text)).to(device).train()
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=settings.learning_rate)
    n, ids = settings.batch, torch.arange(settings.batch)
    batch = Batch(
        torch.randn(n, given.frames, given.audio_width),
        torch.ones(n, given.frames, dtype=torch.bool),
        torch.randn(n, given.tokens, given.text_width),
        torch.ones(n, given.tokens, dtype=torch.bool),
        ids,
        ids,
        ids,
    ).to(device)
    objective = Objective(settings)
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(settings.precision)

    def amp() -> torch.autocast:
        return torch.autocast(device, dtype=dtype, enabled=dtype is not None)

    def forward(part: Batch):
        with amp():
            return model(part)

    def loss(a, t):
        with amp():
            return objective(a, t, batch, settings.temperature)

    def step() -> None:
        if settings.micro_batch is not None and settings.micro_batch < n:
            backward_in_parts(
                forward, batch, loss, torch.Tensor.backward, settings.micro_batch, torch.manual_seed, amp_off
            )
        else:
            backward_whole(forward, batch, loss, torch.Tensor.backward)
        optimizer.step()
        optimizer.zero_grad()

    if objective.pool is not None:  # as full as it is from the eighth step on
        while len(objective.pool) < objective.pool.size:
            with torch.no_grad(), amp():
                a, t = model(batch)
            objective.pool.put(Items(a, t, ids.to(device), ids.to(device)))
    return timed(step, given.steps, device)


def amp_off(last: bool):
    """One process exchanges nothing."""
    from contextlib import nullcontext

    return nullcontext(last)


def score_only(settings: TrainSettings, given: argparse.Namespace, device: str) -> tuple[list[float], float]:
    """The frame score of a batch against itself and its gradient."""
    n, d = settings.batch, settings.head_out
    audio, text = (
        torch.nn.functional.normalize(torch.randn(n, s, d, device=device), dim=-1).requires_grad_()
        for s in (given.frames, given.tokens)
    )
    masks = [torch.ones(n, s, dtype=torch.bool, device=device) for s in (given.frames, given.tokens)]

    def step() -> None:
        scores = frame_scores(audio, masks[0], text, masks[1], budget_mb=settings.score_budget_mb)
        torch.nn.functional.cross_entropy(scores / 0.07, torch.arange(n, device=device)).backward()
        audio.grad = text.grad = None

    return timed(step, given.steps, device)


def timed(step, steps: int, device: str) -> tuple[list[float], float]:
    """Seconds of each step and the peak of memory over what was held before."""
    before, seconds = resident() if device == "cpu" else 0.0, []
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    for _ in range(steps):
        started = time.perf_counter()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else high_water() - before
    return seconds, peak


def resident() -> float:
    """Bytes of this process in memory now."""
    return _status("VmRSS")


def high_water() -> float:
    """Bytes of this process in memory at most, so far."""
    return _status("VmHWM")


def _status(name: str) -> float:
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(name))
    return float(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
