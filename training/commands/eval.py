"""``figma eval``: what a model finds, with intervals, hubness, and what it makes of its captions."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.common.terminal import echo
from fgmcaps.training.commands.options import device_option
from fgmcaps.training.commands.split_name import SplitName

if TYPE_CHECKING:
    from fgmcaps.training.evaluation.report_build import EvaluationReport

PLAIN_WIDTH = 120  # where there is no terminal to ask
VIEW_NAMES = ["global", "frame", "fused"]


@click.command("eval", short_help="Recall with intervals, hubness, and what a model makes of captions.")
@click.argument("model", metavar="MODEL")
@click.argument("data", metavar="DATA")
@click.option("--split", type=SplitName(), default="test", show_default=True,
              help="Clips and captions that are ranked against each other.")  # fmt: skip
@click.option("--pool", type=click.IntRange(2), metavar="N", help="Draw N clips of the split (default: all).")
@click.option("--captions", type=Choice(["main", "all"]), default="main", show_default=True,
              help="A clip's main caption, or all of its styles.")  # fmt: skip
@click.option("--view", "views", multiple=True, type=Choice(VIEW_NAMES), help="Scores to evaluate (default all).")
@click.option("--truncation", is_flag=True, help="R@K against the first 5, 10, 15, ... tokens of the captions.")
@click.option("--perturbation", is_flag=True, help="Change one attribute of the captions: key, BPM, tempo word, beats, "
              "chords.")  # fmt: skip
@click.option("--against", metavar="MODEL", help="Another model, compared on the same clips by a paired test.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Where JSON, Markdown and pictures go (default: MODEL/evaluation, for `push`).")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Features of all of DATA, computed there if missing (default: beside MODEL).")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of --pool.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes for features.")
@device_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def evaluate(
    model: str, data: str, views: tuple[str, ...], against: str | None, out: Path | None, device: str,
    as_json: bool, quiet: bool, **given: Any,
) -> None:  # fmt: skip
    """Evaluate MODEL (a folder or user/model) on DATA (FGMCaps shards, a folder or a name on the Hub).

    Text to audio and audio to text: R@1/5/10/20 with 95 % intervals over tracks, median rank, MRR, for the global,
    frame and fused score; hubness; the size of the pool.
    """
    from fgmcaps.common.progress import Progress
    from fgmcaps.training.device import choose_device
    from fgmcaps.training.evaluation.evaluate_model import Plan, evaluate_model
    from fgmcaps.training.evaluation.report_files import write_report
    from fgmcaps.training.features.stages import FEATURE_STAGES
    from fgmcaps.training.model.scores import VIEWS

    plan = Plan(views=[v for v in VIEWS if not views or v in views], device=choose_device(device), **given)
    with Progress(quiet=quiet) as progress:
        report = evaluate_model(model, data, plan, against=against, stage=progress.stages(FEATURE_STAGES))
    folder = out or (Path(model) / "evaluation" if Path(model).is_dir() else None)
    written = write_report(report, folder) if folder else []
    if as_json:
        echo(json.dumps(report.to_dict()))
        return
    _print(report)
    if written:
        echo(f"written: {', '.join(str(p) for p in written)}")


def _print(report: "EvaluationReport") -> None:
    """The tables of the report on the terminal."""
    from rich.table import Table

    from fgmcaps.common.console import SafeConsole
    from fgmcaps.training.evaluation.report_text import NAMES, percent, pool_line, with_interval

    console = SafeConsole()
    if not console.is_terminal:
        console = SafeConsole(width=PLAIN_WIDTH)
    views = list(dict.fromkeys(d.view for d in report.directions))
    console.print(f"{report.model} on {report.data}, {report.split}: {pool_line(report)}", soft_wrap=True)
    table = Table("view", "", "R@1 %", "R@5", "R@10 [95 %]", "R@20", "median", "MRR", "distinct first", box=None)
    for d in report.directions:
        f = d.figures
        table.add_row(
            d.view, NAMES[d.direction], percent(f["R@1"].mean), percent(f["R@5"].mean), with_interval(f["R@10"]),
            percent(f["R@20"].mean), f"{d.median_rank:g}", percent(f["MRR"].mean), f"{d.hubness['distinct_top1']:.0f}",
        )  # fmt: skip
    for d in report.directions[:2]:
        c = d.chance
        cells = [percent(c[f"R@{k}"], 2) for k in (1, 5, 10, 20)]
        table.add_row("chance", NAMES[d.direction], *cells, f"{(d.candidates + 1) / 2:g}", percent(c["MRR"], 2), "")
    console.print(table)
    for found in (c for c in report.comparisons if c.figure == "R@10"):
        change = f"{100 * found.paired.difference:+.1f} points, p {found.paired.p:.3f}"
        console.print(f"{found.view} {NAMES[found.direction]} R@10 against {report.against}: {change}")
    if report.perturbation:
        table = Table("one attribute changed", "captions", *(f"{v}: A2T R@1, wins %" for v in views), box=None)
        for attribute in dict.fromkeys(row.attribute for row in report.perturbation):
            rows = [row for row in report.perturbation if row.attribute == attribute]
            falls = (
                f"{percent(r.original['R@1'])} -> {percent(r.perturbed['R@1'])}, {percent(r.wins.mean)}" for r in rows
            )
            table.add_row(attribute, f"{rows[0].clips} of {rows[0].of}", *falls)
        console.print(table)
    if report.truncation:
        table = Table("tokens kept", "longer, %", *(f"{v}: T2A R@10 %" for v in views), box=None)
        for point in report.truncation:
            recalls = (percent(point.recall[f"{v}/t2a/R@10"]) for v in views)
            table.add_row(str(point.k), percent(point.longer), *recalls)
        console.print(table)
