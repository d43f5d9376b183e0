"""``figma push``: publish a trained model."""

from pathlib import Path

import click

from fgmcaps.common.terminal import echo


@click.command("push", short_help="Publish a trained model on the Hugging Face Hub.")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.argument("repository", metavar="USER/MODEL")
@click.option("--private", is_flag=True, help="Create the repository as a private one.")
@click.option("--revision", metavar="BRANCH", help="Branch to publish on (default: main); created where missing.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def push(out: Path, repository: str, private: bool, revision: str | None, dry_run: bool, quiet: bool) -> None:
    """Publish the trained model OUT as USER/MODEL in one commit: weights, configuration, card, metrics, evaluation.

    Run again, it sends only what differs; unchanged, it does nothing. Log in with `hf auth login` or HF_TOKEN.
    """
    from fgmcaps.common.progress import Progress
    from fgmcaps.training.model.hub import push_model

    with Progress(quiet=quiet) as progress:
        done = push_model(
            out, repository, private=private, revision=revision, dry_run=dry_run,
            sending=lambda files, size: progress.say(f"Sending {files} files, {size / 2**20:.1f} MiB"),
        )  # fmt: skip
    if dry_run:
        for name in done.files:
            echo(f"send       {(out / name).stat().st_size:>14,} bytes  {name}")
        echo(f"would send {len(done.files)} files to {done.url}, licence {done.licence}")
    elif done.commit is None:
        echo(f"{done.url} holds this model already: nothing to do")
    else:
        echo(f"sent {len(done.files)} files to {done.url} (commit {done.commit[:12]}), licence {done.licence}")
