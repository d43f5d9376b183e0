"""The ``calibrate`` command."""

from pathlib import Path
from typing import Any

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.options import PROFILES
from fgmcaps.pipeline.commands.truth_options import truth_options


@click.command("calibrate", short_help="Make the probabilities true on your own music.")
@click.argument("where", metavar="AUDIO_WITH_JAMS|mirdata:NAME|DATASET")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.json")
@click.option("--profile", type=Choice(PROFILES), default="best", show_default=True, help="Tools and fusion.")
@click.option("--estimates", type=click.Path(path_type=Path, file_okay=False), default=Path("label-evaluation"),
              show_default=True, help="Folder that keeps what the tools estimate, to go on from; that of "
              "evaluate-labels serves.")  # fmt: skip
@truth_options
def calibrate(where: str, out: Path, profile: str, estimates: Path, **given: Any) -> None:
    """Fit, from music whose truth you know, curves that make the probabilities of labels true on music of its kind.

    AUDIO_WITH_JAMS is as for evaluate-labels; fifty tracks are enough to matter, and fewer change less. A curve that is
    no better on tracks that it has not seen is left out. OUT.json goes to --calibration of build, refilter and
    annotate-file; its curves are part of the settings, and so of the fingerprint of what is built with it.

    DATASET is a folder that was built: without any truth, how common each meter is in it is found from its rows, where
    they are taken to be as common as in popular music (nine in ten in 4/4). Worth doing for waltzes, marches or jigs.
    """
    from rich.table import Table

    from fgmcaps.annotators import load_profile
    from fgmcaps.common.console import SafeConsole
    from fgmcaps.pipeline.dataset.manifest import MANIFEST_NAME
    from fgmcaps.pipeline.labels.annotated_truth import annotated_truth
    from fgmcaps.pipeline.labels.calibrate import calibrate as fit
    from fgmcaps.pipeline.labels.calibrate import calibration_lines, write_calibration

    if (Path(where) / MANIFEST_NAME).is_file():
        from fgmcaps.pipeline.labels.dataset_meters import dataset_meters, meter_lines

        for text in meter_lines(dataset_meters(Path(where), out)):
            echo(text)
        echo(f"{out}: shares of meters; give it to --calibration, of refilter for this dataset")
        return
    chosen = load_profile(profile)
    found = fit(annotated_truth(where, chosen, estimates, **given).pairs, chosen)
    write_calibration(out, found, chosen)
    head, *lines = calibration_lines(found)
    table = Table(box=None, pad_edge=False)
    for name in head:
        table.add_column(name)
    for line in lines:
        table.add_row(*line)
    SafeConsole().print(table)
    echo(f"{out}: curves of {', '.join(found.used) or 'nothing'}; give it to --calibration")
