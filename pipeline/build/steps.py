"""The steps of a build, in the job process: annotate, caption, write. Everything that one finishes is on disk, so that
a build that was killed goes on where it stopped."""

import logging
from collections.abc import Callable
from itertools import islice

import apache_beam as beam

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline import dag
from fgmcaps.pipeline.build.build import Build
from fgmcaps.pipeline.build.journal_state import AnnotationState
from fgmcaps.pipeline.build.publish import publish
from fgmcaps.pipeline.build.reuse_estimates import journals_with_estimates, mark_estimates, reuse_estimates
from fgmcaps.pipeline.build.runner import run_graph
from fgmcaps.pipeline.build.runner_check import LOCAL
from fgmcaps.pipeline.build.shard_rows import find_rows, written
from fgmcaps.pipeline.build.track_labels import labels_in_context
from fgmcaps.pipeline.stages.caption_engines import with_server
from fgmcaps.pipeline.stages.caption_plan import plan_captions
from fgmcaps.pipeline.stages.cut import TrackTask
from fgmcaps.pipeline.stages.journal import write_results
from fgmcaps.pipeline.stages.shard_plan import find_written, plan_shards
from fgmcaps.pipeline.stages.task_queue import TaskQueue

log = logging.getLogger(__name__)
BATCH = 256
# Below this many items a pool of worker processes costs more (about 3 s) than it saves.
MIN_CAPTIONS_FOR_PROCESSES = 20_000
MIN_SHARD_ROWS_FOR_PROCESSES = 200


def run_steps(build: Build) -> None:
    """All steps from the first to the last that are asked for. Raises FgmcapsError and its kinds."""
    steps = (("annotate", annotate_tracks), ("caption", caption_clips), ("write", write_dataset))
    names = [name for name, _ in steps]
    for name, step in steps[names.index(build.spec.first) : names.index(build.spec.last) + 1]:
        log.info("stage %s", name)
        step(build)
    build.stage_file.begin("done")


def annotate_tracks(build: Build) -> None:
    """Finish every planned track: labels or a dead letter for every clip."""
    tasks = _unfinished(build, _with_old_estimates(build, build.annotation_state()))
    build.stage_file.begin("annotate", total=len(build.spec.plan.tracks))
    in_flight, before = build.folder.work / "workers", len(tasks) + 1
    while tasks and len(tasks) < before:  # more than once only if a queue ran out of tickets
        before, dealt = len(tasks), _dealt(build, tasks)
        _run(
            build,
            lambda p, dealt=dealt: dag.annotation_graph(  # type: ignore[misc]
                p, dealt, build.profile, build.config, build.annotations, in_flight
            ),
            processes=True,
        )
        tasks = _unfinished(build, build.annotation_state())
    judge_tracks(build)


def judge_tracks(build: Build) -> None:
    """Labels in the context of their track for every clip of a finished track that has none yet."""
    settings = build.profile.fusion
    if not settings.hears_tracks:
        return
    tracks = (track.track_id for track in build.spec.plan.tracks)
    found = labels_in_context(build.annotation_state(), tracks, settings)
    while batch := list(islice(found, BATCH)):
        write_results(build.annotations, batch)


def caption_clips(build: Build) -> None:
    """Write a caption for every annotated clip whose facts have none yet."""
    judge_tracks(build)  # annotated by a job that ended before it came to this
    state, captions, only_rejected = build.annotation_state(), build.caption_state(), build.spec.only_rejected
    left = [t.source_path for t in build.spec.plan.tracks if not state.is_finished(t.track_id)]
    if left:
        raise FgmcapsError(
            f"{len(left)} tracks are not annotated yet ({left[0]!r}, ...); run `fgmcaps annotate` with the same "
            "arguments first, or `fgmcaps build`"
        )
    metadata = {t.track_id: t.metadata for t in build.spec.plan.tracks}
    tasks = plan_captions(state.annotations.values(), captions, metadata, only_rejected)
    round_ = 1 + max((entry.round for entry in captions.values()), default=-1) if only_rejected else 0
    build.stage_file.begin("caption", total=len(state.annotations), done=len(state.annotations) - len(tasks))
    if not tasks:
        return
    build.folder.mark_outdated()
    batches = [tuple(tasks[i : i + BATCH]) for i in range(0, len(tasks), BATCH)]
    cache = build.folder.work / "answers"
    with with_server(build.config, build.folder.work / "vllm.log", log.warning) as config:
        _run(
            build,
            lambda p: dag.caption_graph(p, batches, config, build.captions, cache, round_),
            processes=len(tasks) >= MIN_CAPTIONS_FOR_PROCESSES,
        )


def write_dataset(build: Build) -> None:
    """Write the shards that are missing, then publish the dataset."""
    if build.is_done():
        return
    found = find_rows(build)
    work, out = build.folder.work, build.spec.out
    tasks = plan_shards(found.rows, build.config, build.labels_fingerprint, build.captions_fingerprint, build.tools)
    build.stage_file.begin("write", total=len(tasks))
    missing = [task for task in tasks if find_written(work, out, task) is None]
    if missing:
        big = sum(len(task.rows) for task in missing) >= MIN_SHARD_ROWS_FOR_PROCESSES and len(missing) > 1
        _run(build, lambda p: dag.shard_graph(p, missing, work, out, build.config, build.tools), processes=big)
    publish(build, [written(build, task) for task in tasks], found)


def _unfinished(build: Build, state: AnnotationState) -> list[TrackTask]:
    """Unfinished tracks, those that take longest to decode first, so that the workers end together."""
    tasks = (
        TrackTask(track, state.finished_keys(track.track_id), build.spec.poison)
        for track in build.spec.plan.tracks
        if not state.is_finished(track.track_id)
    )
    return sorted(tasks, key=lambda task: (-task.track.size, task.track.track_id))


def _dealt(build: Build, tasks: list[TrackTask]) -> list[TrackTask] | TaskQueue:
    """Local workers take tracks from one queue; other runners may share no locks, and retry what they were given."""
    if build.spec.runner != LOCAL:
        return tasks
    return TaskQueue.create(build.folder.work / "tasks.jsonl", tasks, build.spec.workers)


def _with_old_estimates(build: Build, state: AnnotationState) -> AnnotationState:
    """The state after reusing what journals of the same tools hold."""
    mark_estimates(build.annotations, build.estimates_fingerprint)
    for old in journals_with_estimates(build.annotations.parent, build.estimates_fingerprint):
        unfinished = [t for t in build.spec.plan.tracks if not state.is_finished(t.track_id)]
        if unfinished and old != build.annotations:
            clips = reuse_estimates(state, old, build.annotations, unfinished, build.profile.fusion)
            log.info("%d clips fused again from the estimates in %s", clips, old.name)
            state = build.annotation_state()
    return state


def _run(build: Build, graph: Callable[[beam.Pipeline], None], processes: bool) -> None:
    spec = build.spec
    build.stage_file.add_timings(run_graph(graph, spec.runner, spec.workers, spec.beam_args, processes))
