"""Ragged arrays on disk: N items of [n_i, dim] half-precision numbers in checksummed, memory-mapped shards.

A store is a folder
-------------------
- ``key.json``: what the numbers are (encoder, revision, settings, dtype, data); written first.
- ``00007.bin``: the items ``7 * per_shard ..`` one after another, little endian; ``00007.json``: their lengths, CRC-32
  and the reasons of items that have none. Both appear whole or not at all, the JSON last: it makes a shard done.
- ``index.npy``: int64[N, 2] lengths and CRC-32 of all items; written last: it makes the store complete.

An item of length 0 was skipped. Every item is checked against its CRC-32 when it is read for the first time.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import TypeAdapter
from torch import Tensor

from fgmcaps.common.differences import differences
from fgmcaps.common.errors import InvalidDataError
from fgmcaps.common.files import atomic_file, write_atomically
from fgmcaps.common.json_file import MIB, read_bounded

DType = Literal["float16", "bfloat16"]
DTYPES: dict[str, torch.dtype] = {"float16": torch.float16, "bfloat16": torch.bfloat16}
REMEDY = "run `figma cache DATA FOLDER --check`: it computes this shard again and keeps the others"
_BYTES = 2
MOST_WIDE = 1 << 16


@dataclass(frozen=True, slots=True)
class StoreKey:
    """All that the numbers of a store depend on; two stores with equal keys are interchangeable.

    ``data`` is the fingerprint of what was encoded, ``state`` that of statistics fitted on the training split.
    """

    kind: str
    encoder: str
    revision: str
    settings: dict[str, Any]
    state: str
    dim: int
    dtype: str
    preprocessing: str
    data: str
    items: int
    per_shard: int

    def differences(self, other: "StoreKey") -> list[str]:
        """What differs, as ``name: mine -> other``; the layout is left out, because it does not change a number."""
        return differences(asdict(self), asdict(other), ignore=("per_shard",))


def read_key(folder: Path) -> StoreKey | None:
    """The key of a store; None where there is none. Raises InvalidDataError."""
    path = folder / "key.json"
    if not path.is_file():
        return None
    try:
        key = TypeAdapter(StoreKey).validate_json(read_bounded(path), strict=True)
        if key.dtype not in DTYPES or not 1 <= key.dim <= MOST_WIDE or key.per_shard < 1 or key.items < 0:
            raise ValueError(f"{key.items} items of {key.dim} {key.dtype}, {key.per_shard} a shard")
        return key
    except (ValueError, OSError) as error:
        line = " ".join(str(error).split())[:200]
        raise InvalidDataError(f"{path}: not the key of a feature cache ({line}); delete the folder {folder}") from None


def write_key(folder: Path, key: StoreKey) -> None:
    """Begin a store."""
    write_atomically(folder / "key.json", (json.dumps(asdict(key), indent=1, sort_keys=True) + "\n").encode())


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """One finished shard: lengths and CRC-32 of its items, and why the items of length 0 were skipped."""

    lengths: list[int]
    crc32: list[int]
    skipped: dict[str, str]


def write_store_shard(
    folder: Path, number: int, items: Sequence[Tensor | None], skipped: dict[str, str], key: StoreKey
) -> ShardIndex:
    """Write one shard; ``items`` are float[n_i, dim] or None where skipped. Raises MachineError on a full disk.

    The caller has checked that the items are finite in the store's dtype.
    """
    lengths, sums = [], []
    with atomic_file(folder / f"{number:05d}.bin") as handle:
        for item in items:
            data = b"" if item is None else half(item, key.dtype).view(torch.int16).numpy().astype("<i2").tobytes()
            handle.write(data)
            lengths.append(len(data) // (_BYTES * key.dim))
            sums.append(zlib.crc32(data))
    index = ShardIndex(lengths, sums, skipped)
    write_atomically(folder / f"{number:05d}.json", json.dumps(asdict(index)).encode())
    return index


def half(item: Tensor, dtype: str) -> Tensor:
    """Contiguous copy in the dtype of a store."""
    return item.to(DTYPES[dtype]).contiguous()


def read_shard_index(folder: Path, number: int, key: StoreKey) -> ShardIndex | None:
    """Index of a finished shard, None where it is not finished or not whole (then it is computed again)."""
    try:
        written = read_bounded(folder / f"{number:05d}.json", 64 * MIB)
        index = TypeAdapter(ShardIndex).validate_json(written, strict=True)
        size = (folder / f"{number:05d}.bin").stat().st_size
    except (OSError, ValueError):
        return None
    expected = len(shard_items(number, key))
    whole = len(index.lengths) == len(index.crc32) == expected and size == sum(index.lengths) * key.dim * _BYTES
    return index if whole else None


def shard_items(number: int, key: StoreKey) -> range:
    """The items of a shard."""
    return range(number * key.per_shard, min((number + 1) * key.per_shard, key.items))


def shard_count(key: StoreKey) -> int:
    """Number of shards of a store."""
    return -(-key.items // key.per_shard)


def finish_store(folder: Path, key: StoreKey) -> dict[str, str]:
    """Write ``index.npy`` over all shards, drop strays, and return why which items (by id) were skipped."""
    skipped: dict[str, str] = {}
    table = np.zeros((key.items, 2), dtype=np.int64)
    for number in range(shard_count(key)):
        index = read_shard_index(folder, number, key)
        if index is None:
            raise InvalidDataError(f"{folder / f'{number:05d}.bin'}: vanished while the cache was written; run again")
        items = shard_items(number, key)
        table[items.start : items.stop, 0], table[items.start : items.stop, 1] = index.lengths, index.crc32
        skipped |= index.skipped
    with atomic_file(folder / "index.npy") as handle:
        np.save(handle, table, allow_pickle=False)
    for stray in folder.glob(".*.tmp"):
        stray.unlink(missing_ok=True)
    return skipped


def damaged_shards(folder: Path, key: StoreKey) -> list[int]:
    """Numbers of the finished shards whose bytes are not those that were written. Reads everything."""
    found = []
    for number in range(shard_count(key)):
        index = read_shard_index(folder, number, key)
        if index is None:
            continue
        data = (folder / f"{number:05d}.bin").read_bytes()
        position = 0
        for length, crc in zip(index.lengths, index.crc32, strict=True):
            end = position + length * key.dim * _BYTES
            if zlib.crc32(data[position:end]) != crc:
                found.append(number)
                break
            position = end
    return found


def drop_shard(folder: Path, number: int) -> None:
    """Make a shard unfinished, so that the next build computes it again."""
    (folder / "index.npy").unlink(missing_ok=True)
    (folder / f"{number:05d}.json").unlink(missing_ok=True)
    (folder / f"{number:05d}.bin").unlink(missing_ok=True)


def _mapped(path: Path, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    if not shape[0]:
        return np.zeros(shape, np.int64)
    table: npt.NDArray[np.int64] = np.load(path, mmap_mode="r", allow_pickle=False)
    if table.shape != shape or table.dtype != np.int64:
        raise ValueError(f"{table.dtype}{list(table.shape)} is not int64{list(shape)}")
    return table


class FeatureStore:
    """Random access to a complete store. Pages are shared between processes and read by the kernel when touched."""

    def __init__(self, folder: Path) -> None:
        """Raises InvalidDataError when the store is missing, incomplete or damaged."""
        key = read_key(folder)
        if key is None or not (folder / "index.npy").is_file():
            raise InvalidDataError(f"{folder}: no finished feature cache; run `figma cache DATA FOLDER`")
        self.folder, self.key = folder, key
        try:
            # Mapped, not read: a header may promise terabytes.
            table = np.array(_mapped(folder / "index.npy", (key.items, 2)))
        except (ValueError, OSError, EOFError, OverflowError, TypeError, MemoryError, SyntaxError) as error:
            line = " ".join(str(error).split())[:200]
            raise InvalidDataError(f"{folder / 'index.npy'}: damaged ({line}); {REMEDY}") from None
        most = max((p.stat().st_size for p in folder.glob("*.bin")), default=0) // (_BYTES * key.dim)
        if key.items and not 0 <= int(table[:, 0].min()) <= int(table[:, 0].max()) <= most:
            raise InvalidDataError(f"{folder / 'index.npy'}: damaged (lengths that no shard holds); {REMEDY}")
        self.lengths: npt.NDArray[np.int64] = np.ascontiguousarray(table[:, 0])
        self._crc32 = table[:, 1]
        ends = np.cumsum(self.lengths)
        self._starts = ends - self.lengths
        self._checked = np.zeros(key.items, dtype=bool)
        self._maps: dict[int, Tensor] = {}
        self._dtype = DTYPES[key.dtype]
        self._check_sizes()

    def __len__(self) -> int:
        return self.key.items

    def __getitem__(self, item: int) -> Tensor:
        """float16 or bfloat16[n_i, dim], a view of the file. Raises InvalidDataError for a damaged item."""
        number = item // self.key.per_shard
        shard = self._maps.get(number)
        if shard is None:
            shard = self._maps[number] = self._map(number)
        start = int(self._starts[item] - self._starts[number * self.key.per_shard])
        raw = shard[start : start + int(self.lengths[item])]
        if not self._checked[item]:
            if zlib.crc32(raw.numpy().data) != self._crc32[item]:
                path = self.folder / f"{number:05d}.bin"
                raise InvalidDataError(f"{path}: damaged (item {item} has other bytes than were written); {REMEDY}")
            self._checked[item] = True
        return raw.view(self._dtype)

    def _map(self, number: int) -> Tensor:
        rows = self._rows(number)
        if not rows:
            return torch.empty(0, self.key.dim, dtype=torch.int16)
        path = self.folder / f"{number:05d}.bin"
        try:
            # Copy on write: torch wants a writable array, the file stays as it is.
            array = np.memmap(path, dtype="<i2", mode="c", shape=(rows, self.key.dim))
        except (OSError, ValueError) as error:
            raise InvalidDataError(f"{path}: cannot be read ({error}); {REMEDY}") from None
        return torch.from_numpy(array)

    def _rows(self, number: int) -> int:
        items = shard_items(number, self.key)
        return int(self.lengths[items.start : items.stop].sum())

    def _check_sizes(self) -> None:
        for number in range(shard_count(self.key)):
            path, expected = self.folder / f"{number:05d}.bin", self._rows(number) * self.key.dim * _BYTES
            size = path.stat().st_size if path.is_file() else -1
            if size != expected:
                what = "missing" if size < 0 else f"damaged ({size} bytes instead of {expected})"
                raise InvalidDataError(f"{path}: {what}; {REMEDY}")
