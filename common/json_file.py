"""JSON files that somebody else may have written: bounded in size and depth, without numbers that are none."""

from pathlib import Path
from typing import Any

MIB = 1 << 20


def read_bounded(path: Path, most: int = MIB) -> bytes:
    """The bytes of a file of at most ``most`` bytes. Raises ValueError for a larger one, OSError."""
    with path.open("rb") as handle:
        data = handle.read(most + 1)
    if len(data) > most:
        raise ValueError(f"more than {most:,} bytes")
    return data


def read_json(path: Path, most: int = MIB) -> Any:
    """The value in a JSON file.

    Raises ValueError in one line (not JSON, NaN or infinity, too deep, more than ``most`` bytes), OSError.
    """
    from pydantic_core import from_json  # late: no command's help waits for it

    return from_json(read_bounded(path, most), allow_inf_nan=False)
