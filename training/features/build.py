"""Fill a feature cache: plan, fit, encode in one or several processes, resume. Reading it is
``fgmcaps.training.features.cache``.

A shard that is done stays done: after a kill, a full disk or an interruption the same call continues, and computes at
most one shard a worker twice.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from torch import Tensor

from fgmcaps.common.caches import may_write
from fgmcaps.common.errors import InvalidDataError, MachineError, NothingToDoError
from fgmcaps.common.files import atomic_file, folder_lock, write_atomically
from fgmcaps.training.data.audio import AudioError, decode
from fgmcaps.training.data.dataset import Rows
from fgmcaps.training.encoders.base import AudioEncoder, TextEncoder, state_digest
from fgmcaps.training.encoders.run import LongAudio, pad_clips
from fgmcaps.training.features.cache import FORMAT, FeatureCache, read_state
from fgmcaps.training.features.keys import all_captions, audio_key, fingerprints, text_key
from fgmcaps.training.features.store import (
    DType,
    StoreKey,
    damaged_shards,
    drop_shard,
    finish_store,
    read_key,
    read_shard_index,
    shard_count,
    write_key,
)
from fgmcaps.training.features.work import Work, run_work

FIT_BATCH = 16
FEW_SKIPPED = 10
CHARACTERS_PER_TOKEN = 3.5  # E5 has about 4 on our captions: the estimate errs on the large side
MARGIN_BYTES = 64 << 20

Report = Callable[[str, int, int], None]
"""Progress: stage (``fit``, ``audio``, ``text``), done, total (items)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SizeEstimate:
    """Bytes that a cache will take, by store, and how many of them are there already."""

    audio: int
    text: int
    there: int

    @property
    def missing(self) -> int:
        """Bytes still to be written."""
        return max(0, self.audio + self.text - self.there)


def estimate_size(rows: Rows, audio: AudioEncoder, text: TextEncoder, folder: Path) -> SizeEstimate:
    """Size of the cache of ``rows`` in bytes: audio by its duration, text by its characters (an upper guess)."""
    seconds = np.nan_to_num(np.asarray(rows.table["duration_s"].to_pylist(), dtype=float), nan=audio.max_seconds)
    frames = float((np.where(seconds > 0, seconds, audio.max_seconds) * audio.frame_rate).sum())
    tokens = sum(min(text.max_tokens, len(t) / CHARACTERS_PER_TOKEN + 2) for t in all_captions(rows))
    there = sum(p.stat().st_size for kind in ("audio", "text") for p in (folder / kind).glob("*.bin"))
    return SizeEstimate(int(frames * audio.dim * 2), int(tokens * text.dim * 2), there)


def build_cache(
    rows: Rows,
    audio_encoder: AudioEncoder,
    text_encoder: TextEncoder,
    folder: str | Path,
    *,
    dtype: DType = "float16",
    device: str = "cpu",
    workers: int = 1,
    batch_size: int = 16,
    long: LongAudio = "windows",
    fit_clips: int = 2000,
    max_skipped: float = 0.05,
    check: bool = False,
    report: Report | None = None,
) -> FeatureCache:
    """Compute what is missing of the features of ``rows`` into ``folder``, and open it.

    - The encoders need no ``setup``; statistics that ``audio_encoder`` lacks are fitted on at most ``fit_clips`` clips
      of the training split, evenly spread, and are in it afterwards.
    - ``long``: audio over ``audio_encoder.max_seconds`` as joined windows, or its first window only.
    - Clips without audio, or whose audio cannot be decoded or gives no finite features, are skipped, counted and named
      in ``skipped.jsonl``; more than ``max_skipped`` of them (and more than 10) is an error. Missing audio never is.
    - ``check`` reads all finished shards and computes damaged ones again.
    - Finished features in a folder that may not be written are opened as they are; nothing is written.

    Raises InvalidDataError (the folder holds features of other data or encoders, too many bad clips), NothingToDoError
    (no usable row), MachineError (no room, no memory, a worker that died), FgmcapsError (another process is filling
    it).
    """
    folder = Path(folder)
    say: Report = report or (lambda stage, done, total: None)
    if not may_write(folder):  # somebody else's: a lab's shared model is searched by all
        if check or not _finished(folder, _keys(rows, audio_encoder, text_encoder, folder, dtype, long)):
            what = "cannot be checked and mended" if check else "are not there for this dataset"
            raise MachineError(
                f"{folder}: finished features {what}, and you may not write there; give another folder by --cache"
            )
        return FeatureCache.open(folder)
    with folder_lock(folder, "computing features"):
        keys = _keys(rows, audio_encoder, text_encoder, folder, dtype, long)
        if check:
            for kind, key in keys.items():
                for number in damaged_shards(folder / kind, key) if read_key(folder / kind) else ():
                    log.warning("%s: damaged: computed again", folder / kind / f"{number:05d}.bin")
                    drop_shard(folder / kind, number)
        elif _finished(folder, keys):
            return FeatureCache.open(folder)
        (folder / "cache.json").unlink(missing_ok=True)
        _check_room(folder, estimate_size(rows, audio_encoder, text_encoder, folder))
        if audio_encoder.needs_fit:
            audio_encoder.setup(device)
            _fit(rows, audio_encoder, fit_clips, say)
            keys["audio"] = replace(keys["audio"], state=state_digest(audio_encoder.state))
        _save_state(folder, audio_encoder)
        skipped: dict[str, str] = {}
        for kind, key in keys.items():
            if read_key(folder / kind) is None:
                write_key(folder / kind, key)
            todo = [n for n in range(shard_count(key)) if read_shard_index(folder / kind, n, key) is None]
            encoder = audio_encoder if kind == "audio" else text_encoder
            run_work(Work(kind, folder / kind, key, rows, encoder, device, batch_size, long), todo, workers, say)
            skipped |= finish_store(folder / kind, key)
        _finish(folder, rows, keys, skipped, max_skipped)
    return FeatureCache.open(folder)


def _keys(
    rows: Rows, audio: AudioEncoder, text: TextEncoder, folder: Path, dtype: DType, long: LongAudio
) -> dict[str, StoreKey]:
    """The keys of both stores, in the layout that ``folder`` was begun with; ``audio`` takes what was fitted there."""
    data = fingerprints(rows, folder / "source.json")
    keys = {
        "audio": audio_key(rows, audio, data, dtype, long),
        "text": text_key(len(list(all_captions(rows))), text, data, dtype),
    }
    _take_fitted(folder, audio, keys)
    return {kind: _matching(folder / kind, key, ignore_state=audio.needs_fit) for kind, key in keys.items()}


def _finished(folder: Path, keys: dict[str, StoreKey]) -> bool:
    """True when nothing is to be done; a missing file counts as not done."""
    if not (folder / "cache.json").is_file() or not (folder / "rows.parquet").is_file():
        return False
    return all(
        (folder / kind / "index.npy").is_file()
        and all(read_shard_index(folder / kind, n, key) is not None for n in range(shard_count(key)))
        for kind, key in keys.items()
    )


def _take_fitted(folder: Path, encoder: AudioEncoder, keys: dict[str, StoreKey]) -> None:
    """Give the encoder the statistics that this cache was begun with, where it has none of its own."""
    begun = read_key(folder / "audio")
    if begun is None or not encoder.needs_fit:
        return
    state = read_state(folder / "encoder.safetensors")
    if state_digest(state) != begun.state:
        raise InvalidDataError(f"{folder / 'encoder.safetensors'}: missing or changed; delete the folder {folder}")
    if begun.encoder == encoder.name and not replace(keys["audio"], state=begun.state).differences(begun):
        encoder.load_state(state)
        keys["audio"] = replace(keys["audio"], state=begun.state)


def _matching(folder: Path, key: StoreKey, ignore_state: bool) -> StoreKey:
    """The key with the layout of a store that was begun with it. Raises InvalidDataError when that is of another."""
    begun = read_key(folder)
    if begun is None:
        return key
    wanted = replace(key, state=begun.state) if ignore_state else key
    found = begun.differences(wanted)
    if found:
        what = "; ".join(found[:4]) + (f"; and {len(found) - 4} more" if len(found) > 4 else "")
        raise InvalidDataError(
            f"{folder}: holds {key.kind} features of another dataset or encoder ({what}); choose another cache folder, "
            "or delete this one"
        )
    return replace(key, per_shard=begun.per_shard)


def _check_room(folder: Path, size: SizeEstimate) -> None:
    free = shutil.disk_usage(folder).free
    log.info("about %d bytes of audio and %d of text features; %d free", size.audio, size.text, free)
    if size.missing + MARGIN_BYTES > free:
        raise MachineError(
            f"{folder}: about {size.missing / 1e9:.1f} GB of features are to be written, {free / 1e9:.1f} GB are free; "
            "choose another cache folder or free some space"
        )


def _fit(rows: Rows, encoder: AudioEncoder, fit_clips: int, say: Report) -> None:
    """Fit the encoder's statistics on training clips, evenly spread over the split."""
    train = np.flatnonzero(np.asarray(rows.table["split"].to_pylist(), dtype=object) == "train")
    if not len(train):
        raise NothingToDoError(
            f"encoder {encoder.name} is standardised on the training split, and these rows have none; "
            "give rows of all splits, or the encoder of a trained model"
        )
    chosen = train[np.unique(np.linspace(0, len(train) - 1, min(fit_clips, len(train))).astype(int))]
    used = 0

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        nonlocal used
        most = round(encoder.max_seconds * encoder.sample_rate)
        clips = []
        for done, ref in enumerate(rows.audio([int(i) for i in chosen])):
            try:
                clips.append(decode(ref, encoder.sample_rate)[:most])
            except AudioError:
                continue  # counted and named when its features are due
            if len(clips) == FIT_BATCH:
                used += len(clips)
                say("fit", done, len(chosen))
                yield pad_clips(clips)
                clips = []
        if clips:
            used += len(clips)
            yield pad_clips(clips)

    encoder.fit(batches())
    if not used:
        raise NothingToDoError(f"encoder {encoder.name}: no training clip has usable audio to fit its statistics on")
    say("fit", len(chosen), len(chosen))


def _save_state(folder: Path, encoder: AudioEncoder) -> None:
    from safetensors.numpy import save

    if encoder.state and state_digest(read_state(folder / "encoder.safetensors")) != state_digest(encoder.state):
        write_atomically(folder / "encoder.safetensors", save(encoder.state))


def _finish(folder: Path, rows: Rows, keys: dict[str, StoreKey], skipped: dict[str, str], max_skipped: float) -> None:
    """Write the tables and, last, ``cache.json``; or say why there is no usable cache."""
    lines = {row.id: "empty caption" for row in rows if not row.captions} | skipped
    write_atomically(
        folder / "skipped.jsonl", "".join(json.dumps({"id": i, "why": w}) + "\n" for i, w in lines.items()).encode()
    )
    bad = {i: why for i, why in lines.items() if not why.startswith("no audio")}
    first = "; ".join(f"{i}: {why}" for i, why in list((bad or lines).items())[:3])
    if len(lines) >= len(rows):
        raise NothingToDoError(f"none of the {len(rows)} rows can be used ({first})")
    if len(bad) > max(FEW_SKIPPED, max_skipped * len(rows)):
        raise InvalidDataError(
            f"{len(bad)} of {len(rows)} clips cannot be used ({first}); all are in {folder / 'skipped.jsonl'}; "
            "--max-skipped allows more"
        )
    with atomic_file(folder / "rows.parquet") as handle:
        pq.write_table(_table(rows), handle, compression="zstd")
    content = json.dumps({kind: asdict(replace(key, per_shard=1)) for kind, key in keys.items()}, sort_keys=True)
    meta = {
        "format": FORMAT,
        "fingerprint": hashlib.sha256(content.encode()).hexdigest(),
        "rows": len(rows),
        "skipped": len(lines),
        "split": rows.split,
    }
    write_atomically(folder / "cache.json", (json.dumps(meta, indent=1) + "\n").encode())


def _table(rows: Rows) -> pa.Table:
    """The light columns, with all captions in one column."""
    captions = [[{"style": style, "text": text} for style, text in row.captions] for row in rows]
    kind = rows.table.schema.field("captions").type
    table = rows.table.set_column(rows.table.schema.get_field_index("captions"), "captions", pa.array(captions, kind))
    ids = [row.track_id for row in rows]
    table = table.set_column(table.schema.get_field_index("track_id"), "track_id", pa.array(ids))
    splits = [row.split for row in rows]
    table = table.set_column(table.schema.get_field_index("split"), "split", pa.array(splits))
    return table.drop_columns(["caption", "caption_style"])
