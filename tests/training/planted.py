"""A real feature cache on disk whose clips carry a key, a tempo and a meter that their captions name."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from fgmcaps.common.files import write_atomically
from fgmcaps.training.features.cache import FORMAT, FeatureCache
from fgmcaps.training.features.store import (
    StoreKey,
    finish_store,
    shard_count,
    shard_items,
    write_key,
    write_store_shard,
)

KEYS, TEMPI, METERS = 12, 10, 3
AUDIO_DIM, TEXT_DIM = 24, 20


def planted_cache(
    folder: Path,
    clips: int = 120,
    *,
    frames: int = 10,
    clips_per_track: int = 2,
    styles: int = 2,
    splits: tuple[float, float] = (0.7, 0.3),
    noise: float = 0.5,
    seed: int = 0,
    broken_row: int | None = None,
) -> FeatureCache:
    """Write and open a cache. ``splits``: shares of train and validation. ``broken_row``: its audio is NaN."""
    random = np.random.default_rng(seed)
    values = [(random.integers(KEYS), random.integers(TEMPI), random.integers(METERS)) for _ in range(clips)]
    world = np.random.default_rng(1234)  # what a key sounds like is the same in every cache
    sounds = [world.normal(size=(n, AUDIO_DIM)) for n in (KEYS, TEMPI, METERS)]
    words = [world.normal(size=(n, TEXT_DIM)) for n in (KEYS, TEMPI, METERS)]
    filler = world.normal(size=(8, TEXT_DIM))

    audio, text, rows = [], [], []
    for i, labels in enumerate(values):
        clean = sum(sounds[a][v] for a, v in enumerate(labels))
        length = frames if i % 3 else max(2, frames - 2)
        clip = clean + noise * random.normal(size=(length, AUDIO_DIM))
        audio.append(np.full_like(clip, np.nan) if i == broken_row else clip)
        captions = []
        for style in range(styles):
            stated = [words[a][v] for a, v in enumerate(labels)]
            order = random.permutation(3) if style else np.arange(3)
            extra = filler[random.integers(0, 8, size=2 + style)]
            text.append(np.concatenate([filler[:1], np.array(stated)[order], extra]))
            captions.append(
                {"style": f"style{style}", "text": f"{style} key {labels[0]} tempo {labels[1]} {labels[2]}"}
            )
        track = i // clips_per_track
        train = track * clips_per_track < splits[0] * clips
        rows.append(
            {
                "id": f"{track:016x}-{i % clips_per_track:08d}",
                "track_id": f"{track:016x}",
                "split": "train" if train else "validation",
                "captions": captions,
            }
        )
    keys = {}
    for kind, items, dim in (("audio", audio, AUDIO_DIM), ("text", text, TEXT_DIM)):
        data = hashlib.sha256(b"".join(np.ascontiguousarray(x).tobytes() for x in items)).hexdigest()
        keys[kind] = key = StoreKey(
            kind, f"planted-{kind}", "1", {}, "", dim, "float16", "1", data, items=len(items), per_shard=64
        )
        write_key_folder = folder / kind
        write_key_folder.mkdir(parents=True, exist_ok=True)
        write_key(write_key_folder, key)
        for number in range(shard_count(key)):
            wanted = shard_items(number, key)
            tensors = [torch.from_numpy(items[j]).float() for j in wanted]
            write_store_shard(folder / kind, number, tensors, {}, key)
        finish_store(folder / kind, key)
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    fingerprint = hashlib.sha256(json.dumps([k.data for k in keys.values()]).encode()).hexdigest()
    write_atomically(folder / "cache.json", json.dumps({"format": FORMAT, "fingerprint": fingerprint}).encode())
    return FeatureCache.open(folder)
