"""The ``evaluate-labels`` command."""

from pathlib import Path
from typing import Any, Literal

import click

from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.options import ClipCount

OVERRIDES_HELP = "A setting of the profile, e.g. fusion.key.precision=0.9; may be repeated."


@click.command("evaluate-labels", short_help="Hold labels against audio whose truth is known.")
@click.argument("where", metavar="AUDIO_WITH_JAMS|mirdata:NAME")
@click.option("--profile", default="best", show_default=True, help="Tools and fusion.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=OVERRIDES_HELP)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("label-evaluation"),
              show_default=True, help="Folder of the study and of the estimates, to go on from.")  # fmt: skip
@click.option("--jams", type=click.Path(path_type=Path), help="Folder of the JAMS files, if not beside the audio.")
@click.option("--data-home", type=click.Path(path_type=Path), help="Where mirdata keeps the dataset.")
@click.option("--clips-per-track", type=ClipCount(), default=1, show_default=True, metavar="K|all",
              help="K loudest 10 s clips of a track, or all.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that annotate.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N tracks by name.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def evaluate_labels(
    where: str,
    profile: str,
    overrides: tuple[str, ...],
    out: Path,
    jams: Path | None,
    data_home: Path | None,
    clips_per_track: int | Literal["all"],
    workers: int,
    limit: int | None,
    quiet: bool,
) -> None:
    """Annotate audio whose truth is known and tell how right the labels are, and whether their confidences are true.

    AUDIO_WITH_JAMS is a folder of audio with a JAMS file of the same name beside each (namespaces beat, beat_position,
    tempo, key_mode, chord, chord_harte); mirdata:NAME a dataset that the mirdata package has downloaded.

    Prints a table an attribute for the profile and for each of its tools alone, and writes labels.md, labels.json and
    plots into OUT. Stopped, run it again: it goes on.
    """
    from fgmcaps.common.progress import Progress
    from fgmcaps.pipeline.labels.corpus import open_truth
    from fgmcaps.pipeline.labels.evaluate import estimate_tracks, judge_all, with_truth
    from fgmcaps.pipeline.labels.report import write_study

    chosen = _profile(profile, overrides)
    left_out: list[str] = []
    tracks = open_truth(where, jams=jams, data_home=data_home, notes=left_out)[:limit]
    with Progress(quiet=quiet) as progress:
        for note in left_out:
            progress.say(note)
        estimated = estimate_tracks(
            tracks,
            chosen,
            out,
            clips_per_track=clips_per_track,
            workers=workers,
            progress=lambda done, total: progress.show("Annotating", done, total, "tracks"),
        )
    pairs = with_truth(tracks, estimated)
    refused = sum(bool(clip.refused) for clip, _ in pairs)
    title = f"Labels of profile `{chosen.name}` against the truth of {where}"
    said = f"{len(pairs)} clips of {len(tracks)} tracks; {refused} clips the gate or the decoder refused."
    results = judge_all([(clip.estimates, truth) for clip, truth in pairs], chosen)
    paths = write_study(out, results, title, (said, *left_out))
    echo((out / "labels.md").read_text(encoding="utf-8"))
    echo("Written: " + ", ".join(str(path) for path in paths), err=True)


def _profile(name: str, overrides: tuple[str, ...]) -> Any:
    from fgmcaps.annotators import ProfileError, load_profile
    from fgmcaps.common.errors import FgmcapsError
    from fgmcaps.common.set_option import read_pairs

    try:
        return load_profile(name).with_overrides(read_pairs(overrides))
    except (ProfileError, ValueError) as error:
        raise FgmcapsError(str(error)) from None
