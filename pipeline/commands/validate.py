"""``fgmcaps validate``."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.options import check_folder


@click.command("validate", short_help="Check a dataset end to end.")
@click.argument("out", metavar="OUT|hf://USER/NAME[@REVISION]")
@click.option("--audio-every", type=click.IntRange(1), default=1, show_default=True, metavar="N",
              help="Decode the audio of every N-th row only.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The problems as one JSON document.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def validate(out: str, audio_every: int, as_json: bool, quiet: bool) -> None:
    """Check the dataset OUT: schema, ids, ranges, chords, captions against facts, splits, counts, checksums, audio.

    A published one (hf://user/name) is brought into a temporary folder first.
    """
    from fgmcaps.common.progress import Progress
    from fgmcaps.pipeline.hub.progress import ShownTransfer
    from fgmcaps.pipeline.hub.pull import local_copy
    from fgmcaps.pipeline.validation.validate import summary
    from fgmcaps.pipeline.validation.validate import validate as check

    if not out.startswith("hf://"):
        check_folder(Path(out))
    notes: list[str] = []
    with Progress(quiet=quiet) as progress, local_copy(out, ShownTransfer(progress)) as folder:
        problems = check(
            folder,
            audio_every=audio_every,
            notes=notes,
            progress=lambda done, total: progress.show("Checking", done, total, "rows"),
        )
    if as_json:
        shown = [asdict(problem) for problem in problems]
        echo(json.dumps({"valid": not problems, "rules": summary(problems), "problems": shown, "notes": notes}))
    for problem in problems[:100] if not as_json else ():
        echo(str(problem))
    if problems:
        rules = ", ".join(f"{n} x {rule}" for rule, n in summary(problems).items())
        raise InvalidDataError(f"{out} is not valid: {rules}")
    if not as_json:
        echo("; ".join([f"{out} is valid", *notes]))
