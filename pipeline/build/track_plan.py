"""The plan of a build: which tracks, in which splits. A pure function of what the inventory holds.

Tracks that may give one another away share a split: those that share an artist, by any copy's metadata or tags, a
MusicBrainz id, or a stretch of sound.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.common.one_line import one_line
from fgmcaps.common.union_find import UnionFind
from fgmcaps.pipeline.audio.tags import Tags, split_artists
from fgmcaps.pipeline.build.recordings import Recording, find_recordings
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.sources import FoundFile
from fgmcaps.pipeline.sources.inventory import KnownSound, Unread
from fgmcaps.schemas import DeadLetter, Duplicate, Track, TrackMetadata, to_dict
from fgmcaps.schemas.ids import split_of, track_id_of_digest

ARTIST = "artist:"


@dataclass(frozen=True, slots=True)
class Plan:
    """Tracks after dedup, sorted by id, and ``letters`` for files that cannot be read.

    ``files`` = tracks + duplicates + letters. ``related``: how many tracks share a stretch of sound with another track.
    """

    files: int
    tracks: tuple[Track, ...]
    letters: tuple[DeadLetter, ...]
    duplicates: tuple[Duplicate, ...] = ()
    related: int = 0

    @property
    def corpus(self) -> str:
        """Fingerprint of what the rows take from the plan (ids, names, metadata, splits), not of where files lie."""
        tracks = [(t.track_id, t.source, t.source_path, t.split, to_dict(t.metadata)) for t in self.tracks]
        letters = [(x.track_id, x.source_path, x.message) for x in self.letters]
        return fingerprint(files=self.files, duplicates=len(self.duplicates), tracks=tracks, letters=letters)


def make_plan(found: Sequence[KnownSound | Unread], source: str, config: BuildConfig, limit: int | None = None) -> Plan:
    """Make files that hold one recording one track, and give every track its split.

    ``limit`` keeps the first tracks by ``source_path``. Raises FgmcapsError when given splits would leak.
    """
    known = [item for item in found if isinstance(item, KnownSound)]
    unread = sorted((item for item in found if isinstance(item, Unread)), key=lambda item: item.file.source_path)
    grouped = find_recordings(known, compare_sound=config.duplicates == "sound")
    recordings = grouped.recordings[:limit]
    related = [pair for pair in grouped.related if max(pair) < len(recordings)]
    splits = _splits(recordings, related, config)
    tracks = [_track(r, split, source, config) for r, split in zip(recordings, splits, strict=True)]
    duplicates = [item for recording in recordings for item in recording.duplicates()]
    return Plan(
        files=len(tracks) + len(duplicates) + len(unread),
        tracks=tuple(sorted(tracks, key=lambda track: track.track_id)),
        letters=tuple(_unreadable(item) for item in unread),
        duplicates=tuple(sorted(duplicates, key=lambda item: item.source_path)),
        related=len({number for pair in related for number in pair}),
    )


def _track(recording: Recording, split: str, source: str, config: BuildConfig) -> Track:
    first = recording.files[0].file
    metadata = _metadata(recording, config)
    return Track(recording.track_id, first.location, source, first.source_path, first.size, split, metadata)


def _metadata(recording: Recording, config: BuildConfig) -> TrackMetadata:
    """What the source says of the first copy, then of the others, then what tags say, then the settings."""
    given = [item.file.metadata for item in recording.files]
    tags = [_tags(item, config) for item in recording.files]
    split = next((m.split for m in given if m.split is not None), None)
    told: list[TrackMetadata | Tags] = [*given, *tags]
    return replace(
        given[0],
        title=_first(m.title for m in told),
        artist=_first(m.artist for m in told),
        album=_first(m.album for m in told),
        genre=_several(m.genre for m in told),
        mood=_several(m.mood for m in given),
        licence=_first(m.licence for m in told) or config.licence,
        split=split,
        kept=next((m.kept for m in given if m.kept), ()),
    )


def _first(values: Iterable[str | None]) -> str | None:
    return next((line for value in values if value and (line := one_line(value))), None)


def _several(values: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    first = next((value for value in values if value), ())
    return tuple(dict.fromkeys(line for value in first if (line := one_line(value))))


def _tags(item: KnownSound, config: BuildConfig) -> Tags:
    return Tags() if item.identity.sound is None or config.tags == "ignore" else item.identity.sound.tags


def check_given_splits(files: Iterable[FoundFile]) -> None:
    """Raise FgmcapsError when an artist is given two splits: known before a file is read."""
    given: dict[str, FoundFile] = {}
    for file in files:
        for artist in split_artists(file.metadata.artist) if file.metadata.split is not None else ():
            _check_one_split(given.setdefault(artist, file), file, f"artist {artist!r}")


def _splits(recordings: Sequence[Recording], related: Iterable[tuple[int, int]], config: BuildConfig) -> list[str]:
    """The split of each recording: the given one of its group, else by a hash of the group's name.

    A group of one artist has the artist's name, a track alone its id, so that neither moves when others come.
    """
    groups = UnionFind(len(recordings))
    owner: dict[str, int] = {}
    for number, recording in enumerate(recordings):
        for item in recording.files:
            for name in _kin(item, config):
                other = owner.setdefault(name, number)
                groups.join(other, number)
    for first, second in related:
        groups.join(first, second)
    splits = [""] * len(recordings)
    for members in groups.groups():
        files = [item for number in members for item in recordings[number].files]
        given = [item for item in files if item.file.metadata.split is not None]
        for item in given[1:]:
            _check_one_split(given[0].file, item.file, _what_joins(given[0], item, config))
        split = given[0].file.metadata.split if given else None
        name = _group_name([recordings[number] for number in members], config)
        for number in members:
            splits[number] = split or split_of(name, config.splits, config.seed)
    return splits


def _kin(item: KnownSound, config: BuildConfig) -> Iterator[str]:
    """What a file may share with the files of other recordings."""
    tags = _tags(item, config)
    yield from (ARTIST + name for name in (*split_artists(item.file.metadata.artist), *tags.artists))
    yield from (f"artist id:{name}" for name in tags.artist_ids)
    yield from (f"recording id:{name}" for name in tags.recording_ids)


def _group_name(recordings: Sequence[Recording], config: BuildConfig) -> str:
    kin = {name for r in recordings for item in r.files for name in _kin(item, config) if name.startswith(ARTIST)}
    return min(kin) if kin else min(f"track:{r.track_id}" for r in recordings)


def _what_joins(first: KnownSound, second: KnownSound, config: BuildConfig) -> str:
    """What two files of a group have in common, for an error."""
    if first.identity.payload == second.identity.payload:
        return "one recording (these are copies of one file)"
    common = sorted(set(_kin(first, config)) & set(_kin(second, config)))
    if common:
        kind, _, name = common[0].partition(":")
        return f"{kind} {name!r}"
    return "one sound, or a chain of artists that played together,"


def _check_one_split(first: FoundFile, second: FoundFile, what: str) -> None:
    a, b = first.metadata.split, second.metadata.split
    if a != b:
        raise FgmcapsError(
            f"{what} is given two splits, which leaks: {first.source_path!r}: {a}, {second.source_path!r}: {b}; give "
            "them one split, or leave the column empty"
        )


def _unreadable(item: Unread) -> DeadLetter:
    # No bytes, so the id is made from the name; it can collide with no real track's except by a broken SHA-256.
    track_id = track_id_of_digest(hashlib.sha256(b"unreadable:" + item.file.source_path.encode()).hexdigest())
    return DeadLetter(
        track_id=track_id,
        clip_id=None,
        source_path=item.file.source_path,
        stage="read",
        kind="failed",
        reason=item.reason,
        error_type=item.error.split(":")[0],
        message=f"{item.file.source_path}: cannot be read: {item.error}",
        retryable=True,
    )
