"""``metrics.json``: what a finished training wrote last."""

from pathlib import Path
from typing import Any

from fgmcaps.common.errors import InvalidDataError
from fgmcaps.common.json_file import MIB, read_json

METRICS = "metrics.json"


def read_metrics(out: Path) -> dict[str, Any] | None:
    """What a finished run wrote last; None while it is not finished. Raises InvalidDataError."""
    path = out / METRICS
    if not path.is_file():
        return None
    try:
        metrics: dict[str, Any] = read_json(path, 64 * MIB)
        if not isinstance(metrics, dict):
            raise ValueError("no object")
    except (ValueError, OSError) as error:
        raise InvalidDataError(f"{path} is damaged ({error}); delete it and run the same command again") from None
    return metrics
