"""The ``calibrate`` command."""

from pathlib import Path
from typing import Literal

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.options import PROFILES, ClipCount


@click.command("calibrate", short_help="Make the probabilities true on your own music, from labels you know.")
@click.argument("where", metavar="AUDIO_WITH_JAMS|mirdata:NAME")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.json")
@click.option("--profile", type=Choice(PROFILES), default="best", show_default=True, help="Tools and fusion.")
@click.option("--estimates", type=click.Path(path_type=Path, file_okay=False), default=Path("label-evaluation"),
              show_default=True, help="Folder that keeps what the tools estimate, to go on from; that of "
              "evaluate-labels serves.")  # fmt: skip
@click.option("--jams", type=click.Path(path_type=Path), help="Folder of the JAMS files, if not beside the audio.")
@click.option("--data-home", type=click.Path(path_type=Path), help="Where mirdata keeps the dataset.")
@click.option("--clips-per-track", type=ClipCount(), default=1, show_default=True, metavar="K|all",
              help="K loudest 10 s clips of a track, or all.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that annotate.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N tracks by name.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def calibrate(
    where: str,
    out: Path,
    profile: str,
    estimates: Path,
    jams: Path | None,
    data_home: Path | None,
    clips_per_track: int | Literal["all"],
    workers: int,
    limit: int | None,
    quiet: bool,
) -> None:
    """Fit, from music whose truth you know, curves that make the probabilities of labels true on music of its kind.

    AUDIO_WITH_JAMS is as for evaluate-labels; fifty tracks are enough to matter, and fewer change less. A curve that is
    no better on tracks that it has not seen is left out. OUT.json goes to --calibration of build, refilter and
    annotate-file; its curves are part of the settings, and so of the fingerprint of what is built with it.
    """
    from rich.table import Table

    from fgmcaps.annotators import load_profile
    from fgmcaps.common.console import SafeConsole
    from fgmcaps.common.progress import Progress
    from fgmcaps.pipeline.labels.calibrate import calibrate as fit
    from fgmcaps.pipeline.labels.calibrate import calibration_lines, write_calibration
    from fgmcaps.pipeline.labels.corpus import open_truth
    from fgmcaps.pipeline.labels.evaluate import estimate_tracks, with_truth

    chosen = load_profile(profile)
    notes: list[str] = []
    tracks = open_truth(where, jams=jams, data_home=data_home, notes=notes)[:limit]
    with Progress(quiet=quiet) as progress:
        for note in notes:
            progress.say(note)
        estimated = estimate_tracks(
            tracks,
            chosen,
            estimates,
            clips_per_track=clips_per_track,
            workers=workers,
            progress=lambda done, total: progress.show("Annotating", done, total, "tracks"),
        )
    found = fit(with_truth(tracks, estimated), chosen)
    write_calibration(out, found, chosen)
    head, *lines = calibration_lines(found)
    table = Table(box=None, pad_edge=False)
    for name in head:
        table.add_column(name)
    for line in lines:
        table.add_row(*line)
    SafeConsole().print(table)
    echo(f"{out}: curves of {', '.join(found.used) or 'nothing'}; give it to --calibration")
