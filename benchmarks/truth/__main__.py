"""``python -m benchmarks.truth render|billboard|pop909|negatives|recorded|unlabelled|check FOLDER``: see README.md."""

import ctypes.util
import logging
import shutil
from pathlib import Path

import click

from benchmarks.machine import machine
from benchmarks.truth.check import summary
from benchmarks.truth.negatives import write_negatives
from benchmarks.truth.plan import SPLITS
from benchmarks.truth.read import read_truth
from benchmarks.truth.recorded import write_recorded
from benchmarks.truth.render import render_corpus
from benchmarks.truth.songs.charts import write_billboard
from benchmarks.truth.songs.pop909 import write_pop909
from benchmarks.truth.soundfonts import SOUNDFONTS
from benchmarks.truth.unlabelled import write_unlabelled


@click.group()
@click.option("--verbose", is_flag=True, help="Say which pieces were refused and why.")
def main(verbose: bool) -> None:
    """Make truth corpora: music whose beats, meter, key and chords are known."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(message)s")


def need_programs() -> None:
    """Ends with exit code 1 and the line to type if MMA or libfluidsynth is not installed."""
    missing = [] if shutil.which("mma") else ["mma"]
    missing += [] if ctypes.util.find_library("fluidsynth") else ["fluidsynth"]
    if missing:
        raise click.ClickException(f"not installed: {', '.join(missing)}; apt install {' '.join(missing)}")


def tell(folder: Path, counts: dict[str, int]) -> None:
    """One line: how many of what are in the folder."""
    click.echo(f"{folder}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--clips", default=1800, show_default=True, type=click.IntRange(1), help="Clips 0 .. N - 1.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1))
@click.option(
    "--soundfont", "fonts", multiple=True, type=click.Choice(list(SOUNDFONTS)), help="Only these, in every split."
)
@click.option("--split", "splits", multiple=True, type=click.Choice(list(SPLITS)), help="Only these splits.")
def render(folder: Path, clips: int, seed: int, workers: int, fonts: tuple[str, ...], splits: tuple[str, ...]) -> None:
    """Render clips of band music into FOLDER; what is there already is kept."""
    need_programs()
    counts = render_corpus(folder, clips, seed, workers, splits or tuple(SPLITS), fonts or None)
    tell(folder, counts)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--per-kind", default=60, show_default=True, type=click.IntRange(1), help="Clips of each kind.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
def negatives(folder: Path, per_kind: int, seed: int) -> None:
    """Write clips for which some or all labels must be null: noise, speech, drums alone, a change of tempo or key."""
    need_programs()
    counts = write_negatives(folder, per_kind, seed)
    tell(folder, counts)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--per-song", default=12, show_default=True, type=click.IntRange(1), help="Clips of each song, at most.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
def recorded(folder: Path, per_song: int, seed: int) -> None:
    """Cut clips with known tempo and beats from the Frets on Fire songs of Debian (downloaded, not installed)."""
    counts = write_recorded(folder, per_song, seed)
    tell(folder, counts)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("annotations", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--songs", type=click.IntRange(1), help="Only the first N songs.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1))
def billboard(folder: Path, annotations: Path, songs: int | None, seed: int, workers: int) -> None:
    """Render the songs of ANNOTATIONS (McGill Billboard, a folder of NNNN.txt) as records sound."""
    need_programs()
    counts = write_billboard(folder, annotations, seed, workers, songs)
    tell(folder, counts)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("dataset", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--songs", type=click.IntRange(1), help="Only the first N songs, 500 at most.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1))
def pop909(folder: Path, dataset: Path, songs: int | None, seed: int, workers: int) -> None:
    """Render songs 001 to 500 of DATASET (the folder POP909 of a clone of POP909-Dataset), on pianos or with a band."""
    need_programs()
    counts = write_pop909(folder, dataset, seed, workers, songs)
    tell(folder, counts)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("music", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--per-package", default=14, show_default=True, type=click.IntRange(1), help="Tracks of each package.")
def unlabelled(folder: Path, music: Path, per_package: int) -> None:
    """Cut four clips of each track of MUSIC (made by benchmarks/recorded_music.sh), whose truth nobody wrote down."""
    counts = write_unlabelled(folder, music, per_package)
    click.echo(f"{folder}: {sum(counts.values())} tracks, {len([c for c in counts.values() if c])} packages")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--clips", default=100, show_default=True, type=click.IntRange(1), help="Every n-th clip, this many.")
def check(folder: Path, clips: int) -> None:
    """Measure in the audio of FOLDER whether beats, tempo and downbeats are where its truth files say."""
    truth = [clip for clip in read_truth(folder) if clip.beats]
    click.echo(machine())
    click.echo("\n".join(summary(truth[:: max(1, len(truth) // clips)][:clips])))


if __name__ == "__main__":
    main()
