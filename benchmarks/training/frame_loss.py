"""The frame loss, forward and backward, in several ways: seconds, TFLOP/s and peak memory of each, in one run.

    python -m benchmarks.training.frame_loss [--batch 256] [--negatives 2048] [--frames 250] [--tokens 128]

Ways: ``ours`` (frame_scores: winners kept), ``einsum`` (all similarities at once), ``chunks`` (captions in chunks,
each recomputed in the backward pass by torch.utils.checkpoint), and ``einsum`` and ``chunks`` compiled. Products are in
bf16 on a GPU, fp32 on a CPU. A TFLOP counts the dense products of the forward pass and the two of a plain backward
pass, whatever a way does instead, so that the figures compare. Negatives are captions without gradient.
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from benchmarks.machine import machine
from fgmcaps.training.model.frame_score import frame_scores

Score = Callable[[Tensor, Tensor], Tensor]
CHUNK = 16


def ours(frames: Tensor, tokens: Tensor) -> Tensor:
    masks = [torch.ones(x.shape[:2], dtype=torch.bool, device=x.device) for x in (frames, tokens)]
    return frame_scores(frames, masks[0], tokens, masks[1], budget_mb=2048)


def einsum(frames: Tensor, tokens: Tensor) -> Tensor:
    return torch.einsum("btd,cld->bctl", frames, tokens).amax(-1).float().mean(-1)


def chunks(frames: Tensor, tokens: Tensor, score: Score = einsum) -> Tensor:
    parts = [checkpoint(score, frames, part, use_reentrant=False) for part in tokens.split(CHUNK)]
    return torch.cat(parts, dim=1)  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--negatives", type=int, default=2048)
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--steps", type=int, default=5)
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    print(torch.cuda.get_device_name() if device == "cuda" else machine(), f"torch {torch.__version__}, {dtype}")
    small = torch.compile(einsum)
    ways: dict[str, Score] = {
        "ours": ours,
        "chunks": chunks,
        "chunks, compiled": lambda f, t: chunks(f, t, small),
        "einsum": einsum,
        "einsum, compiled": torch.compile(einsum),
    }
    torch.manual_seed(0)
    for negatives in dict.fromkeys((0, given.negatives)):
        captions = given.batch + negatives
        flop = 6 * given.batch * captions * given.frames * given.tokens * given.width
        print(f"B {given.batch}, captions {captions}, T {given.frames}, L {given.tokens}, d {given.width}")
        for name, way in ways.items():
            try:
                seconds, peak, loss = measure(way, given, captions, device, dtype)
            except (torch.OutOfMemoryError, RuntimeError) as error:
                print(f"  {name:<18} {type(error).__name__}: {str(error).splitlines()[0][:90]}", flush=True)
                torch.cuda.empty_cache()
                continue
            print(
                f"  {name:<18} {seconds:8.4f} s  {flop / seconds / 1e12:7.1f} TFLOP/s  peak {peak / 2**30:6.2f} GiB  "
                f"loss {loss:.5f}",
                flush=True,
            )


def measure(
    way: Score, given: argparse.Namespace, captions: int, device: str, dtype: torch.dtype
) -> tuple[float, float, float]:
    """Best seconds of the steps behind the first, peak bytes, and the loss, which all ways share."""
    generator = torch.Generator(device).manual_seed(1)

    def unit(n: int, s: int) -> Tensor:
        x = torch.randn(n, s, given.width, device=device, generator=generator)
        return torch.nn.functional.normalize(x, dim=-1).to(dtype)

    frames, own = unit(given.batch, given.frames).requires_grad_(), unit(given.batch, given.tokens).requires_grad_()
    pool = unit(captions - given.batch, given.tokens)
    target, seconds, loss = torch.arange(given.batch, device=device), [], torch.zeros(())
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    for _ in range(1 + given.steps):
        started = time.perf_counter()
        loss = torch.nn.functional.cross_entropy(way(frames, torch.cat([own, pool])) / 0.07, target)
        loss.backward()
        frames.grad = own.grad = None
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else 0.0
    return min(seconds[1:]), peak, float(loss.detach())


if __name__ == "__main__":
    main()
