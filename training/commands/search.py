"""``figma search``: the clips that fit a text."""

import json
from pathlib import Path

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.common.terminal import echo
from fgmcaps.training.commands.options import device_option
from fgmcaps.training.commands.split_name import SplitName


@click.command("search", short_help="Clips that fit a text.")
@click.argument("model", metavar="MODEL")
@click.argument("source", metavar="DATA|INDEX")
@click.argument("text", nargs=-1, required=True)
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, metavar="N", help="Results a text.")
@click.option("--view", type=Choice(["global", "frame", "fused"]), default="fused", show_default=True,
              help="Score to sort by.")  # fmt: skip
@click.option("--split", type=SplitName(), default="all", show_default=True,
              help="Clips of DATA to search.")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Features of all of DATA, computed there if missing (default: beside MODEL).")  # fmt: skip
@device_option
@click.option("--json", "as_json", is_flag=True, help="One JSON line a text.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def search(
    model: str, source: str, text: tuple[str, ...], top: int, view: str, split: str, cache: Path | None,
    device: str, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Find the clips of DATA (or of an INDEX by `figma encode`) that fit each TEXT, the best first."""
    from fgmcaps.common.progress import Progress
    from fgmcaps.training.device import choose_device
    from fgmcaps.training.features.stages import FEATURE_STAGES
    from fgmcaps.training.model.scores import VIEWS
    from fgmcaps.training.retrieval.figma import Figma
    from fgmcaps.training.retrieval.search import open_index

    figma = Figma.from_pretrained(model, device=choose_device(device))
    with Progress(quiet=quiet) as progress:
        index = open_index(figma, model, source, split, cache, stage=progress.stages(FEATURE_STAGES))
    for query in text:
        hits = figma.search(query, index, top=top, view=next(v for v in VIEWS if v == view))
        if as_json:
            found = [hit.to_dict() for hit in hits]
            echo(json.dumps({"text": query, "view": view, "clips": len(index), "hits": found}, ensure_ascii=False))
            continue
        echo(f"{query}  ({len(index):,} clips)")
        for hit in hits:
            echo(f"{hit.place:>4}  {hit.score:.3f}  {hit.clip.id}  {hit.clip.caption}")
