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
    captions: Mapping[tuple[str, str], CaptionEntry],
    metadata: Mapping[str, TrackMetadata],
    rejected_again: bool = False,
) -> list[CaptionTask]:
    """Tasks in the order of clip ids; ``metadata`` is by track id, ``captions`` by clip id and key of the facts.

    ``rejected_again``: also those whose caption the template wrote.
    """
    tasks = []
    for entry in sorted(annotations, key=lambda entry: entry.clip_id):
        of_track = metadata[entry.track_id]
        key = caption_key(entry.facts_key, of_track)
        written = captions.get((entry.clip_id, key))
        if written is None or (rejected_again and written.source == "template"):
            tasks.append(CaptionTask(entry, of_track, key))
    return tasks
