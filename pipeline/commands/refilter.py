"""``fgmcaps refilter``."""

from pathlib import Path

import click

from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.options import DatasetFolder


@click.command("refilter", short_help="Keep more labels or surer ones, from the shards alone.")
@click.argument("out", type=DatasetFolder())
@click.option("--precision", "pairs", multiple=True, metavar="ATTRIBUTE=SHARE", help="Share of kept labels that are to "
              "be right, of tempo, meter, downbeats, key, chords or all, e.g. key=0.8; may be repeated, or several "
              "parted by blanks. Without it, say what other filters would keep.")  # fmt: skip
@click.option("--calibration", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Curves by `fgmcaps calibrate` that make the probabilities true on your music.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be kept, and change nothing.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def refilter(out: Path, pairs: tuple[str, ...], calibration: Path | None, dry_run: bool, quiet: bool) -> None:
    """Put the labels of the dataset OUT through another confidence filter, and let captions, card and manifest follow.

    Nothing is decoded or annotated, and it works on a pulled dataset, too. A caption whose facts change is written anew
    by the template; the others stay. OUT holds the old version or the new one at every moment.

    \b
      fgmcaps refilter out/                         what other filters keep
      fgmcaps refilter out/ --precision key=0.8     more keys, fewer right
      fgmcaps refilter out/ --precision all=0.98    fewer labels, surer ones
    """
    from fgmcaps.common.progress import Progress
    from fgmcaps.pipeline.labels.coverage_report import print_coverage
    from fgmcaps.pipeline.labels.refilter import precision_of
    from fgmcaps.pipeline.labels.refilter import refilter as run

    precision = precision_of(pairs)
    if dry_run or not (precision or calibration):
        print_coverage(out, precision, calibration)
        return
    with Progress(quiet=quiet) as progress:
        done = run(
            out, precision, calibration, progress=lambda rows, total: progress.show("Filtering", rows, total, "rows")
        )  # fmt: skip
    asked = ", ".join(f"{name} {value:g}" for name, value in done.precision.items())
    echo(f"{out}: labels of {done.changed} of {done.rows} clips changed (precision: {asked})")
    if done.llm_captions_replaced:
        echo(
            f"{done.llm_captions_replaced} captions that an LLM wrote no longer fit and are the template's now; "
            "`fgmcaps build` with these settings asks the LLM"
        )
