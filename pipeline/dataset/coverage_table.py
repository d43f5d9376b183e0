"""What other filters would keep, as a table for the terminal."""

from rich.table import Table

from fgmcaps.pipeline.dataset.coverage import Coverage, coverage_lines


def coverage_table(found: Coverage) -> Table:
    """The table."""
    head, *lines = coverage_lines(found)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, name in enumerate(head):
        table.add_column(name, justify="left" if place == 0 else "right")
    for line in lines:
        table.add_row(*line)
    return table
