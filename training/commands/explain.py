"""``figma explain``: which words each moment of a clip answers to."""

import json
from pathlib import Path

import click

from fgmcaps.common.terminal import echo
from fgmcaps.training.commands.options import device_option


@click.command("explain", short_help="Which words each moment of a clip answers to.")
@click.argument("model", metavar="MODEL")
@click.argument("audio", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("text")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.png", help="Write a heat map.")
@device_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, the whole matrix included.")
def explain(model: str, audio: Path, text: str, out: Path | None, device: str, as_json: bool) -> None:
    """Take the score of the file AUDIO and TEXT apart: frame by frame, token by token."""
    from fgmcaps.training.device import choose_device
    from fgmcaps.training.retrieval.figma import Figma

    found = Figma.from_pretrained(model, device=choose_device(device)).explain(text, audio)
    if out is not None:
        found.draw(out)
    if as_json:
        echo(json.dumps(found.to_dict(), ensure_ascii=False))
        return
    echo(", ".join(f"{view} {value:.3f}" for view, value in found.scores.items()))
    best, means = found.best_token, found.similarity.mean(axis=0)
    for n, (token, share) in enumerate(zip(found.tokens, found.token_share, strict=True)):
        moments = [f"{s:.1f}" for s in found.seconds[best == n][:6]]
        more = ", ..." if (best == n).sum() > len(moments) else ""
        at = f"  at {', '.join(moments)}{more} s" if moments else ""
        echo(f"{token:>14}  {100 * share:5.1f} % of frames  mean cosine {means[n]:+.3f}{at}")
    if out is not None:
        echo(f"written: {out}")
