"""What a finished build prints: counts, times, where things are, and one row."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from fgmcaps.pipeline.build.stage_file import StageTiming
from fgmcaps.pipeline.dataset.coverage import coverage
from fgmcaps.pipeline.dataset.coverage_table import coverage_table
from fgmcaps.pipeline.dataset.failures import DUPLICATES_NAME, FAILURES_FOLDER, read_duplicates
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.report import REPORT_NAME
from fgmcaps.schemas import Manifest

SAMPLE_COLUMNS = ("id", "source_path", "caption", "tempo_bpm", "time_signature", "key", "chord_summary", "qc_flags")
DUPLICATES_SHOWN = 3
SAMPLE_SHARDS = 3  # one of each split, where each has one


def print_summary(out: Path, timings: Mapping[str, StageTiming], seconds: float, console: Console) -> None:
    """Counts, time by stage, where things are, and one row."""
    manifest = read_manifest(out)
    counts = manifest.counts
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("files", str(counts.files))
    table.add_row("duplicates", _duplicates(out, counts.duplicates))
    table.add_row("clips in", str(counts.clips_found))
    table.add_row("kept", str(counts.rows))
    table.add_row("filtered", _reasons(counts.filtered, counts.filtered_by_reason))
    table.add_row("failed", _reasons(counts.failed, counts.failed_by_reason))
    table.add_row("seconds", f"{seconds:.1f}")
    for stage, timing in timings.items():
        table.add_row(f"  {stage}", f"{timing.seconds / timing.count:.3f} s a clip (x {timing.count})")
    table.add_row("dataset", str(out))
    table.add_row("report", str(out / REPORT_NAME))
    if counts.failed or counts.filtered:
        table.add_row("failures", str(out / FAILURES_FOLDER))
    console.print(table)
    found = coverage(out, manifest)
    if found is not None:
        console.print("\nLabels:")
        console.print(coverage_table(found))
        console.print(f"To keep more or surer ones: fgmcaps refilter {out} --precision ATTRIBUTE=SHARE", soft_wrap=True)
    row = sample_row(out, manifest)
    if row is not None:
        console.print("\nOne row:")
        sample = Table(show_header=False, box=None, pad_edge=False)
        for name, value in row.items():
            sample.add_row(f"  {name}", value)
        console.print(sample)


def sample_row(out: Path, manifest: Manifest) -> dict[str, str] | None:
    """The row with the fewest withheld values among the first hundred of the first shards: in a small set, all rows."""
    rows: list[dict[str, Any]] = []
    for shard in [shard for shard in manifest.shards if shard.rows][:SAMPLE_SHARDS]:
        with pq.ParquetFile(out / shard.path) as file:
            rows += next(file.iter_batches(100, columns=list(SAMPLE_COLUMNS))).to_pylist()
    if not rows:
        return None
    best = min(rows, key=lambda row: len(row["qc_flags"]))
    return {k: " ".join(map(str, v)) if isinstance(v, list) else str(v) for k, v in best.items()}


def _duplicates(out: Path, total: int) -> str:
    """How many, and the first by name."""
    first = list(itertools.islice(read_duplicates(out), DUPLICATES_SHOWN)) if total else []
    if not first:
        return str(total)
    shown = "; ".join(f"{item.source_path} holds {item.how} as {item.of}" for item in first)
    more = "; ..." if total > len(first) else ""
    return f"{total} ({shown}{more}; all in {FAILURES_FOLDER}/{DUPLICATES_NAME})"


def _reasons(total: int, by_reason: dict[str, int]) -> str:
    detail = ", ".join(f"{n} {reason}" for reason, n in by_reason.items())
    return f"{total} ({detail})" if detail else str(total)
