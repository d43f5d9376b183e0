"""``fgmcaps import``."""

from pathlib import Path

import click

from fgmcaps.common.terminal import echo


@click.command("import", short_help="Turn another dataset into ours.")
@click.argument("name", metavar="FORMAT")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--variant", metavar="A|B|C",
              help="Whose captions (musicbench: A or B of the test split; fmacaps: A, B or C; default B, which states "
              "all labels). The others are kept in `captions`.")  # fmt: skip
@click.option("--keep-copies", is_flag=True, help="musicbench: keep augmented copies of training recordings.")
@click.option("--licence", metavar="NAME", help="Licence of the recordings, if known: these datasets name none.")
@click.option("--audio-root", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="mtg-jamendo, fma: where the audio is; tracks without a file there are left out.")  # fmt: skip
@click.option("--splits", metavar="NAME",
              help="Keep the source's own splits (mtg-jamendo: split-0 to split-4, fma: set).")  # fmt: skip
@click.option("--replace", is_flag=True, help="Replace OUT if it holds an earlier import.")
@click.option("--quiet", "-q", is_flag=True, help="No progress, no summary.")
def import_(
    name: str,
    path: Path,
    out: Path,
    variant: str | None,
    keep_copies: bool,
    licence: str | None,
    audio_root: Path | None,
    splits: str | None,
    replace: bool,
    quiet: bool,
) -> None:
    """Turn the dataset in PATH, whose layout is FORMAT, into ours: audio and captions become the finished dataset OUT,
    metadata alone becomes the manifest OUT.csv for `build`.

    FORMAT: musicbench, fmacaps, fgmcaps-benchmark (datasets); mtg-jamendo, fma (metadata). See docs/interop.md.
    """
    from fgmcaps.common.did_you_mean import did_you_mean
    from fgmcaps.common.errors import FgmcapsError
    from fgmcaps.common.progress import Progress
    from fgmcaps.pipeline.formats.base import DatasetImporter, ImportOptions, check_options
    from fgmcaps.pipeline.formats.registry import IMPORTERS

    importer = IMPORTERS.get(name)
    if importer is None:
        raise FgmcapsError(
            f"no import format {name!r}{did_you_mean(name, IMPORTERS)}; the formats are {', '.join(IMPORTERS)}"
        )
    options = ImportOptions(variant, keep_copies, licence, audio_root, splits)
    check_options(importer, options)
    if not path.exists():
        raise FgmcapsError(f"no such file or folder: {path}")
    with Progress(quiet=quiet) as progress:
        counter = progress.counter("Importing", "clips" if isinstance(importer, DatasetImporter) else "tracks")
        if isinstance(importer, DatasetImporter):
            from fgmcaps.pipeline.formats.run.import_dataset import import_dataset

            clips = importer.open(path, options)
            done = import_dataset(clips, out, replace=replace, on_start=counter.start, on_clip=counter.advance)
            counts = done.counts
            reasons = {**counts.failed_by_reason, **counts.filtered_by_reason}
            left = "".join(f", {n} {reason}" for reason, n in reasons.items())
            text = f"{out}: {counts.rows} rows{left}, {counts.duplicates} duplicates"
        else:
            from fgmcaps.pipeline.formats.run.import_metadata import import_metadata

            counter.start(None)
            tracks = import_metadata(importer.lines(path, options, out), out, replace=replace, on_line=counter.advance)
            text = f"{out}: {tracks} tracks; next: fgmcaps build {out} OUT"
    if not quiet:
        echo(text)
