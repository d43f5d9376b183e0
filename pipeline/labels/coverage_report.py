"""What other filters would keep of a dataset's labels, as a table with the command that changes it."""

from collections.abc import Mapping
from pathlib import Path

from fgmcaps.common.console import SafeConsole
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.coverage import coverage, fusion_of, with_precision
from fgmcaps.pipeline.dataset.coverage_table import coverage_table
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.labels.use_calibration import with_file


def print_coverage(out: Path, precision: Mapping[str, float] | None = None, calibration: Path | None = None) -> None:
    """Print the table of the dataset ``out``, with another filter as one more column.

    ``precision`` by attribute and ``calibration``, a file of ``fgmcaps calibrate``, make that filter.

    Raises FgmcapsError where its labels have no probabilities.
    """
    manifest = read_manifest(out)
    asked = fusion_of(manifest)
    if asked is not None:
        asked = with_precision(asked, precision or {})
        if calibration is not None:
            asked = with_file(asked, calibration)
    try:
        found = coverage(out, manifest, asked if precision or calibration else None)
    except ValueError as error:  # a precision that the model does not reach
        raise FgmcapsError(f"--precision: {error}") from None
    if found is None:
        raise FgmcapsError(
            f"{out}: its labels have no probabilities to filter by (imported, of schema version 1, or of a profile "
            "with fusion.recipe paper)"
        )
    console = SafeConsole()
    console.print(coverage_table(found))
    console.print(
        f"{found.rows} clips. To change it: fgmcaps refilter {out} --precision ATTRIBUTE=SHARE", soft_wrap=True
    )
