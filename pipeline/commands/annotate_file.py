"""``fgmcaps annotate-file``."""

from pathlib import Path
from typing import Literal

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.pipeline.commands.options import PROFILES, ClipCount


@click.command("annotate-file", short_help="Annotate one file and print the result.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", type=Choice(PROFILES), default="best", show_default=True, help="Tools and fusion.")
@click.option("--clips", "clips_per_track", type=ClipCount(), default=1, show_default=True, metavar="K|all",
              help="Clips of the file.")  # fmt: skip
@click.option("--format", "form", type=Choice(["table", "json", "jams"]), default="table", show_default=True,
              help="A table for people, JSON lines, or JAMS.")  # fmt: skip
def annotate_file(file: Path, profile: str, clips_per_track: int | Literal["all"], form: str) -> None:
    """Annotate one audio FILE and print the result as a table, JSON lines or JAMS."""
    from fgmcaps.common.console import SafeConsole
    from fgmcaps.pipeline.labels.annotate_file import annotate_path, show

    show(annotate_path(file, profile, clips_per_track), form, SafeConsole())
