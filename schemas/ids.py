"""Identities: pure functions of content, never of paths, order or clocks.

Conventions
-----------
- ``track_id``: first 16 hex digits of the SHA-256 of the file's bytes.
- ``clip_id``: ``{track_id}-{start in ms, 8 digits}``, so that the clips of a track sort by time.
- split and shard are functions of ids only; adding a track never moves another track to another split.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping

TRACK_ID = re.compile(r"[0-9a-f]{16}")
CLIP_ID = re.compile(r"([0-9a-f]{16})-([0-9]{8})")
MAX_START_MS = 99_999_999


def track_id_of_digest(sha256_hex: str) -> str:
    """Track id of a file whose bytes have this SHA-256 (64 hex digits)."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256_hex):
        raise ValueError(f"not a SHA-256 in lower-case hex: {sha256_hex!r}")
    return sha256_hex[:16]


def make_clip_id(track_id: str, start_ms: int) -> str:
    """Clip id of the window of ``track_id`` that starts at ``start_ms`` milliseconds.

    Raises ValueError for a malformed track id or a start outside 0 .. 99,999,999 ms (27.7 h).
    """
    if not TRACK_ID.fullmatch(track_id):
        raise ValueError(f"not a track id (16 lower-case hex digits): {track_id!r}")
    if not 0 <= start_ms <= MAX_START_MS:
        raise ValueError(f"clip start out of range: {start_ms} ms")
    return f"{track_id}-{start_ms:08d}"


def parse_clip_id(clip_id: str) -> tuple[str, int]:
    """``(track_id, start in ms)`` of a clip id; ValueError for a malformed one."""
    match = CLIP_ID.fullmatch(clip_id)
    if match is None:
        raise ValueError(f"not a clip id: {clip_id!r}")
    return match[1], int(match[2])


def track_id_of(clip_id: str) -> str:
    """Id of the track that a clip was cut from; ValueError for a malformed clip id."""
    return parse_clip_id(clip_id)[0]


def _unit_interval(text: str) -> float:
    """Uniform in [0, 1), the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big") / 2**64


NO_ARTIST = frozenset(
    (
        *("", "-", "?", "unknown", "[unknown]", "<unknown>", "unknown artist", "n/a", "nan", "none", "null"),
        *("various", "various artists", "va"),
    )
)


def known_artist(artist: str | None) -> str | None:
    """One spelling of an artist whatever case, spacing and Unicode form; None where nobody is named."""
    name = unicodedata.normalize("NFC", " ".join((artist or "").split()).casefold())
    return None if name in NO_ARTIST else name


def leak_group(track_id: str, artist: str | None) -> str:
    """Tracks of one group must share a split: those of a known artist, else the track alone."""
    name = known_artist(artist)
    return f"track:{track_id}" if name is None else f"artist:{name}"


def split_of(group: str, fractions: Mapping[str, float], seed: int = 0) -> str:
    """Split of a leak group (the artist where known, else the track id).

    ``fractions`` maps split names to shares that sum to 1, in the order in which the unit interval is cut. The hash is
    of the group alone, so a group stays in its split whatever else is in the corpus.
    """
    total = sum(fractions.values())
    if not fractions or abs(total - 1.0) > 1e-6 or min(fractions.values()) < 0:
        raise ValueError(f"split fractions must be non-negative and sum to 1, got {dict(fractions)}")
    u, edge = _unit_interval(f"split:{seed}:{group}"), 0.0
    for name, share in fractions.items():
        edge += share
        if u < edge:
            return name
    return next(name for name, share in reversed(list(fractions.items())) if share > 0)


def shard_of(clip_id: str, shards: int) -> int:
    """Index in ``0 .. shards - 1``; clip ids in ascending order have ascending shard indices.

    The track id is a prefix of a SHA-256, hence uniform: its range is cut into ``shards`` equal parts.
    """
    if shards < 1:
        raise ValueError(f"shards must be at least 1, got {shards}")
    track_id, _ = parse_clip_id(clip_id)
    return int(track_id, 16) * shards >> 64
