"""``fgmcaps push`` and ``fgmcaps pull``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.options import DatasetFolder

if TYPE_CHECKING:
    from fgmcaps.pipeline.hub.progress import TransferProgress
    from fgmcaps.pipeline.hub.push import PushResult

LISTED = 40


@click.command(short_help="Publish a dataset on the Hugging Face Hub.")
@click.argument("out", type=DatasetFolder())
@click.argument("repository", metavar="USER/NAME")
@click.option("--private", is_flag=True, help="Create the repository as a private one.")
@click.option("--revision", metavar="BRANCH", help="Branch to publish on (default: main); created where missing.")
@click.option(
    "--config-name",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Name of the configuration with audio; the one without is always `metadata`.",
)
@click.option(
    "--audio",
    type=Choice(["embed", "none"]),
    help="With embedded audio, or without any (default: with, if the dataset embeds it).",
)
@click.option(
    "--assume-licence",
    "assumed_licence",
    metavar="NAME",
    help="You state that rows without a known licence, or with all rights reserved, may be published under "
    "NAME; the card says so.",
)
@click.option("--min-facts", type=click.IntRange(0, 6), default=1, show_default=True, metavar="N",
              help="Leave out clips whose captions state fewer of tempo, meter, key, chords, genre and mood; 0 keeps "
              "captions such as \"A clip of music.\"")  # fmt: skip
@click.option("--replace", is_flag=True, help="Let a repository with other content become this dataset.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def push(out: Path, repository: str, dry_run: bool, quiet: bool, **settings: Any) -> None:  # fmt: skip
    """Publish the finished dataset OUT as the Hugging Face dataset USER/NAME, whole or not at all.

    Audio leaves only where the licence of its row allows it (docs/publishing.md has the table). Run again after a
    failure, it sends only what is missing; unchanged, it does nothing. Log in with `hf auth login` or HF_TOKEN.
    """
    from fgmcaps.pipeline.hub.push import push_dataset

    with _progress(quiet) as progress:
        result = push_dataset(out, repository, dry_run=dry_run, progress=progress, **settings)
    for line in describe_push(result):
        echo(line)


@click.command(short_help="Download a published dataset.")
@click.argument("repository", metavar="USER/NAME")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--revision", metavar="NAME", help="Branch, tag or commit (default: main).")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def pull(repository: str, out: Path, revision: str | None, quiet: bool) -> None:
    """Download the published dataset USER/NAME into the folder OUT, every file checked.

    Run again after an interruption, it fetches only what is missing.
    """
    from fgmcaps.pipeline.hub.pull import pull_dataset

    with _progress(quiet) as progress:
        result = pull_dataset(repository, out, revision=revision, progress=progress)
    echo(f"{out}: commit {result.commit[:12]}, {len(result.fetched)} files fetched, {len(result.kept)} were there")


def describe_push(result: "PushResult") -> Iterator[str]:
    """The lines that a push prints: what was, or with ``--dry-run`` would be, sent and deleted."""
    plan, publication = result.plan, result.publication
    if result.dry_run:
        for file in plan.send[:LISTED]:
            yield f"send       {file.published.bytes:>14,} bytes  {file.published.path}"
        if len(plan.send) > LISTED:
            yield f"send       {len(plan.send) - LISTED} more files"
        yield from (f"delete     {path}" for path in plan.delete[:LISTED])
        if len(plan.delete) > LISTED:
            yield f"delete     {len(plan.delete) - LISTED} more files"
    withheld = sum(publication.withheld.values())
    yield (
        f"{publication.rows:,} clips, {publication.audio_rows:,} with audio"
        + (f", {withheld:,} whose licence keeps the audio back" if withheld else "")
        + f"; {len(plan.unchanged)} files unchanged"
    )
    if result.left_out:
        yield f"{result.left_out:,} clips stay behind: their captions state too little (--min-facts)"
    if plan.empty:
        yield f"{result.url} holds this dataset already: nothing to do"
    elif result.dry_run:
        yield f"would send {len(plan.send)} files, {plan.bytes:,} bytes, to {result.url}"
    else:
        yield f"sent {len(plan.send)} files, {plan.bytes:,} bytes, to {result.url} (commit {str(result.commit)[:12]})"


@contextmanager
def _progress(quiet: bool) -> "Iterator[TransferProgress]":
    from fgmcaps.common.progress import Progress
    from fgmcaps.pipeline.hub.progress import ShownTransfer

    with Progress(quiet=quiet) as progress:
        yield ShownTransfer(progress)
