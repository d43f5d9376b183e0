"""Labels of clips that the whole of their track was heard for, from a journal of clips alone. No decoding, no tools."""

from collections.abc import Iterable, Iterator

from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.pipeline.build.journal_state import AnnotationState
from fgmcaps.pipeline.stages.journal import ContextLabels, clips_key
from fgmcaps.pipeline.stages.label import judged_together


def labels_in_context(
    state: AnnotationState, track_ids: Iterable[str], settings: FusionSettings
) -> Iterator[ContextLabels]:
    """Labels of all clips of each finished track with two labelled clips or more, unless the journal has them."""
    for track_id in track_ids:
        entries = state.with_labels(track_id)
        if not state.is_finished(track_id) or len(entries) < 2 or all(entry.context for entry in entries):
            continue
        annotations = [entry.read_alone() for entry in entries]
        key = clips_key(entry.clip_id for entry in entries)
        for annotation in judged_together(annotations, settings):
            yield ContextLabels(annotation.clip.clip_id, key, annotation.labels)
