"""The ``fgmcaps`` command. Heavy imports wait until a command needs them, so ``--help`` answers at once."""

import json
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import (
    EXIT_ENVIRONMENT,
    EXIT_INTERRUPTED,
    EXIT_INVALID,
    EXIT_USAGE,
    FgmcapsError,
    InvalidDataError,
)
from fgmcaps.pipeline.commands.evaluate_labels import evaluate_labels
from fgmcaps.pipeline.commands.export import export
from fgmcaps.pipeline.commands.hub import pull, push
from fgmcaps.pipeline.commands.import_ import import_

if TYPE_CHECKING:
    from fgmcaps.pipeline.config import Stage

EPILOG = """\b
Exit codes:
    0  done
    2  wrong command or input
    3  nothing to build
    4  missing tool, full disk or dead server (run again to continue)
    5  a dataset or caption is not valid
  130  interrupted (run again to continue)
"""


class OurGroup(click.Group):
    """Suggests the nearest command, and turns our errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of use, not of the alphabet

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            raise FgmcapsError(f"no such command: {args[0]}{did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def main(self, *args: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False
        warnings.filterwarnings("ignore")
        logging.basicConfig(level=logging.ERROR, format="%(levelname)s: %(message)s")
        for ours in ("annotators", "captioning", "pipeline"):
            logging.getLogger(ours).setLevel(logging.WARNING)
        try:
            code = super().main(*args, **extra)
        except FgmcapsError as error:
            code = fail(str(error), error.exit_code)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            hint = (
                f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
            )
            code = fail(error.format_message() + hint, EXIT_USAGE)
        except (KeyboardInterrupt, click.Abort):
            code = fail("interrupted; run the same command again to continue", EXIT_INTERRUPTED)
        except OSError as error:  # a full disk, a folder taken away
            where = f"{os.fspath(error.filename)}: " if isinstance(error.filename, str | os.PathLike) else ""
            code = fail(f"{where}{error.strerror or error}", EXIT_ENVIRONMENT)
        sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def readable(out: Path) -> Iterator[None]:
    """Turn what is wrong with the dataset that a command reads into one line."""
    from fgmcaps.pipeline.dataset.manifest import ManifestError
    from fgmcaps.pipeline.dataset.read import ShardError

    try:
        yield
    except (ManifestError, ShardError) as error:
        raise InvalidDataError(str(error)) from None


class Choice(click.Choice[str]):
    """A choice whose error names the nearest one."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        return super().get_invalid_choice_message(value, ctx) + did_you_mean(str(value), map(str, self.choices))


def fail(message: str, code: int) -> int:
    """One line on standard error."""
    click.echo(f"fgmcaps: {' '.join(message.split())}", err=True)
    return code


@click.group(cls=OurGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fgmcaps")
def main() -> None:
    """Build FGMCaps datasets: a folder of music in; Parquet shards of 10 s clips with tempo, meter, key, chords and a
    checked caption out.

    \b
      fgmcaps build music/ out/         annotate, caption, write; again: continue
      fgmcaps annotate-file song.mp3    what the annotators say of one file
      fgmcaps validate out/             check a finished dataset end to end
    """


class ClipCount(click.ParamType[Any]):
    """``K``, a number from 1, or ``all``."""

    name = "K|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Literal["all"]:
        if value == "all":
            return "all"
        if not re.fullmatch(r"0*[1-9][0-9]{0,8}", str(value)):
            self.fail(f"{value!r} is no number of clips; give 1 or more, or all", param, ctx)
        return int(value)


PROFILES = ["best", "fast", "paper", "permissive"]
STYLES = ["objective", "short", "keywords", "casual"]
BEAM_SETTINGS = {"ignore_unknown_options": True, "allow_extra_args": True}


def build_options(command: Any) -> Any:
    """Options shared by ``build``, ``annotate`` and ``caption``."""
    options = [
        click.option("--profile", type=Choice(PROFILES), help="Tools and fusion: best "
                     "(default), fast (half the time), paper (the published recipe; needs `make omnizart`), "
                     "permissive (no NC, no AGPL)."),
        click.option("--clips-per-track", type=ClipCount(), metavar="K|all",
                     help="K loudest 10 s clips of a track (default 1), or all."),
        click.option("--captioner", type=Choice(["template", "openai"]), help="Who writes captions "
                     "(default template: a grammar, no model)."),
        click.option("--base-url", "base_urls", multiple=True, envvar="FGMCAPS_BASE_URL", metavar="URL",
                     help="OpenAI-compatible server, e.g. http://host:8000/v1; may be repeated (or FGMCAPS_BASE_URL)."),
        click.option("--model", envvar="FGMCAPS_MODEL", help="Model that the server serves (or FGMCAPS_MODEL)."),
        click.option("--api-key", envvar=["FGMCAPS_API_KEY", "OPENAI_API_KEY"], metavar="KEY",
                     help="Key of the server; better in FGMCAPS_API_KEY. Never written anywhere."),
        click.option("--serve", metavar="MODEL", help="Start vLLM with this model for the captions, and stop it after "
                     "(needs `make vllm`)."),
        click.option("--caption-style", type=Choice(STYLES), help="Style of the caption column."),
        click.option("--audio", type=Choice(["embed", "path", "none"]), help="Audio column: embedded FLAC "
                     "(default), the file's path, or nothing."),
        click.option("--source", metavar="NAME", help="Name of the corpus in the rows (default: the input's name)."),
        click.option("--licence", metavar="NAME", help="Licence of tracks whose metadata names none."),
        click.option("--seed", type=int, help="Seed of splits and of the template's choices (default 0)."),
        click.option("--rows-per-shard", type=click.IntRange(1), metavar="N",
                     help="Rows of a Parquet shard (default 1000)."),
        click.option("--config", "config_file", type=click.Path(path_type=Path, dir_okay=False),
                     help="YAML file with any of these settings and more (docs/guide.md); options win over it."),
        click.option("--workers", type=click.IntRange(1), metavar="N", default=os.cpu_count() or 1, show_default=True,
                     help="Worker processes of the local runner."),
        click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N tracks by name."),
        click.option("--runner", default="local", show_default=True, metavar="NAME",
                     help="local, or a Beam runner (FlinkRunner, SparkRunner, DataflowRunner); give its options too."),
        click.option("--replace", is_flag=True, help="Let OUT, built from other input or settings, become this build."),
        click.option("--retry-failed", is_flag=True, help="Try clips again that failed before."),
        click.option("--quiet", "-q", is_flag=True, help="No progress, no summary."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    command = click.argument("out", type=click.Path(path_type=Path))(command)
    return click.argument("input_", metavar="INPUT")(command)


def _build(
    ctx: click.Context,
    input_: str,
    out: Path,
    given: dict[str, Any],
    first: "Stage" = "annotate",
    last: "Stage" = "write",
) -> None:
    from fgmcaps.pipeline.config import load_config

    _check_arguments(ctx, input_, out)
    run = {k: given.pop(k) for k in ("workers", "limit", "runner", "replace", "retry_failed", "quiet")}
    config_file = given.pop("config_file")
    run["only_rejected"], run["dry_run"] = given.pop("only_rejected", False), given.pop("dry_run", False)
    llm = {k: given.pop(k) for k in ("base_urls", "model", "serve")}
    if key := given.pop("api_key"):
        os.environ["FGMCAPS_API_KEY"] = key  # the one way to the workers that leaves no trace on disk
    config = load_config(config_file, {k: v for k, v in given.items() if v is not None}, llm)
    from fgmcaps.pipeline.build.command import (
        run_build,  # imports all of Beam, so it follows what can be refused without
    )

    run_build(input_, out, config, first=first, last=last, beam_args=tuple(ctx.args), **run)


def _check_arguments(ctx: click.Context, input_: str, out: Path) -> None:
    """Refuse options that nobody knows and arguments that belong to no option; click hands on both for Beam."""
    words = [input_, str(out), *ctx.args]  # an option before INPUT has taken INPUT's place
    if any(word.startswith("-") for word in words):
        from fgmcaps.pipeline.build.runner import check_beam_args

        ours = [name for parameter in ctx.command.params for name in parameter.opts]
        check_beam_args(words, ours)
    if input_.startswith("-") or str(out).startswith("-"):
        raise FgmcapsError("give INPUT and OUT before the options of Beam")
    for before, word in pairwise(words[1:]):
        if not word.startswith("--") and (not before.startswith("--") or "=" in before):
            kind = "no such option:" if word.startswith("-") else "unexpected argument"
            raise FgmcapsError(f"{kind} {word!r}; quote names with spaces")


@main.command(context_settings=BEAM_SETTINGS, short_help="A folder of music in, a captioned dataset out.")
@build_options
@click.pass_context
def build(ctx: click.Context, /, input_: str, out: Path, **given: Any) -> None:
    """Annotate, caption and write the music of INPUT into the dataset OUT.

    INPUT is a folder of audio, a manifest (CSV, JSONL or Parquet with a `path` column and any of title, artist, album,
    genre, mood, licence, split), or a Hugging Face dataset with an Audio column (user/name, a folder, a file).

    Run again after an interruption, a crash or new files, it does only what is missing. Options that this help does not
    name go to Beam's runner.
    """
    _build(ctx, input_, out, given)


@main.command(context_settings=BEAM_SETTINGS, short_help="The first half of build: annotations only.")
@build_options
@click.pass_context
def annotate(ctx: click.Context, /, input_: str, out: Path, **given: Any) -> None:
    """The first half of `build`: annotate the clips of INPUT into OUT's journal (CPU fleet)."""
    _build(ctx, input_, out, given, last="annotate")


@main.command(context_settings=BEAM_SETTINGS, short_help="The second half: captions and shards.")
@build_options
@click.option("--only-rejected", is_flag=True, help="Ask the LLM again for rows that fell back to the template.")
@click.option("--dry-run", is_flag=True, help="Print the prompts of ten clips and ask nothing.")
@click.pass_context
def caption(ctx: click.Context, /, input_: str, out: Path, **given: Any) -> None:
    """The second half of `build`: caption what `annotate` journaled in OUT, and write the dataset."""
    _build(ctx, input_, out, given, first="caption")


@main.command("annotate-file", short_help="Print what the annotators say of one file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", type=Choice(PROFILES), default="best", show_default=True, help="Tools and fusion.")
@click.option("--clips", "clips_per_track", type=ClipCount(), default=1, show_default=True, metavar="K|all",
              help="Clips of the file.")  # fmt: skip
@click.option("--format", "form", type=Choice(["table", "json", "jams"]), default="table", show_default=True,
              help="A table for people, JSON lines, or JAMS.")  # fmt: skip
def annotate_file(file: Path, profile: str, clips_per_track: int | Literal["all"], form: str) -> None:
    """Annotate one audio FILE and print what was found, as a table, JSON lines or JAMS."""
    from rich.console import Console

    from fgmcaps.pipeline.labels.annotate_file import annotate_path, show

    show(annotate_path(file, profile, clips_per_track), form, Console(markup=False))


@main.command(short_help="Check a dataset end to end.")
@click.argument("out", metavar="OUT|hf://USER/NAME[@REVISION]")
@click.option("--audio-every", type=click.IntRange(1), default=1, show_default=True, metavar="N",
              help="Decode the audio of every N-th row only.")  # fmt: skip
def validate(out: str, audio_every: int) -> None:
    """Check the dataset OUT: schema, ids, ranges, chords, captions against facts, splits, counts, checksums, audio.

    A published one (hf://user/name) is brought into a temporary folder first.
    """
    from fgmcaps.pipeline.hub.pull import local_copy
    from fgmcaps.pipeline.validation.validate import summary, validate

    notes: list[str] = []
    with local_copy(out) as folder:
        problems = validate(folder, audio_every=audio_every, notes=notes)
    for problem in problems[:100]:
        click.echo(str(problem))
    if problems:
        rules = ", ".join(f"{n} x {rule}" for rule, n in summary(problems).items())
        raise SystemExit(fail(f"{out} is not valid: {rules}", EXIT_INVALID))
    click.echo("; ".join([f"{out} is valid", *notes]))


@main.command(short_help="Write a page to look at and listen to.")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--sample", type=click.IntRange(0), default=12, show_default=True, help="Clips to show and play.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
def report(out: Path, sample: int, seed: int) -> None:
    """Write OUT/report.html: histograms, coverage, and clips to hear with beats and chords over the waveform."""
    from fgmcaps.pipeline.report import write_report

    with readable(out):
        click.echo(write_report(out, sample=sample, seed=seed))


@main.command(short_help="Print a dataset's statistics.")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def stats(out: Path, as_json: bool) -> None:
    """Print the statistics of the dataset OUT: rows, coverage, histograms, failures."""
    from fgmcaps.pipeline.dataset.stats import collect_stats
    from fgmcaps.schemas import to_dict

    with readable(out):
        data = to_dict(collect_stats(out))
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False))
    else:
        from rich.console import Console

        from fgmcaps.pipeline.build.command import print_stats

        print_stats(data, Console(markup=False))


@main.command("check-captions", short_help="Check captions against facts.")
@click.argument("file", type=click.File("r", encoding="utf-8"))
def check_captions(file: Any) -> None:
    """Check captions against facts: FILE has one {"facts": {...}, "caption": "..."} a line; prints one verdict a line.

    Exit code 5 if a line is not valid; rejected captions are an answer, not an error.
    """
    from fgmcaps.captioning.checker.check_file import check_lines

    bad = 0
    for verdict in check_lines(file):
        bad += "error" in verdict
        click.echo(json.dumps(verdict, ensure_ascii=False))
    if bad:
        raise SystemExit(fail(f"{file.name}: {bad} lines could not be checked", EXIT_INVALID))


main.add_command(push)
main.add_command(pull)
main.add_command(export)
main.add_command(import_)
main.add_command(evaluate_labels)


if __name__ == "__main__":
    main()
