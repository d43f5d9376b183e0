"""One build from the plan to the manifest. Runs in the job process; everything it finishes is on disk, so that a
build that was killed goes on where it stopped."""

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import soundfile
import soxr

from fgmcaps.annotators import Profile, load_profile
from fgmcaps.annotators.fusion.fusion_model import filter_table
from fgmcaps.captioning.prompts.prompting import load_prompt, prompt_text
from fgmcaps.common.errors import FgmcapsError, MachineError, NothingToDoError
from fgmcaps.common.files import write_atomically
from fgmcaps.pipeline import dag
from fgmcaps.pipeline.build.output_folder import OutputFolder
from fgmcaps.pipeline.build.plan import Plan
from fgmcaps.pipeline.build.reuse_estimates import journals_of, mark_estimates, take_over
from fgmcaps.pipeline.build.runner import LOCAL, run_graph
from fgmcaps.pipeline.build.state import AnnotationState, read_annotations, read_captions
from fgmcaps.pipeline.build.status import Status
from fgmcaps.pipeline.config import BuildConfig, Stage, fingerprint
from fgmcaps.pipeline.dataset.card import CARD_NAME, card_text, split_sizes
from fgmcaps.pipeline.dataset.failures import write_failures
from fgmcaps.pipeline.dataset.manifest import MANIFEST_NAME, is_complete, read_manifest, write_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.dataset.stats import stats_of_rows
from fgmcaps.pipeline.stages.annotate import TrackTask
from fgmcaps.pipeline.stages.caption import CaptionNote, CaptionTask, caption_key
from fgmcaps.pipeline.stages.caption_engines import engine_identity, served, styles_of
from fgmcaps.pipeline.stages.task_queue import TaskQueue
from fgmcaps.pipeline.stages.write import RowRef, ShardReceipt, ShardTask, find_written, plan_shards, staging
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION, Caption, Counts, DeadLetter, Manifest, ToolInfo

log = logging.getLogger(__name__)
BATCH = 256
# Below this many items a pool of worker processes costs more (about 3 s) than it saves.
MIN_CAPTIONS_FOR_PROCESSES = 20_000
MIN_SHARD_ROWS_FOR_PROCESSES = 200


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """All that the job process needs: where, what, how far, and how to run."""

    out: Path
    plan: Plan
    config: BuildConfig
    first: Stage = "annotate"
    last: Stage = "write"
    workers: int = 1
    runner: str = LOCAL
    beam_args: tuple[str, ...] = ()
    poison: frozenset[str] = frozenset()
    only_rejected: bool = False
    """Ask the LLM again for rows whose caption the template had to write."""


class Build:
    """A build of one plan with one configuration into one folder."""

    def __init__(self, spec: BuildSpec) -> None:
        self.spec, self.config, self.folder = spec, spec.config, OutputFolder(spec.out)
        self.profile: Profile = load_profile(self.config.profile)
        if self.config.profile_overrides:
            self.profile = self.profile.with_overrides(self.config.profile_overrides)
        self.labels_fingerprint = self.config.annotate_fingerprint(self.profile.fingerprint, decoder_version())
        self.captions_fingerprint = self.config.caption_fingerprint(engine_identity(self.config))
        self.annotations = self.folder.annotations(self.labels_fingerprint)
        self.captions = self.folder.captions(self.captions_fingerprint)
        self.status = Status(self.folder.work)

    @property
    def fingerprint(self) -> str:
        """What the dataset is made from and with; equal fingerprints give equal shards."""
        return fingerprint(
            labels=self.labels_fingerprint,
            captions=self.captions_fingerprint,
            corpus=self.spec.plan.corpus,
            config=self.config.public(),
            tools=[(t.name, t.version) for t in self.tools],
        )

    @property
    def tools(self) -> tuple[ToolInfo, ...]:
        """Tools that touch the labels."""
        return self.profile.tools

    def is_done(self) -> bool:
        """True when the folder holds exactly this dataset already."""
        return is_complete(self.spec.out) and read_manifest(self.spec.out).fingerprint == self.fingerprint

    def state(self) -> AnnotationState:
        """What the annotation journal holds of this plan."""
        return read_annotations(self.annotations, self.spec.plan.tracks)

    def run(self) -> None:
        """Annotate, caption, write, from ``spec.first`` to ``spec.last``. Raises FgmcapsError and its kinds."""
        steps = (("annotate", self.annotate), ("caption", self.caption), ("write", self.write))
        names = [name for name, _ in steps]
        for name, step in steps[names.index(self.spec.first) : names.index(self.spec.last) + 1]:
            log.info("stage %s", name)
            step()
        self.status.stage("done")

    def annotate(self) -> None:
        """Bring every planned track to its end: labels or a dead letter for every clip."""
        tasks = self._unfinished(self._with_old_estimates(self.state()))
        self.status.stage("annotate", total=len(self.spec.plan.tracks))
        in_flight, before = self.folder.work / "workers", len(tasks) + 1
        while tasks and len(tasks) < before:  # more than once only if the tickets of a queue ran out
            before, dealt = len(tasks), self._dealt(tasks)
            self._run(
                lambda p, dealt=dealt: dag.annotate(  # type: ignore[misc]
                    p, dealt, self.profile, self.config, self.annotations, in_flight
                ),
                processes=True,
            )
            tasks = self._unfinished(self.state())

    def _unfinished(self, state: AnnotationState) -> list[TrackTask]:
        """Tracks that are not at their end, what takes longest to decode first, so that the workers end together."""
        tasks = (
            TrackTask(track, state.finished_keys(track.track_id), self.spec.poison)
            for track in self.spec.plan.tracks
            if not state.is_finished(track.track_id)
        )
        return sorted(tasks, key=lambda task: (-task.track.size, task.track.track_id))

    def _dealt(self, tasks: list[TrackTask]) -> list[TrackTask] | TaskQueue:
        """Local workers take tracks from one queue; others may share no locks, and retry what they were given."""
        if self.spec.runner != LOCAL:
            return tasks
        return TaskQueue.create(self.folder.work / "tasks.jsonl", tasks, self.spec.workers)

    def _with_old_estimates(self, state: AnnotationState) -> AnnotationState:
        """The state after taking over what journals of the same tools hold."""
        decoder = decoder_version()
        estimates = self.config.annotate_fingerprint(self.profile.estimates_fingerprint, decoder)
        mark_estimates(self.annotations, estimates)
        for old in journals_of(self.annotations.parent, estimates):
            unfinished = [t for t in self.spec.plan.tracks if not state.is_finished(t.track_id)]
            if unfinished and old != self.annotations:
                clips = take_over(state, old, self.annotations, unfinished, self.profile.fusion)
                log.info("%d clips fused anew from the estimates in %s", clips, old.name)
                state = self.state()
        return state

    def caption(self) -> None:
        """Write a caption for every annotated clip whose facts have none yet."""
        state, captions = self.state(), read_captions(self.captions)
        left = [t.source_path for t in self.spec.plan.tracks if not state.is_finished(t.track_id)]
        if left:
            raise FgmcapsError(
                f"{len(left)} tracks are not annotated yet ({left[0]!r}, ...); run `fgmcaps annotate` with the same "
                "arguments first, or `fgmcaps build`"
            )
        tracks = {t.track_id: t for t in self.spec.plan.tracks}
        notes = {clip_id: CaptionNote.of(entry) for clip_id, entry in captions.items()}
        round_ = 1 + max((n.round for n in notes.values()), default=-1) if self.spec.only_rejected else 0
        tasks = []
        for clip_id in sorted(state.annotations):
            entry = state.annotations[clip_id]
            metadata = tracks[clip_id[:16]].metadata
            key, note = caption_key(entry.note, metadata), notes.get(clip_id)
            again = self.spec.only_rejected and note is not None and note.source == "template"
            if note is None or note.key != key or again:
                tasks.append(CaptionTask(entry, metadata, key))
        self.status.stage("caption", total=len(state.annotations), done=len(state.annotations) - len(tasks))
        if tasks:
            batches = [tuple(tasks[i : i + BATCH]) for i in range(0, len(tasks), BATCH)]
            cache = self.folder.work / "answers"
            with served(self.config, self.folder.work / "vllm.log", log.warning) as config:
                self._run(
                    lambda p: dag.caption(p, batches, config, self.captions, cache, round_),
                    processes=len(tasks) >= MIN_CAPTIONS_FOR_PROCESSES,
                )

    def write(self) -> None:
        """Write the shards, then publish them with failures, card and, last, the manifest."""
        if self.is_done() and not self.spec.only_rejected:
            return
        state, captions = self.state(), read_captions(self.captions)
        rows = []
        for track in self.spec.plan.tracks:
            for clip_id in state.by_track[track.track_id]:
                if clip_id in state.annotations:
                    rows.append(RowRef(clip_id, track, state.annotations[clip_id], captions[clip_id]))
        letters = [*self.spec.plan.letters, *state.read_letters()]
        if not rows:
            write_failures(self.spec.out, letters)
            raise NothingToDoError(f"no clip became a row: {_reasons(letters)}; see {self.spec.out / 'failures'}")
        tasks = plan_shards(rows, self.config, self.labels_fingerprint, self.captions_fingerprint, self.tools)
        self.status.stage("write", total=len(tasks))
        missing = [t for t in tasks if find_written(self.folder.work, self.spec.out, t) is None]
        if missing:
            big = sum(len(t.rows) for t in missing) >= MIN_SHARD_ROWS_FOR_PROCESSES and len(missing) > 1
            self._run(
                lambda p: dag.write(p, missing, self.folder.work, self.spec.out, self.config, self.tools),
                processes=big,
            )
        self._publish([_written(self.folder.work, self.spec.out, t) for t in tasks], letters, rows)

    def _publish(
        self, written: Sequence[tuple[ShardReceipt, Path]], letters: list[DeadLetter], rows: Sequence[RowRef]
    ) -> None:
        """Swap the new files in. Readers trust the manifest: it goes first and comes last."""
        out = self.spec.out
        (out / MANIFEST_NAME).unlink(missing_ok=True)
        keep = {out / receipt.shard.path for receipt, _ in written}
        for old in (out / "data").glob("*"):
            if old not in keep:
                old.unlink()
        for receipt, path in written:
            target = out / receipt.shard.path
            if path != target:
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
        letters = [*letters, *(letter for receipt, _ in written for letter in receipt.letters)]
        shards = tuple(receipt.shard for receipt, _ in written)
        manifest = Manifest(
            FGMCAPS_SCHEMA_VERSION,
            self.fingerprint,
            {
                **self.config.public(),
                "profile_settings": self.profile.settings.model_dump(mode="json"),
                **self._filter(),
                **self._captioning(rows),
            },
            self._counts(sum(s.rows for s in shards), letters),
            shards,
            self.tools,
        )
        write_failures(out, letters)
        stats = stats_of_rows(manifest, (row for _, row in iter_rows(out, manifest)))
        first = next((row for _, row in iter_rows(out, manifest)), None)
        card = card_text(manifest, stats, split_sizes(out, manifest), first)
        write_atomically(out / CARD_NAME, card.encode("utf-8"))
        write_manifest(out, manifest)
        shutil.rmtree(staging(self.folder.work), ignore_errors=True)

    def _filter(self) -> dict[str, Any]:
        """What the confidence filter asked of the labels, where their confidences are probabilities."""
        table = filter_table(self.profile.fusion)
        return {"label_filter": table} if table else {}

    def _captioning(self, rows: Sequence[RowRef]) -> dict[str, Any]:
        """Prompts and the reasons of rejected answers, where an LLM wrote captions."""
        if self.config.captioner == "template":
            return {}
        rejected = Counter(verdict.rule for row in rows for verdict in row.caption.read(Caption).rejected)
        prompts = {load_prompt(style).version: prompt_text(style) for style in styles_of(self.config)}
        return {"captioning": {"prompts": prompts, "rejected": dict(rejected.most_common())}}

    def _counts(self, rows: int, letters: Sequence[DeadLetter]) -> Counts:
        plan = self.spec.plan
        reasons = {kind: Counter(x.reason for x in letters if x.kind == kind) for kind in ("failed", "filtered")}
        failed, filtered = (sum(reasons[kind].values()) for kind in ("failed", "filtered"))
        return Counts(
            files=plan.files,
            duplicates=plan.duplicates,
            tracks=len(plan.tracks) + len(plan.letters),
            clips_found=rows + failed + filtered,
            rows=rows,
            failed=failed,
            filtered=filtered,
            failed_by_reason=dict(sorted(reasons["failed"].items())),
            filtered_by_reason=dict(sorted(reasons["filtered"].items())),
        )

    def _run(self, graph: Callable[[beam.Pipeline], None], processes: bool) -> None:
        spec = self.spec
        self.status.timings(run_graph(graph, spec.runner, spec.workers, spec.beam_args, processes))


def decoder_version() -> str:
    """What the samples depend on. ffmpeg is left out: it reads only what libsndfile cannot."""
    return f"libsndfile {soundfile.__libsndfile_version__}, soxr {soxr.__version__}"


def _written(work: Path, out: Path, task: ShardTask) -> tuple[ShardReceipt, Path]:
    found = find_written(work, out, task)
    if found is None:
        raise MachineError(f"a shard is not there after writing it; is {out} being changed by another program?")
    return found


def _reasons(letters: Sequence[DeadLetter]) -> str:
    counts = Counter(f"{x.kind}: {x.reason}" for x in letters)
    return ", ".join(f"{n} x {reason}" for reason, n in counts.most_common(4)) or "the input gave no clip"
