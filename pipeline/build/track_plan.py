"""The plan of a build: which tracks, in which splits. A pure function of what the inventory holds."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.sources import FoundFile
from fgmcaps.pipeline.sources.inventory import Hashed
from fgmcaps.schemas import DeadLetter, Track, to_dict
from fgmcaps.schemas.ids import known_artist, leak_group, split_of, track_id_of_digest


@dataclass(frozen=True, slots=True)
class Plan:
    """Tracks after dedup, sorted by id, and ``letters`` for files that cannot be read.

    ``files`` = tracks + duplicates + letters.
    """

    files: int
    duplicates: int
    tracks: tuple[Track, ...]
    letters: tuple[DeadLetter, ...]

    @property
    def corpus(self) -> str:
        """Fingerprint of what the rows take from the plan (ids, names, metadata, splits), not of where files lie."""
        tracks = [(t.track_id, t.source, t.source_path, t.split, to_dict(t.metadata)) for t in self.tracks]
        letters = [(x.track_id, x.source_path, x.message) for x in self.letters]
        return fingerprint(files=self.files, duplicates=self.duplicates, tracks=tracks, letters=letters)


def make_plan(hashed: Sequence[Hashed], source: str, config: BuildConfig, limit: int | None = None) -> Plan:
    """Drop duplicates (equal bytes; the first name in order stays) and give every track its split.

    ``limit`` keeps the first tracks by ``source_path``. Raises FgmcapsError when given splits would leak: two splits
    for one artist or for copies of one file.
    """
    ordered = sorted(hashed, key=lambda h: (h.file.source_path, h.file.location))
    copies: dict[str, list[Hashed]] = defaultdict(list)
    letters = []
    for item in ordered:
        if item.sha256 is None:
            letters.append(_unreadable(item))
        else:
            copies[track_id_of_digest(item.sha256)].append(item)
    kept = sorted(copies, key=lambda track_id: copies[track_id][0].file.source_path)
    if limit is not None:
        kept = kept[:limit]
    tracks = [_track(track_id, copies[track_id], source, config) for track_id in kept]
    files = sum(len(copies[track_id]) for track_id in kept) + len(letters)
    return Plan(
        files, files - len(kept) - len(letters), tuple(sorted(_with_splits(tracks, config), key=_by_id)), tuple(letters)
    )


def _by_id(track: Track) -> str:
    return track.track_id


def _track(track_id: str, group: Sequence[Hashed], source: str, config: BuildConfig) -> Track:
    first = group[0].file
    splits = {h.file.metadata.split: h.file.source_path for h in group if h.file.metadata.split is not None}
    if len(splits) > 1:
        named = ", ".join(f"{path!r}: {split}" for split, path in sorted(splits.items()))
        raise FgmcapsError(f"copies of one file are given different splits, which leaks: {named}; give them one split")
    metadata = replace(first.metadata, split=next(iter(splits), None), licence=first.metadata.licence or config.licence)
    return Track(track_id, first.location, source, first.source_path, first.size, "", metadata)


def check_given_splits(files: Iterable[FoundFile]) -> None:
    """Raise FgmcapsError when an artist is given two splits: known before a file is read."""
    _given_splits((f"artist:{artist}", f) for f in files if (artist := known_artist(f.metadata.artist)) is not None)


def _given_splits(groups: Iterable[tuple[str, Track | FoundFile]]) -> dict[str, str]:
    given: dict[str, tuple[str, str]] = {}
    for group, item in groups:
        split = item.metadata.split
        if split is None:
            continue
        before = given.setdefault(group, (split, item.source_path))
        if before[0] != split:
            raise FgmcapsError(
                f"{group.replace(':', ' ', 1)!r} is given two splits, which leaks: {before[1]!r}: {before[0]}, "
                f"{item.source_path!r}: {split}; give the artist's tracks one split, or leave the column empty"
            )
    return {group: split for group, (split, _) in given.items()}


def _with_splits(tracks: Sequence[Track], config: BuildConfig) -> list[Track]:
    given = _given_splits((leak_group(track.track_id, track.metadata.artist), track) for track in tracks)
    out = []
    for track in tracks:
        group = leak_group(track.track_id, track.metadata.artist)
        split = given.get(group) or split_of(group, config.splits, config.seed)
        out.append(replace(track, split=split))
    return out


def _unreadable(item: Hashed) -> DeadLetter:
    # No bytes, so the id is made from the name; it can collide with no real track's except by a broken SHA-256.
    track_id = track_id_of_digest(hashlib.sha256(b"unreadable:" + item.file.source_path.encode()).hexdigest())
    return DeadLetter(
        track_id=track_id,
        clip_id=None,
        source_path=item.file.source_path,
        stage="read",
        kind="failed",
        reason="unreadable",
        error_type=item.error.split(":")[0],
        message=f"{item.file.source_path}: cannot be read: {item.error}",
        retryable=True,
    )
