"""``fgmcaps import``."""

from pathlib import Path

import click


@click.command("import", short_help="Take over a dataset of others.")
@click.argument("name", metavar="FORMAT")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--variant", metavar="A|B|C",
              help="Whose captions (musicbench: A or B of the test split; fmacaps: A, B or C; default B, which states "
              "all labels). The others are kept in `captions`.")  # fmt: skip
@click.option("--keep-copies", is_flag=True, help="musicbench: keep augmented copies of training recordings.")
@click.option("--licence", metavar="NAME", help="Licence of the recordings, which these datasets do not name.")
@click.option("--audio-root", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="mtg-jamendo, fma: where the audio is; tracks without a file there are left out.")  # fmt: skip
@click.option("--splits", metavar="NAME",
              help="Keep the source's own splits (mtg-jamendo: split-0 to split-4, fma: set).")  # fmt: skip
@click.option("--replace", is_flag=True, help="Let OUT, which holds an earlier import, become this one.")
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
    """Turn the dataset PATH of others into ours: with audio and captions into the finished dataset OUT, metadata alone
    into the manifest OUT.csv for `build`.

    FORMAT: musicbench, fmacaps, fgmcaps-benchmark (datasets); mtg-jamendo, fma (metadata). See docs/interop.md.
    """
    from fgmcaps.common.did_you_mean import did_you_mean
    from fgmcaps.common.errors import FgmcapsError
    from fgmcaps.common.progress import Progress
    from fgmcaps.pipeline.interop.base import ImportOptions, check_options
    from fgmcaps.pipeline.interop.registry import FORMATS

    if name not in FORMATS:
        raise FgmcapsError(f"no import format {name!r}{did_you_mean(name, FORMATS)}; there are {', '.join(FORMATS)}")
    form, options = FORMATS[name], ImportOptions(variant, keep_copies, licence, audio_root, splits)
    check_options(form, options)
    if not path.exists():
        raise FgmcapsError(f"no such file or folder: {path}")
    with Progress(quiet=quiet) as progress:
        counter = progress.counter("Importing", "clips" if form.open else "tracks")
        if form.open is not None:
            from fgmcaps.pipeline.interop.dataset import import_dataset

            clips = form.open(path, options)
            done = import_dataset(clips, out, replace=replace, on_start=counter.start, on_clip=counter.advance)
            counts = done.counts
            reasons = {**counts.failed_by_reason, **counts.filtered_by_reason}
            left = "".join(f", {n} {reason}" for reason, n in reasons.items())
            text = f"{out}: {counts.rows} rows{left}, {counts.duplicates} duplicates"
        else:
            from fgmcaps.pipeline.interop.manifest import write_import_manifest

            assert form.rows is not None
            counter.start(None)
            rows = write_import_manifest(form.rows(path, options, out), out, replace=replace, on_row=counter.advance)
            text = f"{out}: {rows} tracks; next: fgmcaps build {out} OUT"
    if not quiet:
        click.echo(text)
