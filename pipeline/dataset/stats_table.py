"""``fgmcaps stats`` for people."""

from typing import Any

from rich.console import Console
from rich.table import Table


def print_stats(data: dict[str, Any], console: Console) -> None:
    """The statistics as a table; of nested counts the six largest."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in data.items():
        if isinstance(value, dict) and value and all(isinstance(v, int | float) for v in value.values()):
            largest = sorted(value.items(), key=lambda item: -item[1])[:6]
            text = ", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in largest)
            table.add_row(name, text + (", ..." if len(value) > len(largest) else ""))
        elif isinstance(value, str | int | float):
            table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    console.print(table)
