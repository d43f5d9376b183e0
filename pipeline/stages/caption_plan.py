"""Which clips need a caption: those whose facts have none yet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.pipeline.stages.journal import AnnotationEntry, CaptionEntry
from fgmcaps.schemas import TrackMetadata


@dataclass(frozen=True, slots=True)
class CaptionTask:
    """One clip to caption: its annotation by reference, its metadata as this build knows it."""

    annotation: AnnotationEntry
    metadata: TrackMetadata
    facts_key: str


def caption_key(labels_key: str, metadata: TrackMetadata) -> str:
    """Changes with any fact of a clip, so that a caption is never used for other facts."""
    return fingerprint(labels=labels_key, genre=metadata.genre, mood=metadata.mood)[:16]


def plan_captions(
    annotations: Iterable[AnnotationEntry],
    captions: Mapping[str, CaptionEntry],
    metadata: Mapping[str, TrackMetadata],
    rejected_again: bool = False,
) -> list[CaptionTask]:
    """Tasks in the order of clip ids; ``metadata`` is by track id, ``captions`` by clip id.

    ``rejected_again``: also those whose caption the template wrote.
    """
    tasks = []
    for entry in sorted(annotations, key=lambda entry: entry.clip_id):
        of_track, written = metadata[entry.track_id], captions.get(entry.clip_id)
        key = caption_key(entry.facts_key, of_track)
        again = rejected_again and written is not None and written.source == "template"
        if written is None or written.facts_key != key or again:
            tasks.append(CaptionTask(entry, of_track, key))
    return tasks
