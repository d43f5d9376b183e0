"""New labels from old estimates: a changed filter or fusion needs no decoding and no annotator.

A journal's ``estimates.txt`` says which tools, with which settings, its estimates came from. When a
build starts a journal for other fusion settings, it reuses what the journals of the same tools hold: estimates are
fused again; clips that the gate turned away stay out. Failed clips are not reused; they are tried again.
"""

from collections.abc import Iterator
from pathlib import Path

from fgmcaps.annotators.fusion import fuse
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.common.files import write_atomically
from fgmcaps.pipeline.build.journal_state import AnnotationState, read_annotations
from fgmcaps.pipeline.stages.journal import Result, TrackDone, write_results
from fgmcaps.schemas import Annotation, Track

ESTIMATES = "estimates.txt"
_SEGMENT_RESULTS = 256


def mark_estimates(journal: Path, fingerprint: str) -> None:
    """Note in ``journal`` which tools its estimates come from."""
    path = journal / ESTIMATES
    if not path.is_file():
        journal.mkdir(parents=True, exist_ok=True)
        write_atomically(path, f"{fingerprint}\n".encode())


def journals_with_estimates(folder: Path, fingerprint: str) -> list[Path]:
    """Journals in ``folder`` whose estimates come from the tools of ``fingerprint``."""
    marks = sorted(folder.glob(f"*/{ESTIMATES}"))
    return [mark.parent for mark in marks if mark.read_text(encoding="utf-8").strip() == fingerprint]


def reuse_estimates(
    state: AnnotationState, old: Path, journal: Path, tracks: list[Track], settings: FusionSettings
) -> int:
    """Add to ``journal``, which holds ``state``, what only ``old`` has, fused with ``settings``; returns the clips."""
    clips, batch = 0, []
    for result in _reused(state, read_annotations(old, tracks), tracks, settings):
        clips += not isinstance(result, TrackDone)
        batch.append(result)
        if len(batch) == _SEGMENT_RESULTS:
            write_results(journal, batch)
            batch = []
    if batch:
        write_results(journal, batch)
    return clips


def _reused(
    state: AnnotationState, old: AnnotationState, tracks: list[Track], settings: FusionSettings
) -> Iterator[Result]:
    for track_id in (t.track_id for t in tracks if not state.is_finished(t.track_id)):
        for key in sorted(old.by_track[track_id] - state.by_track[track_id]):
            if key in old.annotations:
                annotation = old.annotations[key].read()
                labels = fuse(annotation.estimates, settings)
                yield Annotation(annotation.clip, labels, annotation.estimates)
            elif old.letters[key].kind == "filtered":
                yield old.letters[key].read()
        if track_id in old.outcomes:
            yield TrackDone(track_id, old.outcomes[track_id])
