"""What a feature cache was made of: fingerprints of audio and of captions, and the keys of its two stores."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fgmcaps.common.caches import may_write
from fgmcaps.common.files import write_atomically
from fgmcaps.common.json_file import MIB, read_json
from fgmcaps.training.data.dataset import Row, Rows
from fgmcaps.training.encoders.base import AudioEncoder, TextEncoder, state_digest
from fgmcaps.training.encoders.run import LongAudio
from fgmcaps.training.features.store import StoreKey

PREPROCESSING = "1"
"""Changes when decoding, mixing, resampling or cutting give other samples."""


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """SHA-256 of all clip ids with the bytes of their audio, and of all clip ids with their captions."""

    audio: str
    text: str


def fingerprints(rows: Rows, memo: Path) -> Fingerprints:
    """Fingerprints of a dataset. Hashing reads all audio once; ``memo`` remembers the answer for unchanged shards.

    Raises InvalidDataError naming a shard that cannot be read.
    """
    stamps = [[shard.path.name, shard.stamp] for shard in rows.shards]
    head = {"split": rows.split, "audio_root": str(rows.audio_root or ""), "shards": stamps}
    try:
        known = read_json(memo, 16 * MIB)
        if known["head"] == head:
            return Fingerprints(str(known["audio"]), str(known["text"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # only a memo: computed again below
    found = Fingerprints(_audio_fingerprint(rows), _text_fingerprint(rows))
    if may_write(memo.parent):
        write_atomically(memo, json.dumps({"head": head, "audio": found.audio, "text": found.text}).encode())
    return found


def _audio_fingerprint(rows: Rows) -> str:
    digest = hashlib.sha256()
    for row, ref in zip(rows, rows.audio(range(len(rows))), strict=True):
        if ref.data is not None:
            content = hashlib.sha256(ref.data).hexdigest()
        else:  # a track's id is the hash of its file
            content = f"{row.track_id}:{row.start_s}:{row.duration_s}" if ref.path is not None else ""
        digest.update(json.dumps([row.id, content]).encode())
    return digest.hexdigest()


def _text_fingerprint(rows: Sequence[Row]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps([row.id, [text for _, text in row.captions]]).encode())
    return digest.hexdigest()


def shard_size(items: int, most: int) -> int:
    """Items a shard: at most ``most``, fewer for a small dataset so that several processes share it."""
    return max(1, min(most, max(8, items // 16)))


def audio_key(rows: Rows, encoder: AudioEncoder, data: Fingerprints, dtype: str, long: LongAudio) -> StoreKey:
    """Key of the audio store; one item a row."""
    return StoreKey(
        kind="audio",
        encoder=encoder.name,
        revision=encoder.revision,
        settings={**encoder.settings(), "long": long, "max_seconds": encoder.max_seconds},
        state=state_digest(encoder.state),
        dim=encoder.dim,
        dtype=dtype,
        preprocessing=PREPROCESSING,
        data=data.audio,
        items=len(rows),
        per_shard=shard_size(len(rows), 64),
    )


def text_key(captions: int, encoder: TextEncoder, data: Fingerprints, dtype: str) -> StoreKey:
    """Key of the text store; one item a caption, all captions of a row one after another."""
    return StoreKey(
        kind="text",
        encoder=encoder.name,
        revision=encoder.revision,
        settings=encoder.settings(),
        state="",
        dim=encoder.dim,
        dtype=dtype,
        preprocessing=PREPROCESSING,
        data=data.text,
        items=captions,
        per_shard=shard_size(captions, 1024),
    )


def all_captions(rows: Sequence[Row]) -> Iterator[str]:
    """The captions in the order of the text store."""
    for row in rows:
        for _, text in row.captions:
            yield text
