"""The whole DAG on one screen: three graphs (annotate, caption, write), joined by journals on disk."""

from collections.abc import Iterable
from pathlib import Path

import apache_beam as beam
from apache_beam.pvalue import PCollection

from fgmcaps.annotators import Profile
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.stages.annotate import (
    DEAD,
    DONE,
    AnnotateClips,
    CutClips,
    FuseEstimates,
    GateClips,
    Journal,
)
from fgmcaps.pipeline.stages.caption import CaptionClips
from fgmcaps.pipeline.stages.caption_plan import CaptionTask
from fgmcaps.pipeline.stages.cut import TrackTask
from fgmcaps.pipeline.stages.shard_plan import ShardTask
from fgmcaps.pipeline.stages.task_queue import TakeTracks, TaskQueue
from fgmcaps.pipeline.stages.write import WriteShards
from fgmcaps.schemas import ToolInfo

STAGE_LABELS = {"beats": "Track beats, tempo and meter", "key": "Estimate the key", "chords": "Recognise chords"}


def annotation_graph(
    p: beam.Pipeline,
    tasks: Iterable[TrackTask] | TaskQueue,
    profile: Profile,
    config: BuildConfig,
    journal: Path,
    in_flight: Path,
) -> None:
    """Tracks -> annotations, dead letters and finished marks, all in the journal."""

    def stage(clips: PCollection, label: str, fn: beam.DoFn) -> PCollection:
        out = clips | label >> beam.ParDo(fn).with_outputs(DEAD, main="clips")
        out[DEAD] | f"Journal what failed: {label.lower()}" >> beam.ParDo(Journal(journal))
        return out.clips

    dealt = range(tasks.tickets) if isinstance(tasks, TaskQueue) else tasks
    tracks = p | "Take planned tracks" >> beam.Create(dealt) | "Spread over workers" >> beam.Reshuffle()
    if isinstance(tasks, TaskQueue):
        tracks = tracks | "Take the next track" >> beam.ParDo(TakeTracks(tasks))
    cut = tracks | "Decode and cut clips" >> beam.ParDo(CutClips(config, in_flight)).with_outputs(
        DEAD, DONE, main="clips"
    )
    clips = stage(cut.clips, "Turn away silence and noise", GateClips(profile))
    for name, tools in profile.stages:
        if tools:
            clips = stage(clips, STAGE_LABELS[name], AnnotateClips(name, tools))
    labelled = stage(clips, "Fuse and filter labels", FuseEstimates(profile))
    labelled | "Journal annotations" >> beam.ParDo(Journal(journal))
    cut[DEAD] | "Journal what failed: decode" >> beam.ParDo(Journal(journal))
    cut[DONE] | "Journal finished tracks" >> beam.ParDo(Journal(journal))


def caption_graph(
    p: beam.Pipeline,
    batches: Iterable[tuple[CaptionTask, ...]],
    config: BuildConfig,
    journal: Path,
    cache: Path,
    round_: int,
) -> None:
    """Annotations by reference -> checked captions in the journal."""
    batched = p | "Take clips without a caption" >> beam.Create(batches) | "Spread over workers" >> beam.Reshuffle()
    batched | "Write and check captions" >> beam.ParDo(CaptionClips(config, journal, cache, round_))


def shard_graph(
    p: beam.Pipeline,
    tasks: Iterable[ShardTask],
    work: Path,
    out: Path,
    config: BuildConfig,
    tools: tuple[ToolInfo, ...],
) -> None:
    """Rows by reference, grouped by shard -> Parquet shards in the staging folder, each with a receipt."""
    shards = p | "Take planned shards" >> beam.Create(tasks) | "Spread over workers" >> beam.Reshuffle()
    shards | "Write Parquet shards" >> beam.ParDo(WriteShards(work, out, config, tools))
