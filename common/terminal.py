"""The one way to a terminal: what others wrote (names, captions, licences, answers) cannot give it orders.

Escape sequences move the cursor, write the clipboard and the title, and hide lines; marks of writing direction show
text in another order than it has. Both are shown as ``\\u001b``, which JSON reads back as the same character. What the
encoding of the terminal cannot spell is replaced, not an error.
"""

import io
import logging
import re
import sys

import click

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """``text`` with control characters (line feed and tab aside) and marks of direction spelt out."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def echo(text: object = "", *, err: bool = False) -> None:
    """Print one line, or several, on standard output (``err``: standard error)."""
    # Named, so that click does not take a stream in ASCII for a mistake and write UTF-8 into it.
    click.echo(visible(str(text)), file=sys.stderr if err else sys.stdout)


class SafeFormatter(logging.Formatter):
    """A log line that gives the terminal no orders."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def prepare_streams() -> None:
    """Let standard output and error replace what their encoding cannot spell (Latin-1, C, lone surrogates)."""
    for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            # UTF-8 spells all but halves of surrogate pairs; those of file names say more as \udcff than as "?".
            utf8 = stream.encoding.lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="backslashreplace" if utf8 else errors)
