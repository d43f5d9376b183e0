"""``figma train``: features of a dataset, then a model trained on them."""

from pathlib import Path
from typing import Any

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.common.terminal import echo


@click.command("train", short_help="Published shards in, a trained model out.")
@click.argument("data", metavar="DATA")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--config", metavar="NAME|FILE", help="A configuration: paper (default), small (CPU), or a YAML file; "
              "options win over it.")  # fmt: skip
@click.option("--audio-encoder", metavar="NAME", help="muq (the paper's; CC BY-NC weights) or spectral (no download).")
@click.option("--text-encoder", metavar="NAME", help="e5 (the paper's) or minilm (no download).")
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Passes over the training split (default 15).")
@click.option("--batch", type=click.IntRange(2), metavar="N", help="Pairs a step and process (default 256).")
@click.option("--alpha", type=float, help="Weight of the global view: 1 global only, 0 frame only (default 0.6).")
@click.option("--seed", type=int, help="Seed of everything random (default 0).")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any other setting; may be repeated.")
@click.option("--cache", "cache_folder", type=click.Path(path_type=Path), metavar="DIR",
              help="Features of DATA, computed there if missing (default: OUT.features).")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, metavar="N",
              help="Processes that compute features.")  # fmt: skip
@click.option("--device", type=Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
              help="Where to compute.")  # fmt: skip
@click.option("--tensorboard", is_flag=True, default=None, help="Write OUT/tensorboard too.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def train(
    data: str,
    out: Path,
    config: str | None,
    pairs: tuple[str, ...],
    cache_folder: Path | None,
    workers: int,
    device: str,
    quiet: bool,
    **given: Any,
) -> None:
    """Train on DATA, FGMCaps shards (a folder or a name on the Hub), and write the model OUT.

    Run again after an interruption, it goes on where it stopped, and ends with the same weights. A finished OUT is left
    alone; one of another configuration is refused. Several GPUs: `accelerate launch --num_processes N -m
    fgmcaps.training train ...`.
    """
    from fgmcaps.training.settings import load_settings

    settings = load_settings(config, given, pairs)
    from fgmcaps.training.device import choose_device

    device = choose_device(device)
    from fgmcaps.training.trainer.run_folder import open_run

    open_run(out, settings, None, None)  # before hours of features
    from fgmcaps.training.features.prepare import features_for
    from fgmcaps.training.trainer.progress import recall_means_something
    from fgmcaps.training.trainer.trainer import train as run

    folder = cache_folder or out.with_name(f"{out.name}.features")
    cache, licences = features_for(settings, data, folder, workers=workers, device=device, quiet=quiet)
    result = run(settings, cache, out, licences=licences, device=device, quiet=quiet)
    if quiet:
        return
    found = result.metrics["validation"]
    recall = found.get("fused/t2a/R@10") if recall_means_something(found) else None
    measured = f"; text-to-audio R@10 {recall:.1%} of {found['pool/clips']:.0f} clips" if recall is not None else ""
    if result.already_done:
        echo(f"{out} is trained already: nothing to do{measured}")
    else:
        echo(f"{out}: {result.metrics['epochs']} epochs, best {result.metrics['best_epoch']}{measured}")
