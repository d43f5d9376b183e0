"""What the commands do, once their arguments are known: plan, watch, summarise."""

import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from fgmcaps.annotators import load_profile
from fgmcaps.captioning.prompts.prompting import load_prompt
from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.common.progress import Progress
from fgmcaps.pipeline.build.build import Build, BuildSpec
from fgmcaps.pipeline.build.output_folder import OutputFolder
from fgmcaps.pipeline.build.plan import check_given_splits, make_plan
from fgmcaps.pipeline.build.progress import BuildProgress
from fgmcaps.pipeline.build.runner import check_runner
from fgmcaps.pipeline.build.state import any_failed, forget_failures
from fgmcaps.pipeline.build.supervise import supervise
from fgmcaps.pipeline.config import BuildConfig, Stage
from fgmcaps.pipeline.dataset.failures import FAILURES_FOLDER
from fgmcaps.pipeline.dataset.manifest import MANIFEST_NAME, read_manifest
from fgmcaps.pipeline.report import write_report
from fgmcaps.pipeline.sources import open_source
from fgmcaps.pipeline.sources.inventory import take_inventory
from fgmcaps.pipeline.stages.caption_engines import styles_of
from fgmcaps.schemas import Annotation, Manifest, facts_of

REPORT = "report.html"


def run_build(
    input_: str,
    out: Path,
    config: BuildConfig,
    *,
    first: Stage = "annotate",
    last: Stage = "write",
    workers: int,
    limit: int | None,
    runner: str,
    replace: bool,
    retry_failed: bool,
    quiet: bool,
    only_rejected: bool = False,
    dry_run: bool = False,
    beam_args: tuple[str, ...] = (),
) -> None:
    """Build INPUT into OUT, from stage ``first`` to ``last``. Raises FgmcapsError and its kinds."""
    started = time.monotonic()
    console = Console(stderr=True, quiet=quiet, markup=False)  # names and captions hold brackets
    check_runner(runner)
    check_profile(config)
    source = open_source(input_, exclude=out)
    files = list(source.files())
    check_given_splits(files)
    folder = OutputFolder(out)
    folder.prepare()
    identity = {"input": source.identity, "config": config.public()}
    with folder.locked():
        folder.claim(identity, replace)
        if not quiet:
            console.print(f"Reading {len(files)} files of {input_}", highlight=False, soft_wrap=True)
        hashed = take_inventory(files, folder.inventory_file, lambda: None, limit)
        plan = make_plan(hashed, config.source or source.name, config, limit)
        spec = BuildSpec(out, plan, config, first, last, workers, runner, beam_args, only_rejected=only_rejected)
        build = Build(spec)
        if dry_run:
            print_prompts(build, Console(markup=False))
            return
        if retry_failed and any_failed(state := build.state()):
            # The manifest goes first: a kill in between must not leave a dataset that looks complete.
            (out / MANIFEST_NAME).unlink(missing_ok=True)
            forget_failures(build.annotations, state)
        if last == "write" and build.is_done() and not only_rejected:
            if not (out / REPORT).exists():
                write_report(out)
            console.print(f"Nothing to do: {out} is complete ({read_manifest(out).counts.rows} rows).", highlight=False)
            return
        missing = build.profile.missing()
        if missing:
            raise MachineError(f"profile {config.profile!r} cannot run here: {'; '.join(missing)}")
        build.status.reset()
        with Progress(console=console, quiet=quiet) as progress:
            bar = BuildProgress(folder.work, build.annotations, build.captions, progress)
            supervise(build.spec, bar.tick)
            bar.tick(force=True)
        if last != "write":
            state = build.state()
            console.print(
                f"Annotated {len(state.annotations)} clips, {len(state.letters)} without labels, "
                f"in {time.monotonic() - started:.0f} s; `fgmcaps caption` with the same arguments goes on."
            )
            return
        write_report(out)
        if not quiet:
            print_summary(out, build, time.monotonic() - started, Console(markup=False))


def print_prompts(build: Build, console: Console, clips: int = 10) -> None:
    """The prompts of the first annotated clips, in every style, as the server would get them."""
    tracks = {t.track_id: t for t in build.spec.plan.tracks}
    annotations = build.state().annotations
    if not annotations:
        raise FgmcapsError("nothing is annotated yet; run `fgmcaps annotate` with the same arguments first")
    for clip_id in sorted(annotations)[:clips]:
        facts = facts_of(annotations[clip_id].read(Annotation).labels, tracks[clip_id[:16]].metadata)
        for style in styles_of(build.config):
            prompt = load_prompt(style)
            console.rule(f"{clip_id}, {prompt.version}")
            for message in prompt.messages(facts):
                console.out(f"[{message['role']}]\n{message['content']}", highlight=False)


def check_profile(config: BuildConfig) -> None:
    """Raise FgmcapsError for settings in ``profile_overrides`` that the profile does not know or take."""
    try:
        load_profile(config.profile).with_overrides(config.profile_overrides)
    except ValueError as error:  # ProfileError, or what a tool says of its options
        raise FgmcapsError(f"setting 'profile_overrides': {error}") from None


def print_summary(out: Path, build: Build, seconds: float, console: Console) -> None:
    """Counts, time by stage, where things are, and one row."""
    manifest: Manifest = read_manifest(out)
    counts = manifest.counts
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("files", f"{counts.files} ({counts.duplicates} duplicates)")
    table.add_row("clips in", str(counts.clips_found))
    table.add_row("kept", str(counts.rows))
    table.add_row("filtered", _reasons(counts.filtered, counts.filtered_by_reason))
    table.add_row("failed", _reasons(counts.failed, counts.failed_by_reason))
    table.add_row("seconds", f"{seconds:.1f}")
    for stage, t in build.status.read_timings().items():
        table.add_row(f"  {stage}", f"{t['seconds'] / t['count']:.3f} s a clip (x {t['count']:.0f})")
    table.add_row("dataset", str(out))
    table.add_row("report", str(out / REPORT))
    if counts.failed or counts.filtered:
        table.add_row("failures", str(out / FAILURES_FOLDER))
    console.print(table, highlight=False)
    row = sample_row(out, manifest)
    if row is not None:
        console.print("\nOne row:")
        sample = Table(show_header=False, box=None, pad_edge=False)
        for name, value in row.items():
            sample.add_row(f"  {name}", value)
        console.print(sample, highlight=False)


def _reasons(total: int, by_reason: dict[str, int]) -> str:
    detail = ", ".join(f"{n} {reason}" for reason, n in by_reason.items())
    return f"{total} ({detail})" if detail else str(total)


SAMPLE_COLUMNS = ("id", "source_path", "caption", "tempo_bpm", "time_signature", "key", "chord_summary", "qc_flags")
SAMPLE_SHARDS = 3  # one of each split, where each has one


def sample_row(out: Path, manifest: Manifest) -> dict[str, str] | None:
    """The row with the fewest withheld values among the first hundred of the first shards: in a small set, all rows."""
    rows: list[dict[str, Any]] = []
    for shard in [shard for shard in manifest.shards if shard.rows][:SAMPLE_SHARDS]:
        with pq.ParquetFile(out / shard.path) as file:
            rows += next(file.iter_batches(100, columns=list(SAMPLE_COLUMNS))).to_pylist()
    if not rows:
        return None
    best = min(rows, key=lambda row: len(row["qc_flags"]))
    return {k: " ".join(map(str, v)) if isinstance(v, list) else str(v) for k, v in best.items()}


def print_stats(data: dict[str, Any], console: Console) -> None:
    """The statistics as a table; nested counts as their five largest."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in data.items():
        if isinstance(value, dict) and value and all(isinstance(v, int | float) for v in value.values()):
            largest = sorted(value.items(), key=lambda item: -item[1])[:6]
            text = ", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in largest)
            table.add_row(name, text + (", ..." if len(value) > len(largest) else ""))
        elif isinstance(value, str | int | float):
            table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    console.print(table, highlight=False)
