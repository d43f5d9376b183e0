"""Which tracks hold the same sound, by their fingerprints: re-encodings, other masters, excerpts of one another.

Candidates are pairs that share exact keys (two frames, 32 bits) at one offset; a candidate is a match where few bits
differ over the whole overlap. Measured in docs/experiments.md: copies differ in at most .13 of the bits, different
recordings in at least .40.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgmcaps.pipeline.audio.fingerprint import FRAMES_PER_S, NOTHING, Fingerprint

MAX_ERROR = 0.22
MIN_FRAMES = 12 * FRAMES_PER_S
MIN_FRAMES_OF_SHORT = 5 * FRAMES_PER_S
SHARE_OF_SHORT = 0.75
_KEY_GAP = 6
_MIN_KEYS = 2
# A key that more tracks share is a drum loop or a held chord, and would make a pair of everything.
_MAX_TRACKS_OF_KEY = 24
_PARTS = 16
_OFFSETS = 1024

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Match:
    """Two tracks (indices, ``first < second``) that share sound.

    ``offset``: frames by which the sound comes later in the first. ``error``: share of the bits that differ, over
    ``frames`` frames.
    """

    first: int
    second: int
    offset: int
    error: float
    frames: int


_NONE = Match(-1, -1, 0, 1.0, 0)


def find_matches(prints: Sequence[Fingerprint]) -> list[Match]:
    """All pairs of fingerprints (uint16[n] each) that share sound, each at its best offset, in order."""
    best: dict[tuple[int, int], Match] = {}
    for first, second, offset in _candidates(prints):
        for near in (offset - 1, offset, offset + 1):
            match = _compare(prints, first, second, near)
            if match is not None and match.error < best.get((first, second), _NONE).error:
                best[first, second] = match
    return list(best.values())


def _candidates(prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int, int]]:
    """``(first, second, offset)`` of pairs that share at least two keys at one offset, in order."""
    keys, tracks, places = _keys(prints)
    if not len(keys):
        return
    codes = []
    for part in range(_PARTS):  # the keys of 380,000 tracks are 130 million: a part at a time is in memory
        chosen = np.flatnonzero(keys % _PARTS == part)
        order = chosen[np.argsort(keys[chosen], kind="stable")]
        key, track, place = keys[order], tracks[order], places[order]
        for step in range(1, _MAX_TRACKS_OF_KEY):
            same = np.flatnonzero((key[step:] == key[:-step]) & (track[step:] != track[:-step]))
            pair = track[same] * len(prints) + track[same + step]
            codes.append(pair * (2 * _OFFSETS) + (place[same] - place[same + step]) + _OFFSETS)
    values, counts = np.unique(np.concatenate(codes), return_counts=True)
    for value in values[counts >= _MIN_KEYS].tolist():
        pair, offset = divmod(value, 2 * _OFFSETS)
        first, second = divmod(pair, len(prints))
        yield first, second, offset - _OFFSETS


def _keys(prints: Sequence[Fingerprint]) -> tuple[Ints, Ints, Ints]:
    """Every key with its track and its frame, in the order of the tracks."""
    keys, tracks, places = [], [], []
    for number, frames in enumerate(prints):
        early, late = frames[:-_KEY_GAP].astype(np.int64), frames[_KEY_GAP:].astype(np.int64)
        at = np.flatnonzero((early != NOTHING) & (late != NOTHING))
        keys.append(early[at] << 16 | late[at])
        tracks.append(np.full(len(at), number, np.int64))
        places.append(at.astype(np.int64))
    if not keys:
        return (np.zeros(0, np.int64),) * 3
    return np.concatenate(keys), np.concatenate(tracks), np.concatenate(places)


def _compare(prints: Sequence[Fingerprint], first: int, second: int, offset: int) -> Match | None:
    """The match at an offset, None if it is none."""
    a, b = prints[first][max(0, offset) :], prints[second][max(0, -offset) :]
    length = min(len(a), len(b))
    a, b = a[:length], b[:length]
    told = (a != NOTHING) & (b != NOTHING)
    frames = int(told.sum())
    shorter = min(len(prints[first]), len(prints[second]))
    if frames < max(MIN_FRAMES_OF_SHORT, min(MIN_FRAMES, round(SHARE_OF_SHORT * shorter))):
        return None
    error = int(np.bitwise_count(a[told] ^ b[told]).sum()) / (16 * frames)
    return None if error > MAX_ERROR else Match(first, second, offset, error, frames)
