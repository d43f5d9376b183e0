"""``fgmcaps annotate-file``."""

import itertools
from pathlib import Path
from typing import Literal

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.pipeline.commands.options import PROFILES, ClipCount


@click.command("annotate-file", short_help="Annotate one file and print the result.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", type=Choice(PROFILES), default="best", show_default=True, help="Tools and fusion.")
@click.option("--clips-per-track", type=ClipCount(), default=1, show_default=True, metavar="K|all",
              help="K loudest 10 s clips of the file, or all.")  # fmt: skip
@click.option("--format", "form", type=Choice(["table", "json", "jams"]), default="table", show_default=True,
              help="A table for people, JSON lines, or JAMS.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def annotate_file(
    file: Path, profile: str, clips_per_track: int | Literal["all"], form: str, as_json: bool, quiet: bool
) -> None:
    """Annotate one audio FILE and print the result as a table, JSON lines or JAMS.

    Exit code 3 if no clip of it could be annotated.
    """
    from fgmcaps.common.console import SafeConsole
    from fgmcaps.common.errors import NothingToDoError
    from fgmcaps.common.progress import Progress
    from fgmcaps.pipeline.labels.annotate_file import annotate_path, show

    with Progress(quiet=quiet) as progress:

        def loading(done: int, total: int) -> None:
            progress.show("Loading the annotators", done, total, "tools")

        clips = annotate_path(file, profile, clips_per_track, loading)
        first = next(clips, None)  # a bar is gone before the first line stands
    if not show(itertools.chain([first] if first else [], clips), "json" if as_json else form, SafeConsole()):
        raise NothingToDoError(f"{file}: no clip of it could be annotated")
