"""``fgmcaps report``."""

from pathlib import Path

import click

from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.options import DatasetFolder


@click.command("report", short_help="Write a page to look at and listen to.")
@click.argument("out", type=DatasetFolder())
@click.option("--sample", type=click.IntRange(0), default=12, show_default=True, help="Clips to show and play.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
def report(out: Path, sample: int, seed: int) -> None:
    """Write OUT/report.html: histograms, coverage, and clips to hear with beats and chords over the waveform."""
    from fgmcaps.pipeline.report import write_report

    echo(write_report(out, sample=sample, seed=seed))
