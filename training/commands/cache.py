"""``figma cache``: compute the frozen features of a dataset once."""

from pathlib import Path
from typing import Any

import click

from fgmcaps.common.command_group import Choice
from fgmcaps.common.terminal import echo
from fgmcaps.training.commands.options import device_option
from fgmcaps.training.encoders import AUDIO_ENCODERS, TEXT_ENCODERS


@click.command(short_help="Compute the frozen features of a dataset once.")
@click.argument("data", metavar="DATA")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--audio-encoder", type=Choice(list(AUDIO_ENCODERS)), default="muq", show_default=True, help="Of clips.")
@click.option("--text-encoder", type=Choice(list(TEXT_ENCODERS)), default="e5", show_default=True, help="Of captions.")
@click.option("--audio-option", "audio_options", multiple=True, metavar="NAME=VALUE",
              help="Setting of the audio encoder, e.g. path=models/muq, revision=COMMIT.")  # fmt: skip
@click.option("--text-option", "text_options", multiple=True, metavar="NAME=VALUE",
              help="Setting of the text encoder, e.g. path=models/e5, max_tokens=64.")  # fmt: skip
@click.option("--dtype", type=Choice(["float16", "bfloat16"]), default="float16", show_default=True,
              help="Numbers on disk.")  # fmt: skip
@click.option("--long", type=Choice(["windows", "first"]), default="windows", show_default=True,
              help="Longer audio than the encoder takes: joined windows, or the first one.")  # fmt: skip
@click.option("--fit-clips", type=click.IntRange(1), default=2000, show_default=True,
              help="Training clips that standardisation is fitted on.")  # fmt: skip
@click.option("--max-skipped", type=click.FloatRange(0, 1), default=0.05, show_default=True,
              help="Share of clips that may have unusable audio.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes (CPU).")
@click.option("--batch", "batch_size", type=click.IntRange(1), default=16, show_default=True, help="Clips at once.")
@device_option
@click.option("--audio-root", type=click.Path(path_type=Path), help="Folder of the audio, where shards hold paths.")
@click.option("--check", is_flag=True, help="Read all that is there, and compute damaged shards again.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def cache(data: str, folder: Path, quiet: bool, audio_root: Path | None, device: str, **given: Any) -> None:
    """Compute the frozen features of DATA (a dataset folder, Parquet shards, or user/name on the Hub) into FOLDER.

    Run again after an interruption, it does only what is missing. `figma train` does this itself where needed.
    """
    from fgmcaps.common.progress import Progress
    from fgmcaps.common.set_option import read_pairs
    from fgmcaps.training.data.dataset import load_rows
    from fgmcaps.training.device import choose_device
    from fgmcaps.training.encoders import make_audio_encoder, make_text_encoder
    from fgmcaps.training.features.build import build_cache, estimate_size
    from fgmcaps.training.features.stages import FEATURE_STAGES

    device = choose_device(device)
    audio = make_audio_encoder(given.pop("audio_encoder"), **read_pairs(given.pop("audio_options"), "--audio-option"))
    text = make_text_encoder(given.pop("text_encoder"), **read_pairs(given.pop("text_options"), "--text-option"))
    rows = load_rows(data, audio_root=audio_root)
    with Progress(quiet=quiet) as progress:
        size = estimate_size(rows, audio, text, folder)
        progress.say(
            f"{len(rows):,} rows; about {size.audio / 1e9:.2f} GB of audio, {size.text / 1e9:.2f} GB of text features"
        )
        done = build_cache(rows, audio, text, folder, device=device, report=progress.stages(FEATURE_STAGES), **given)
    skipped = len(done) - len(done.rows())
    note = f", {skipped:,} skipped (see {folder / 'skipped.jsonl'})" if skipped else ""
    echo(f"{folder}: {len(done.rows()):,} clips{note}, fingerprint {done.fingerprint[:16]}")
