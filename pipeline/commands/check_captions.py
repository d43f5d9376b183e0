"""``fgmcaps check-captions``."""

import json
from typing import Any

import click

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.common.terminal import echo


@click.command("check-captions", short_help="Check captions against facts.")
@click.argument("file", type=click.File("rb"))
def check_captions(file: Any) -> None:
    """Check captions against facts: FILE has one {"facts": {...}, "caption": "..."} a line; prints one verdict a line.

    FILE is in UTF-8 or UTF-16; - reads standard input. Exit code 5 if a line is not valid; rejected captions are an
    answer, not an error.
    """
    from fgmcaps.captioning.checker.check_lines import check_lines
    from fgmcaps.common.text_file import decoded_lines

    bad = 0
    for verdict in check_lines(decoded_lines(file)):
        bad += "error" in verdict
        echo(json.dumps(verdict, ensure_ascii=False))
    if bad:
        raise InvalidDataError(f"{file.name}: {bad} lines could not be checked")
