"""What the journals hold: which tracks are finished, which clips have labels, captions or a dead letter."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from fgmcaps.pipeline.stages.journal import (
    AnnotationEntry,
    CaptionEntry,
    ContextEntry,
    LetterEntry,
    TrackDone,
    TrackRetry,
    clips_key,
    scan,
    write_results,
)
from fgmcaps.schemas import DeadLetter, Track


@dataclass(slots=True)
class AnnotationState:
    """The latest entry of each clip and track, of the tracks that were asked for.

    ``annotations`` and ``letters`` are by clip id (letters of whole tracks by track id), ``outcomes`` (how many clips a
    track has) and ``by_track`` (which of them are journaled) by track id.
    """

    annotations: dict[str, AnnotationEntry] = field(default_factory=dict)
    letters: dict[str, LetterEntry] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    by_track: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def is_finished(self, track_id: str) -> bool:
        """True when as many outcomes are journaled as the track has clips."""
        return track_id in self.outcomes and len(self.by_track[track_id]) >= self.outcomes[track_id]

    def finished_keys(self, track_id: str) -> frozenset[str]:
        """Clip ids of the track that need no more work."""
        return frozenset(self.by_track[track_id])

    def with_labels(self, track_id: str) -> list[AnnotationEntry]:
        """The clips of the track that have labels, by clip id."""
        return [self.annotations[key] for key in sorted(self.by_track[track_id]) if key in self.annotations]

    def read_letters(self) -> list[DeadLetter]:
        """The dead letters, in the order of their keys."""
        return [self.letters[key].read() for key in sorted(self.letters)]


def read_annotations(folder: Path, tracks: Iterable[Track]) -> AnnotationState:
    """Scan an annotation journal. A later entry of a clip replaces an earlier one; labels win over a dead letter; a
    retry forgets the failures before it. Labels in context count where they were made from the clips that there are."""
    state, wanted = AnnotationState(), {t.track_id for t in tracks}
    contexts: dict[str, ContextEntry] = {}
    for entry in scan(folder):
        if isinstance(entry, CaptionEntry) or entry.track_id not in wanted:
            continue
        of_track = state.by_track[entry.track_id]
        match entry:
            case AnnotationEntry():
                state.annotations[entry.clip_id] = entry
                state.letters.pop(entry.clip_id, None)
                of_track.add(entry.clip_id)
            case LetterEntry():
                if entry.key not in state.annotations:
                    state.letters[entry.key] = entry
                    of_track.add(entry.key)
            case TrackDone():
                state.outcomes[entry.track_id] = entry.outcomes
            case TrackRetry():
                for key in [k for k in of_track if k in state.letters and state.letters[k].kind == "failed"]:
                    del state.letters[key]
                    of_track.discard(key)
                state.outcomes.pop(entry.track_id, None)
            case ContextEntry():
                contexts[entry.clip_id] = entry
    for track_id in {entry.track_id for entry in contexts.values()}:
        clips = state.with_labels(track_id)
        key = clips_key(clip.clip_id for clip in clips)
        for clip in clips:
            context = contexts.get(clip.clip_id)
            if context is not None and context.clips == key:
                state.annotations[clip.clip_id] = replace(clip, facts_key=context.facts_key, context=context)
    return state


def forget_failures(folder: Path, track_ids: Iterable[str]) -> None:
    """Journal that what failed of these tracks (and was not merely filtered) is to be tried again."""
    write_results(folder, [TrackRetry(track_id) for track_id in sorted(track_ids)])


def read_captions(folder: Path) -> dict[tuple[str, str], CaptionEntry]:
    """The latest caption of each clip for each set of facts that it had, by clip id and key of the facts."""
    return {(entry.clip_id, entry.facts_key): entry for entry in scan(folder) if isinstance(entry, CaptionEntry)}
