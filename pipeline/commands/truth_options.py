"""Options of the commands that read music whose truth is known."""

from pathlib import Path
from typing import Any

import click

from fgmcaps.pipeline.commands.options import ClipCount


def truth_options(command: Any) -> Any:
    """Where the truth is, which clips of it, and how they are annotated."""
    options = [
        click.option("--jams", type=click.Path(path_type=Path), help="Folder of the JAMS files, if not beside the "
                     "audio."),
        click.option("--data-home", type=click.Path(path_type=Path), help="Where mirdata keeps the dataset."),
        click.option("--clips-per-track", type=ClipCount(), default=1, show_default=True, metavar="K|all",
                     help="K loudest 10 s clips of a track, or all."),
        click.option("--workers", type=click.IntRange(1), default=1, show_default=True,
                     help="Processes that annotate."),
        click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N tracks by name."),
        click.option("--quiet", "-q", is_flag=True, help="No progress."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command
