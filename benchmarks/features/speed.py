"""Features per second for caching, and samples per second of random batches out of a cache.

    python -m benchmarks.features.speed encode TRUTH [--encoder spectral] [--clips 64] [--device cpu]
    python -m benchmarks.features.speed read [--rows 2000] [--dim 1024] [--frames 250] [--tokens 45] [--folder F]

`encode` decodes and encodes clips on one core, without the processes of `figma cache`. `read` writes a synthetic cache
of the paper's sizes and reads batches of 256 random rows; the pages are in memory unless the cache is larger than it.
Wall-clock time and processor time are both given: the first is longer while other work runs.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import machine
from fgmcaps.training.data.audio import decode
from fgmcaps.training.data.dataset import AudioRef
from fgmcaps.training.encoders import make_audio_encoder
from fgmcaps.training.encoders.run import encode_clips, pad_clips
from fgmcaps.training.features.store import FeatureStore, StoreKey, finish_store, shard_count, shard_items, write_key
from fgmcaps.training.features.store import write_store_shard as write_shard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    encode = commands.add_parser("encode")
    encode.add_argument("truth", type=Path)
    encode.add_argument("--encoder", default="spectral")
    encode.add_argument("--clips", type=int, default=64)
    encode.add_argument("--device", default="cpu")
    read = commands.add_parser("read")
    read.add_argument("--rows", type=int, default=2000)
    read.add_argument("--dim", type=int, default=1024)
    read.add_argument("--frames", type=int, default=250)
    read.add_argument("--tokens", type=int, default=45)
    read.add_argument("--batches", type=int, default=20)
    read.add_argument("--folder", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(machine())
    if args.command == "encode":
        time_encoding(args.truth, args.encoder, args.clips, args.device)
    else:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            time_reading(Path(folder), args.rows, args.dim, args.frames, args.tokens, args.batches)


def time_encoding(truth: Path, name: str, count: int, device: str) -> None:
    """Clips a second: decoding alone, encoding alone."""
    files = sorted(truth.rglob("*.flac"))[:count]
    encoder = make_audio_encoder(name)
    encoder.setup(device)
    began = clock()
    clips = [decode(AudioRef(None, path, 0.0, 10.0), encoder.sample_rate) for path in files]
    show("decode", len(clips), began, "clips")
    if encoder.needs_fit:
        encoder.fit([pad_clips(clips[:16])])
    encode_clips(encoder, clips[:16])
    began = clock()
    encode_clips(encoder, clips)
    show(f"encode, {name} on {device}", len(clips), began, "clips")


def time_reading(folder: Path, rows: int, dim: int, frames: int, tokens: int, batches: int) -> None:
    """Samples a second of random batches, the first time (checksums) and later."""
    from fgmcaps.training.features.cache import _pad

    random = np.random.default_rng(0)
    stores = []
    for kind, length in (("audio", frames), ("text", tokens)):
        key = StoreKey(kind, "synthetic", "1", {}, "", dim, "float16", "1", "", rows, 64)
        write_key(folder / kind, key)
        for number in range(shard_count(key)):
            items = [torch.randn(length, dim) for _ in shard_items(number, key)]
            write_shard(folder / kind, number, items, {}, key)
        finish_store(folder / kind, key)
        stores.append(FeatureStore(folder / kind))
    megabytes = sum(store.lengths.sum() for store in stores) * dim * 2 / 1e6
    print(f"{rows} rows of {frames} x {dim} and {tokens} x {dim} in float16: {megabytes:.0f} MB")
    for turn in ("first reading, with checksums", "later"):
        order = random.permutation(rows) if turn != "later" else random.integers(0, rows, 256 * batches)
        picks = [order[i : i + 256] for i in range(0, len(order), 256)]
        for dtype in (torch.float32, torch.float16) if turn == "later" else (torch.float32,):
            began = clock()
            for pick in picks:
                for store in stores:
                    _pad([store[int(i)] for i in pick], dtype)
            show(f"{turn}: batches of 256 as {dtype}", sum(map(len, picks)), began, "samples")


def clock() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def show(what: str, count: int, began: tuple[float, float], unit: str) -> None:
    wall, cpu = (now - then for now, then in zip(clock(), began, strict=True))
    speed = f"{count / wall:.1f} {unit}/s by the clock, {count / cpu:.1f} a second of processor time"
    print(f"  {what}: {speed} (n = {count})")


if __name__ == "__main__":
    main()
