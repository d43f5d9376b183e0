"""``fgmcaps build``, ``annotate`` and ``caption`` once their arguments are known: plan, run the job, summarise."""

import time
from pathlib import Path

from fgmcaps.annotators import load_profile
from fgmcaps.common.console import SafeConsole
from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.common.progress import Progress
from fgmcaps.pipeline.build.build import Build
from fgmcaps.pipeline.build.forget import forget_changed, forget_failed
from fgmcaps.pipeline.build.output_folder import BuildIdentity, OutputFolder
from fgmcaps.pipeline.build.progress import BuildProgress
from fgmcaps.pipeline.build.prompts import print_prompts
from fgmcaps.pipeline.build.runner_check import LOCAL, check_runner
from fgmcaps.pipeline.build.spec import BuildSpec
from fgmcaps.pipeline.build.summary import print_summary
from fgmcaps.pipeline.build.supervise import supervise
from fgmcaps.pipeline.build.track_plan import check_given_splits, make_plan
from fgmcaps.pipeline.config import BuildConfig, Stage
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.report import REPORT_NAME, write_report
from fgmcaps.pipeline.sources import SourceOptions, open_source
from fgmcaps.pipeline.sources.inventory import take_inventory


def run_build(
    input_: str,
    out: Path,
    config: BuildConfig,
    *,
    first: Stage = "annotate",
    last: Stage = "write",
    workers: int = 1,
    limit: int | None = None,
    runner: str = LOCAL,
    replace: bool = False,
    retry_failed: bool = False,
    quiet: bool = False,
    only_rejected: bool = False,
    dry_run: bool = False,
    beam_args: tuple[str, ...] = (),
) -> None:
    """Build INPUT into OUT, from stage ``first`` to ``last``. Raises FgmcapsError and its kinds."""
    started = time.monotonic()
    console = SafeConsole(stderr=True, quiet=quiet)  # names and captions hold brackets
    check_runner(runner)
    check_profile(config)
    options = SourceOptions(config.split_map, config.audio_column, config.dataset_config, config.keep_columns)
    source = open_source(input_, exclude=out, options=options)
    files = list(source.files())
    for note in source.notes:
        console.print(note, soft_wrap=True)
    check_given_splits(files)
    folder = OutputFolder(out)
    if dry_run and not folder.work.is_dir():
        raise FgmcapsError(f"nothing is annotated in {out} yet; run `fgmcaps annotate` with the same arguments first")
    folder.prepare()
    identity = BuildIdentity(source.identity, config.public())
    with folder.locked():
        if not dry_run:  # it shows what another captioner would be asked, and OUT stays what it is
            folder.claim(identity, replace)

        def plan_build() -> Build:
            with Progress(console=console, quiet=quiet) as progress:
                found = take_inventory(
                    files,
                    folder.inventory_file,
                    lambda done, total, _: progress.show("Reading", done, total, "files"),
                    limit,
                )
            plan = make_plan(found, config.source or source.name, config, limit)
            if plan.related:
                console.print(f"{plan.related} tracks share a stretch of sound with another one, and so its split")
            return Build(
                BuildSpec(out, plan, config, first, last, workers, runner, beam_args, only_rejected=only_rejected)
            )

        build = plan_build()
        if forget_changed(build):
            build = plan_build()
        if dry_run:
            print_prompts(build, SafeConsole())
            return
        if retry_failed:
            forget_failed(build)
        if last == "write" and build.is_done() and not only_rejected:
            if not (out / REPORT_NAME).exists():
                write_report(out)
            console.print(f"Nothing to do: {out} is complete ({read_manifest(out).counts.rows} rows).")
            return
        missing = build.profile.missing()
        if missing:
            raise MachineError(f"profile {config.profile!r} cannot run here: {'; '.join(missing)}")
        build.stage_file.reset()
        with Progress(console=console, quiet=quiet) as progress:
            bar = BuildProgress(folder.work, build.annotations, build.captions, progress)
            supervise(build.spec, bar.tick)
            bar.finish()
        if last != "write":
            state = build.annotation_state()
            console.print(
                f"Annotated {len(state.annotations)} clips, {len(state.letters)} without labels, "
                f"in {time.monotonic() - started:.0f} s; `fgmcaps caption` with the same arguments goes on."
            )
            return
        write_report(out)
        if not quiet:
            print_summary(out, build.stage_file.read_timings(), time.monotonic() - started, SafeConsole())


def check_profile(config: BuildConfig) -> None:
    """Raise FgmcapsError for ``profile_overrides`` that the profile does not have or whose values do not fit."""
    try:
        load_profile(config.profile).with_overrides(config.profile_overrides)
    except ValueError as error:  # ProfileError, or a tool's own complaint about its options
        raise FgmcapsError(f"setting 'profile_overrides': {error}") from None
