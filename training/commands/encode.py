"""``figma encode``: a search index of a dataset's clips."""

from pathlib import Path

import click

from fgmcaps.common.terminal import echo
from fgmcaps.training.commands.options import device_option
from fgmcaps.training.commands.split_name import SplitName


@click.command("encode", short_help="Make a search index of a dataset's clips.")
@click.argument("model", metavar="MODEL")
@click.argument("data", metavar="DATA")
@click.argument("index", type=click.Path(path_type=Path, file_okay=False))
@click.option("--split", type=SplitName(), default="all", show_default=True,
              help="Clips of the index.")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Features of all of DATA, computed there if missing (default: beside MODEL).")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes for features.")
@device_option
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def encode(
    model: str, data: str, index: Path, split: str, cache: Path | None, workers: int, device: str, quiet: bool
) -> None:
    """Embed the clips of DATA with MODEL into the folder INDEX, for `figma search`."""
    from fgmcaps.common.progress import Progress
    from fgmcaps.training.device import choose_device
    from fgmcaps.training.features.stages import FEATURE_STAGES
    from fgmcaps.training.retrieval.figma import Figma
    from fgmcaps.training.retrieval.search import open_index

    figma = Figma.from_pretrained(model, device=choose_device(device))
    with Progress(quiet=quiet) as progress:
        made = open_index(figma, model, data, split, cache, workers=workers, stage=progress.stages(FEATURE_STAGES))
    made.save(index)
    how = f", quantised to {len(made.quantised.centroids)} centroids" if made.quantised else ""
    echo(f"{index}: {len(made):,} clips, {len(made.frames):,} frames{how}")
