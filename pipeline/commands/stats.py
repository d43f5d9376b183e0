"""``fgmcaps stats``."""

import json
from pathlib import Path

import click

from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.options import DatasetFolder


@click.command("stats", short_help="Print a dataset's statistics.")
@click.argument("out", type=DatasetFolder())
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def stats(out: Path, as_json: bool) -> None:
    """Print the statistics of the dataset OUT: rows, coverage, histograms, failures."""
    from fgmcaps.pipeline.dataset.stats import collect_stats
    from fgmcaps.schemas import to_dict

    data = to_dict(collect_stats(out))
    if as_json:
        echo(json.dumps(data, ensure_ascii=False))
    else:
        from fgmcaps.common.console import SafeConsole
        from fgmcaps.pipeline.dataset.stats_table import print_stats

        print_stats(data, SafeConsole())
