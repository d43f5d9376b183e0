"""``fgmcaps export``."""

from pathlib import Path

import click

from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.options import DatasetFolder


@click.command("export", short_help="Write a dataset in another layout.")
@click.argument("out", type=DatasetFolder())
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--format", "name", required=True, metavar="FORMAT",
              help="jams: .jams + .flac files; csv: one flat table, no audio; webdataset: tar shards; "
              "musicbench: its JSON lines + .wav; mteb: Parquet of id, audio, caption.")  # fmt: skip
@click.option("--split", "splits", multiple=True, metavar="NAME",
              help="Only this split; may be repeated (default: all, mteb: test).")  # fmt: skip
@click.option("--replace", is_flag=True, help="Replace DEST if it holds an earlier export.")
@click.option("--quiet", "-q", is_flag=True, help="No progress, no summary.")
def export(out: Path, dest: Path, name: str, splits: tuple[str, ...], replace: bool, quiet: bool) -> None:
    """Write the finished dataset OUT to the folder DEST in another layout."""
    from fgmcaps.common.did_you_mean import did_you_mean
    from fgmcaps.common.errors import FgmcapsError
    from fgmcaps.common.progress import Progress
    from fgmcaps.pipeline.formats.registry import EXPORTERS
    from fgmcaps.pipeline.formats.run.export_dataset import export_dataset

    exporter = EXPORTERS.get(name)
    if exporter is None:
        raise FgmcapsError(
            f"no export format {name!r}{did_you_mean(name, EXPORTERS)}; the formats are {', '.join(EXPORTERS)}"
        )
    with Progress(quiet=quiet) as progress:
        rows = progress.counter("Exporting", "rows")
        report = export_dataset(
            out, dest, exporter, splits=splits, replace=replace, on_start=rows.start, on_row=rows.advance
        )
    if quiet:
        return
    per_split = ", ".join(f"{rows} {split}" for split, rows in report.rows_per_split.items())
    text = f"{dest}: {report.rows} rows as {name} ({per_split})"
    if exporter.audio == "unused":
        text += "; this format holds no audio"
    elif report.without_audio:
        text += f"; {report.without_audio} without audio, which the dataset does not embed"
    echo(text)
