"""JSON lines from outside: bounded, and a bad line costs only itself."""

import json
from collections.abc import Iterator
from typing import IO, Any

MAX_LINE_BYTES = 4 << 20


def json_rows(handle: IO[bytes]) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """``(line number, object)`` for every line that is not blank; None for one that is not a JSON object."""
    number = 0
    while line := handle.readline(MAX_LINE_BYTES + 1):
        number += 1
        if not line.strip():
            continue
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):  # skip the rest of a line that is too long
            rest = handle.readline(MAX_LINE_BYTES + 1)
        row: Any = None
        if len(line) <= MAX_LINE_BYTES:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
        yield number, row if isinstance(row, dict) else None
