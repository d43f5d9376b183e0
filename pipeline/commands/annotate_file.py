"""``fgmcaps annotate-file``."""

from pathlib import Path
from typing import Literal

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.pipeline.commands.options import PROFILES, ClipCount


@click.command("annotate-file", short_help="What is this song? Annotate files and print the result.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--profile", type=Choice(PROFILES), default="best", show_default=True, help="Tools and fusion.")
@click.option("--clips-per-track", type=ClipCount(), default="all", show_default=True, metavar="K|all",
              help="K loudest 10 s clips of a file, or all of it.")  # fmt: skip
@click.option("--format", "form", type=Choice(["table", "json", "jams", "audacity", "lab", "beats"]), default="table",
              show_default=True, help="A table for people; a line a clip as JSON or JAMS; or of a whole file: labels "
              "for Audacity, chords as .lab, beats with their number in the bar.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--click", "clicks", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.wav",
              help="Write FILE with clicks on its beats, higher ones where bars begin.")  # fmt: skip
@click.option("--calibration", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Curves by `fgmcaps calibrate`.")  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def annotate_file(
    files: tuple[Path, ...],
    profile: str,
    clips_per_track: int | Literal["all"],
    form: str,
    as_json: bool,
    clicks: Path | None,
    calibration: Path | None,
    quiet: bool,
) -> None:
    """Say what a song is: tempo, key, meter and chords of each FILE, clip by clip and as a whole.

    Withheld values are shown in brackets with their probability. Exit code 3 if no clip of a file could be annotated.
    """
    from fgmcaps.common.console import SafeConsole
    from fgmcaps.common.errors import FgmcapsError, NothingToDoError
    from fgmcaps.common.progress import Progress
    from fgmcaps.common.terminal import echo
    from fgmcaps.pipeline.labels.annotate_file import FileAnnotator, check_file
    from fgmcaps.pipeline.labels.show_song import WHOLE_FILES, show
    from fgmcaps.pipeline.labels.song_files import write_song_with_clicks

    form = "json" if as_json else form
    for file in files:
        check_file(file)
    if len(files) > 1 and (clicks is not None or form in WHOLE_FILES):
        raise FgmcapsError(f"{'--click' if clicks else f'--format {form}'} is of one FILE; give one at a time")
    with Progress(quiet=quiet) as progress:
        annotator = FileAnnotator(
            profile, lambda done, total: progress.show("Loading", done, total, "tools"), calibration
        )  # fmt: skip
    failed: list[FgmcapsError] = []
    with annotator:
        for file in files:
            try:
                found = show(annotator.clips(file, clips_per_track), form, SafeConsole())
                if not found:
                    raise NothingToDoError(f"{file}: no clip of it could be annotated")
                if clicks is not None:
                    write_song_with_clicks(clicks, found)
                    echo(f"written: {clicks}", err=True)
            except FgmcapsError as error:
                if len(files) == 1:
                    raise
                failed.append(error)
                echo(f"not annotated: {error}", err=True)
    if failed:
        kind = type(failed[0])
        raise kind(f"{len(failed)} of {len(files)} files could not be annotated")
