"""Compute the missing shards of a store, here or in worker processes."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgmcaps.common.errors import InvalidDataError, MachineError
from fgmcaps.training.data.audio import AudioError, decode
from fgmcaps.training.data.dataset import AudioRef, Rows
from fgmcaps.training.encoders.base import AudioEncoder, Encoder, TextEncoder
from fgmcaps.training.encoders.run import LongAudio, encode_clips, encode_texts
from fgmcaps.training.features.store import StoreKey, half, shard_items, write_store_shard

TICK_S = 0.25
TEXT_BATCH = 4
"""Texts are short: this many times the batch of clips goes through at once."""

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Work:
    """What a worker needs to know: pickled once per process, before the encoder's weights are loaded."""

    kind: str
    folder: Path
    key: StoreKey
    rows: Rows
    encoder: Encoder
    device: str
    batch_size: int
    long: LongAudio

    @cached_property
    def captions(self) -> list[tuple[str, str]]:
        """``(clip id, caption)`` in the order of the text store."""
        return [(row.id, text) for row in self.rows for _, text in row.captions]


def run_work(work: Work, todo: Sequence[int], workers: int, report: Report) -> None:
    """Compute shards ``todo``. Raises MachineError, InvalidDataError; finished shards stay."""
    total = work.key.items
    done = total - sum(len(shard_items(n, work.key)) for n in todo)
    report(work.kind, done, total)
    if not todo:
        return
    if min(workers, len(todo)) <= 1:
        work.encoder.setup(work.device)
        for number in todo:
            for count in compute_shard(work, number, os.cpu_count() or 1):
                done += count
                report(work.kind, done, total)
        return
    _run_pool(work, todo, min(workers, len(todo)), done, report)


def compute_shard(work: Work, number: int, threads: int) -> Iterator[int]:
    """Compute and write one shard; yields the number of items done as it goes on."""
    out: list[Tensor | None] = []
    skipped: dict[str, str] = {}
    items = shard_items(number, work.key)
    try:
        for start in range(items.start, items.stop, work.batch_size if work.kind == "audio" else items.stop):
            part = range(start, min(start + work.batch_size, items.stop)) if work.kind == "audio" else items
            names, features = _audio_part(work, part, threads, skipped) if work.kind == "audio" else _texts(work, part)
            for name, one in zip(names, features, strict=True):
                out.append(None if one is None else _finite(work, name, one, skipped))
            yield len(part)
    except (torch.OutOfMemoryError, MemoryError):
        raise MachineError(
            f"{work.kind} features: out of memory; use a smaller --batch ({work.batch_size} now) or fewer --workers"
        ) from None
    write_store_shard(work.folder, number, out, skipped, work.key)


def _audio_part(
    work: Work, part: range, threads: int, skipped: dict[str, str]
) -> tuple[list[str], list[Tensor | None]]:
    assert isinstance(work.encoder, AudioEncoder)
    names = [work.rows.ids[i] for i in part]
    rate = work.encoder.sample_rate

    def read(ref: AudioRef) -> npt.NDArray[np.float32] | str:
        try:
            return decode(ref, rate)
        except AudioError as error:
            return str(error)

    refs = list(work.rows.audio(part))
    if threads > 1:
        with ThreadPoolExecutor(min(threads, 8)) as pool:
            clips = list(pool.map(read, refs))
    else:
        clips = list(map(read, refs))
    skipped.update({name: clip for name, clip in zip(names, clips, strict=True) if isinstance(clip, str)})
    good = [clip for clip in clips if not isinstance(clip, str)]
    frames = iter(encode_clips(work.encoder, good, work.batch_size, work.long) if good else ())
    return names, [None if isinstance(clip, str) else next(frames) for clip in clips]


def _texts(work: Work, part: range) -> tuple[list[str], list[Tensor | None]]:
    assert isinstance(work.encoder, TextEncoder)
    names, texts = zip(*work.captions[part.start : part.stop], strict=True)
    return list(names), list(encode_texts(work.encoder, texts, TEXT_BATCH * work.batch_size))


def _finite(work: Work, name: str, features: Tensor, skipped: dict[str, str]) -> Tensor | None:
    """The features, or None and a reason where they are not finite."""
    if not torch.isfinite(features).all():
        skipped[name] = f"encoder {work.encoder.name} gives NaN or infinity"
        return None
    if not torch.isfinite(half(features, work.key.dtype)).all():
        largest = float(features.abs().max())
        raise InvalidDataError(
            f"{name}: a feature of {largest:.3g} does not fit {work.key.dtype}; use --dtype bfloat16 and another folder"
        )
    return features


def _run_pool(work: Work, todo: Sequence[int], workers: int, done: int, report: Report) -> None:
    context = multiprocessing.get_context("spawn")  # forking a process that has used torch's threads may hang
    counter = context.Value("q", done)
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, context, _begin, (work, workers, counter, os.getpid()))
    try:
        waiting = {pool.submit(_one, number) for number in todo}
        while waiting:
            ready, waiting = wait(waiting, TICK_S, FIRST_COMPLETED)
            for future in ready:
                future.result()
            if counter.value != done:
                done = counter.value
                report(work.kind, done, work.key.items)
    except BaseException as error:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            raise MachineError(
                f"{work.kind} features: a worker process died (killed, or out of memory?); finished shards are kept: "
                "run the same command again, with fewer --workers or a smaller --batch if it happens again"
            ) from None
        raise
    pool.shutdown()


_state: dict[str, Any] = {}


def _begin(work: Work, workers: int, counter: Any, parent: int) -> None:
    """Prepare a worker process; it ends when its parent does."""
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    threads = max(1, (os.cpu_count() or 1) // workers)
    torch.set_num_threads(threads)
    _state.update(work=work, counter=counter, threads=threads, ready=False)


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _one(number: int) -> None:
    work: Work = _state["work"]
    if not _state["ready"]:  # here and not in the initializer, so that its errors reach the parent
        work.encoder.setup(work.device)
        _state["ready"] = True
    for count in compute_shard(work, number, _state["threads"]):
        with _state["counter"].get_lock():
            _state["counter"].value += count
