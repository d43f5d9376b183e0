"""What the journals say: which tracks are finished, which clips have labels, captions or a dead letter."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fgmcaps.pipeline.stages.journal import Entry, Record, scan, write_segment
from fgmcaps.schemas import DeadLetter, Track


@dataclass(slots=True)
class AnnotationState:
    """Latest entry a clip and a track; only of the tracks that were asked for."""

    annotations: dict[str, Entry] = field(default_factory=dict)
    letters: dict[str, Entry] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    by_track: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def is_finished(self, track_id: str) -> bool:
        """True when as many outcomes are journaled as the track has clips."""
        return track_id in self.outcomes and len(self.by_track[track_id]) >= self.outcomes[track_id]

    def finished_keys(self, track_id: str) -> frozenset[str]:
        """Clip ids of the track that need no more work."""
        return frozenset(self.by_track[track_id])

    def read_letters(self) -> list[DeadLetter]:
        """The dead letters, in the order of their keys."""
        return [self.letters[key].read(DeadLetter) for key in sorted(self.letters)]


def read_annotations(folder: Path, tracks: Iterable[Track]) -> AnnotationState:
    """Scan an annotation journal. A later record of a clip replaces an earlier one; labels win over a dead letter; a
    ``retry`` record forgets the failures before it."""
    state, wanted = AnnotationState(), {t.track_id for t in tracks}
    for entry in scan(folder):
        track_id = entry.key[:16]
        if track_id not in wanted:
            continue
        match entry.kind:
            case "annotation":
                state.annotations[entry.key] = entry
                state.letters.pop(entry.key, None)
                state.by_track[track_id].add(entry.key)
            case "dead":
                if entry.key not in state.annotations:
                    state.letters[entry.key] = entry
                    state.by_track[track_id].add(entry.key)
            case "track":
                state.outcomes[track_id] = entry.note
            case "retry":
                for key in [k for k in state.by_track[track_id] if k in state.letters]:
                    if state.letters[key].note[0] == "failed":
                        del state.letters[key]
                        state.by_track[track_id].discard(key)
                state.outcomes.pop(track_id, None)
            case _:
                pass
    return state


def any_failed(state: AnnotationState) -> bool:
    """True if some clip or track failed (and was not merely filtered)."""
    return any(entry.note[0] == "failed" for entry in state.letters.values())


def forget_failures(folder: Path, state: AnnotationState) -> int:
    """Journal that the tracks with a failed clip are to be tried again; returns how many tracks."""
    tracks = sorted({key[:16] for key, entry in state.letters.items() if entry.note[0] == "failed"})
    if tracks:
        write_segment(folder, [Record("retry", track_id, {}) for track_id in tracks])
    return len(tracks)


def read_captions(folder: Path) -> dict[str, Entry]:
    """Latest caption a clip; its ``note`` is the key of the facts it was written from."""
    return {entry.key: entry for entry in scan(folder) if entry.kind == "caption"}
