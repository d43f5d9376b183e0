"""Files that hold one recording are one track: copies with other tags, in other containers, and re-encodings."""

from collections.abc import Sequence
from dataclasses import dataclass

from fgmcaps.common.union_find import UnionFind
from fgmcaps.pipeline.audio.fingerprint import FRAMES_PER_S, Fingerprint, from_bytes
from fgmcaps.pipeline.build.same_sound import Match, find_matches
from fgmcaps.pipeline.sources.inventory import Identity, KnownSound
from fgmcaps.schemas import Duplicate
from fgmcaps.schemas.ids import track_id_of_digest

# A re-encoding is as long as the recording, begins at the same time, and sounds the same over most of what is compared.
SAME_LENGTH_S = 1.0
SAME_START_S = 2.0
SHARE_OF_WHOLE = 0.75

SAME_AUDIO, SAME_SOUND = "the same audio", "the same sound"


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One sound, and the files that hold it; the first gives its name, id and bytes to the track."""

    files: tuple[KnownSound, ...]

    @property
    def name(self) -> str:
        """``source_path`` of the first file."""
        return self.files[0].file.source_path

    @property
    def track_id(self) -> str:
        """Track id of the first file."""
        return track_id_of_digest(self.files[0].identity.sha256)

    def duplicates(self) -> list[Duplicate]:
        """Every file but the first."""
        first, *others = self.files
        return [
            Duplicate(
                other.file.source_path,
                self.name,
                SAME_AUDIO if other.identity.payload == first.identity.payload else SAME_SOUND,
            )
            for other in others
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Recordings:
    """Recordings by name, and pairs of them (indices) that share a stretch of sound."""

    recordings: tuple[Recording, ...]
    related: tuple[tuple[int, int], ...]


def find_recordings(files: Sequence[KnownSound], compare_sound: bool) -> Recordings:
    """Group files into recordings. Of copies the file that was known first is the first, then the first by name."""
    ordered = sorted(files, key=lambda f: (f.identity.seen, f.file.source_path, f.file.location))
    same = UnionFind(len(ordered))
    of_payload: dict[str, int] = {}
    for number, item in enumerate(ordered):
        same.join(of_payload.setdefault(item.identity.payload, number), number)
    heads = list(of_payload.values())
    matches = find_matches([_fingerprint(ordered[n].identity) for n in heads]) if compare_sound else []
    partial = []
    for match in matches:
        first, second = heads[match.first], heads[match.second]
        if _whole(ordered[first].identity, ordered[second].identity, match):
            same.join(first, second)
        else:
            partial.append((first, second))
    groups = sorted(same.groups(), key=lambda group: ordered[group[0]].file.source_path)
    index = {number: at for at, group in enumerate(groups) for number in group}
    related = {tuple(sorted((index[a], index[b]))) for a, b in partial}
    return Recordings(
        tuple(Recording(tuple(ordered[n] for n in group)) for group in groups),
        tuple(sorted((a, b) for a, b in related if a != b)),
    )


def _fingerprint(identity: Identity) -> Fingerprint:
    return from_bytes(b"" if identity.sound is None else identity.sound.fingerprint)


def _whole(first: Identity, second: Identity, match: Match) -> bool:
    """True if one of them holds the whole of the other and nothing else."""
    a, b = first.sound, second.sound
    if a is None or b is None or a.duration_s is None or b.duration_s is None:
        return False
    shorter = min(len(_fingerprint(first)), len(_fingerprint(second)))
    return (
        abs(a.duration_s - b.duration_s) <= SAME_LENGTH_S
        and abs(match.offset) <= SAME_START_S * FRAMES_PER_S
        and match.frames >= SHARE_OF_WHOLE * (shorter - abs(match.offset))
    )
