"""New labels from old estimates: a changed filter or fusion needs no decoding and no annotator.

A journal says beside its segments (``estimates.txt``) which tools with which settings its estimates came from. When a
build starts a journal for other fusion settings, it takes over what the journals of the same tools hold: estimates are
fused anew, clips that the gate turned away stay so. Failed clips are not taken over; they are tried again.
"""

from collections.abc import Iterator
from pathlib import Path

from fgmcaps.annotators.fusion import fuse
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.common.files import write_atomically
from fgmcaps.pipeline.build.state import AnnotationState, read_annotations
from fgmcaps.pipeline.stages.annotate import record_of
from fgmcaps.pipeline.stages.journal import Record, write_segment
from fgmcaps.schemas import Annotation, DeadLetter, Track

ESTIMATES = "estimates.txt"
_SEGMENT_RECORDS = 256


def mark_estimates(journal: Path, fingerprint: str) -> None:
    """Note in ``journal`` which tools its estimates come from."""
    path = journal / ESTIMATES
    if not path.is_file():
        journal.mkdir(parents=True, exist_ok=True)
        write_atomically(path, f"{fingerprint}\n".encode())


def journals_of(folder: Path, fingerprint: str) -> list[Path]:
    """Journals in ``folder`` whose estimates come from the tools of ``fingerprint``."""
    marks = sorted(folder.glob(f"*/{ESTIMATES}"))
    return [mark.parent for mark in marks if mark.read_text(encoding="utf-8").strip() == fingerprint]


def take_over(state: AnnotationState, old: Path, journal: Path, tracks: list[Track], settings: FusionSettings) -> int:
    """Copy what ``state`` (of ``journal``) lacks from the journal ``old``, fused with ``settings``; returns clips."""
    clips, batch = 0, []
    for record in _records(state, read_annotations(old, tracks), tracks, settings):
        clips += record.kind != "track"
        batch.append(record)
        if len(batch) == _SEGMENT_RECORDS:
            write_segment(journal, batch)
            batch = []
    if batch:
        write_segment(journal, batch)
    return clips


def _records(
    state: AnnotationState, old: AnnotationState, tracks: list[Track], settings: FusionSettings
) -> Iterator[Record]:
    for track_id in (t.track_id for t in tracks if not state.is_finished(t.track_id)):
        have = state.by_track[track_id]
        for clip_id in sorted(old.by_track[track_id] - have):
            if clip_id in old.annotations:
                annotation = old.annotations[clip_id].read(Annotation)
                labels = fuse(annotation.estimates, settings)
                yield record_of(Annotation(annotation.clip, labels, annotation.estimates))
            elif (entry := old.letters[clip_id]).note[0] == "filtered":
                yield record_of(entry.read(DeadLetter))
        if track_id in old.outcomes:
            yield Record("track", track_id, {}, old.outcomes[track_id])
