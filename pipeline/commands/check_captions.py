"""``fgmcaps check-captions``."""

import json
from typing import Any

import click

from fgmcaps.common.errors import InvalidDataError


@click.command("check-captions", short_help="Check captions against facts.")
@click.argument("file", type=click.File("r", encoding="utf-8"))
def check_captions(file: Any) -> None:
    """Check captions against facts: FILE has one {"facts": {...}, "caption": "..."} a line; prints one verdict a line.

    Exit code 5 if a line is not valid; rejected captions are an answer, not an error.
    """
    from fgmcaps.captioning.checker.check_lines import check_lines

    bad = 0
    for verdict in check_lines(file):
        bad += "error" in verdict
        click.echo(json.dumps(verdict, ensure_ascii=False))
    if bad:
        raise InvalidDataError(f"{file.name}: {bad} lines could not be checked")
