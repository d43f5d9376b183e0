"""``figma pull``: a published model as a folder."""

from pathlib import Path

import click

from fgmcaps.common.terminal import echo


@click.command("pull", short_help="Download a published model.")
@click.argument("repository", metavar="USER/MODEL")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--revision", metavar="NAME", help="Branch, tag or commit (default: main).")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def pull(repository: str, out: Path, revision: str | None, quiet: bool) -> None:
    """Download the published model USER/MODEL into the folder OUT, which is then a MODEL for the other commands.

    They take USER/MODEL itself, too; a folder stays what it is. Run again, it fetches only what is missing or differs.
    """
    from fgmcaps.common.progress import Progress
    from fgmcaps.training.model.hub import pull_model

    with Progress(quiet=quiet) as progress:
        done = pull_model(
            repository, out, revision=revision, report=lambda n, total: progress.show("Fetching", n, total, "files")
        )  # fmt: skip
    if done.files:
        echo(f"{out}: commit {done.commit[:12]}, {len(done.files)} files, licence {done.licence}")
    else:
        echo(f"{out} holds this model already: nothing to do")
