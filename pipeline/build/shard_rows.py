"""What the journals hold for the shards: rows by reference, and the letters of what did not become a row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fgmcaps.common.errors import MachineError, NothingToDoError
from fgmcaps.pipeline.build.build import Build
from fgmcaps.pipeline.dataset.failures import FAILURES_FOLDER, write_failures
from fgmcaps.pipeline.dataset.manifest import MANIFEST_NAME
from fgmcaps.pipeline.stages.caption_plan import caption_key
from fgmcaps.pipeline.stages.journal import AnnotationEntry, CaptionEntry
from fgmcaps.pipeline.stages.shard_plan import RowRef, ShardTask, WrittenShard, find_written
from fgmcaps.schemas import DeadLetter, Track


@dataclass(frozen=True, slots=True)
class FoundRows:
    """Rows in the order of the plan, and every dead letter of plan and journal."""

    rows: tuple[RowRef, ...]
    letters: tuple[DeadLetter, ...]


def find_rows(build: Build) -> FoundRows:
    """Rows and letters of a build whose clips are annotated and captioned.

    Raises NothingToDoError if no clip became a row, after writing the letters to disk.
    """
    state, captions = build.annotation_state(), build.caption_state()
    rows = tuple(
        RowRef(clip_id, track, state.annotations[clip_id], _caption_of(captions, state.annotations[clip_id], track))
        for track in build.spec.plan.tracks
        for clip_id in state.by_track[track.track_id]
        if clip_id in state.annotations
    )
    letters = (*build.spec.plan.letters, *state.read_letters())
    if not rows:
        out = build.spec.out
        # Beside a published dataset, these letters would contradict its manifest.
        folder = build.folder.work if (out / MANIFEST_NAME).exists() else out
        write_failures(folder, letters)
        raise NothingToDoError(f"no clip became a row: {_reasons(letters)}; see {folder / FAILURES_FOLDER}")
    return FoundRows(rows, letters)


def _caption_of(captions: Mapping[tuple[str, str], CaptionEntry], entry: AnnotationEntry, track: Track) -> CaptionEntry:
    """The caption of the clip's facts as they are now. Raises MachineError where there is none."""
    found = captions.get((entry.clip_id, caption_key(entry.facts_key, track.metadata)))
    if found is None:
        raise MachineError(f"the clip {entry.clip_id} has no caption for its facts; run `fgmcaps build` again")
    return found


def written(build: Build, task: ShardTask) -> WrittenShard:
    """The shard of a task that was written. Raises MachineError where it is gone."""
    found = find_written(build.folder.work, build.spec.out, task)
    if found is None:
        raise MachineError(
            f"a shard is missing after it was written; is another program changing {build.spec.out}? Run again"
        )
    return found


def _reasons(letters: Sequence[DeadLetter]) -> str:
    counts = Counter(f"{x.kind}: {x.reason}" for x in letters)
    return ", ".join(f"{n} x {reason}" for reason, n in counts.most_common(4)) or "the input has no clips"
