"""``fgmcaps build`` and its two halves, ``annotate`` and ``caption``."""

import os
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from fgmcaps.common.command_group import Choice
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.commands.options import PROFILES, STYLES, ClipCount

if TYPE_CHECKING:
    from fgmcaps.pipeline.config import Stage

LLM_OPTIONS = ("base_urls", "model", "api_key", "serve", "only_rejected")
BEAM_SETTINGS = {"ignore_unknown_options": True, "allow_extra_args": True}


def build_options(command: Any) -> Any:
    """Options shared by ``build``, ``annotate`` and ``caption``."""
    options = [
        click.option("--profile", type=Choice(PROFILES), help="Tools and fusion: best "
                     "(default), fast (half the time), paper (the published recipe; needs `make omnizart`), "
                     "permissive (no NC, no AGPL)."),
        click.option("--calibration", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                     help="Curves by `fgmcaps calibrate` that make the probabilities true on your music."),
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
        click.option("--no-tags", "tags", flag_value="ignore", default=None, help="Do not read title, artist, album, "
                     "genre and licence from the files' tags; INPUT's own metadata wins over them in any case."),
        click.option("--duplicates", type=Choice(["sound", "audio"]), help="What tells copies: the decoded sound, so "
                     "that re-encodings count (default), or only equal encoded audio."),
        click.option("--split-map", multiple=True, metavar="NAME=SPLIT", help="What the corpus's split NAME is: "
                     "train, validation, test, or hash (as if no split were given); may be repeated."),
        click.option("--keep-columns", multiple=True, metavar="NAME,NAME", help="Columns of INPUT's table that go into "
                     "the rows as text, beside FGMCaps's own."),
        click.option("--audio-column", metavar="NAME", help="Column of a dataset that holds the audio, where there are "
                     "several."),
        click.option("--dataset-config", metavar="NAME", help="Configuration of a Hugging Face dataset, where there "
                     "are several."),
        click.option("--seed", type=int, help="Seed of splits and of the template's choices (default 0)."),
        click.option("--rows-per-shard", type=click.IntRange(1), metavar="N",
                     help="Rows of a Parquet shard (default 1000)."),
        click.option("--config", "config_file", type=click.Path(path_type=Path, dir_okay=False),
                     help="YAML file with any of these settings and more (docs/guide.md); options win over it."),
        click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any setting of --config, e.g. "
                     "llm.temperature=0.2 or profile_overrides.fusion.key.precision=0.9; may be repeated."),
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
    from fgmcaps.common.set_option import read_pairs
    from fgmcaps.pipeline.config import load_config

    _check_arguments(ctx, input_, out)
    llm_options = _given_llm_options(ctx)
    run = {k: given.pop(k) for k in ("workers", "limit", "runner", "replace", "retry_failed", "quiet")}
    config_file = given.pop("config_file")
    run["only_rejected"], run["dry_run"] = given.pop("only_rejected", False), given.pop("dry_run", False)
    if maps := given.pop("split_map"):
        given["split_map"] = dict(_pair(text) for text in maps)
    if kept := given.pop("keep_columns"):
        given["keep_columns"] = [name for text in kept for name in text.split(",")]
    llm = {k: given.pop(k) for k in ("base_urls", "model", "serve")}
    if key := given.pop("api_key"):
        os.environ["FGMCAPS_API_KEY"] = key  # the one way to the workers that leaves no trace on disk
    pairs, calibration = read_pairs(given.pop("pairs")), given.pop("calibration")
    config = load_config(config_file, {k: v for k, v in given.items() if v is not None}, llm, pairs)
    if calibration is not None:
        from fgmcaps.pipeline.labels.use_calibration import with_calibration

        config = with_calibration(config, calibration)
    if llm_options and config.captioner != "openai":
        raise FgmcapsError(
            f"{', '.join(llm_options)}: for captions that an LLM writes, and here the template writes them; "
            f"add --captioner openai, or leave {'it' if len(llm_options) == 1 else 'them'} out"
        )
    from fgmcaps.pipeline.build.run_build import run_build

    run_build(input_, out, config, first=first, last=last, beam_args=tuple(ctx.args), **run)


def _given_llm_options(ctx: click.Context) -> list[str]:
    """The options about the LLM that the command line names; what the environment names is for other commands too."""
    return [
        option.opts[0]
        for option in ctx.command.params
        if option.name in LLM_OPTIONS and ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]


def _pair(text: str) -> tuple[str, str]:
    name, equals, split = text.rpartition("=")
    if not (name and equals and split):
        raise FgmcapsError(f"--split-map {text!r}: give NAME=SPLIT, for instance eval=test")
    return name, split


def _check_arguments(ctx: click.Context, input_: str, out: Path) -> None:
    """Refuse options that nobody knows and arguments that belong to no option; click hands on both for Beam."""
    words = [input_, str(out), *ctx.args]  # an option before INPUT has taken INPUT's place
    if any(word.startswith("-") for word in words):
        from fgmcaps.pipeline.build.runner_check import check_beam_args

        ours = [name for parameter in ctx.command.params for name in parameter.opts]
        check_beam_args(words, ours)
    if input_.startswith("-") or str(out).startswith("-"):
        raise FgmcapsError("give INPUT and OUT before the options of Beam")
    for before, word in pairwise(words[1:]):
        if not word.startswith("--") and (not before.startswith("--") or "=" in before):
            kind = "no such option:" if word.startswith("-") else "unexpected argument"
            raise FgmcapsError(f"{kind} {word!r}; quote names with spaces")


@click.command(context_settings=BEAM_SETTINGS, short_help="A folder of music in, a captioned dataset out.")
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


@click.command(context_settings=BEAM_SETTINGS, short_help="The first half of build: annotations only.")
@build_options
@click.pass_context
def annotate(ctx: click.Context, /, input_: str, out: Path, **given: Any) -> None:
    """The first half of `build`: annotate the clips of INPUT into OUT's journal (CPU fleet)."""
    _build(ctx, input_, out, given, last="annotate")


@click.command(context_settings=BEAM_SETTINGS, short_help="The second half: captions and shards.")
@build_options
@click.option("--only-rejected", is_flag=True, help="Ask the LLM again for rows that fell back to the template.")
@click.option("--dry-run", is_flag=True, help="Print the prompts of ten clips and ask nothing.")
@click.pass_context
def caption(ctx: click.Context, /, input_: str, out: Path, **given: Any) -> None:
    """The second half of `build`: caption what `annotate` journaled in OUT, and write the dataset."""
    _build(ctx, input_, out, given, first="caption")
