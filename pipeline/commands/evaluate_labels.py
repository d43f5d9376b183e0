"""The ``evaluate-labels`` command."""

from pathlib import Path
from typing import Any, Literal

import click

from fgmcaps.common.terminal import echo

OVERRIDES_HELP = "A setting of the profile, e.g. fusion.key.precision=0.9; may be repeated."


@click.command("evaluate-labels", short_help="Hold labels against audio whose truth is known.")
@click.argument("where", metavar="AUDIO_WITH_JAMS|mirdata:NAME")
@click.option("--profile", default="best", show_default=True, help="Tools and fusion.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=OVERRIDES_HELP)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("label-evaluation"),
              show_default=True, help="Folder of the study and of the estimates, to go on from.")  # fmt: skip
@click.option("--jams", type=click.Path(path_type=Path), help="Folder of the JAMS files, if not beside the audio.")
@click.option("--data-home", type=click.Path(path_type=Path), help="Where mirdata keeps the dataset.")
@click.option("--clips-per-track", "clips", default="1", show_default=True, metavar="K|all", help="Clips of a track.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that annotate.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N tracks by name.")
def evaluate_labels(
    where: str,
    profile: str,
    overrides: tuple[str, ...],
    out: Path,
    jams: Path | None,
    data_home: Path | None,
    clips: str,
    workers: int,
    limit: int | None,
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
    tracks = open_truth(where, jams=jams, data_home=data_home)[:limit]
    with Progress() as progress:
        estimated = estimate_tracks(
            tracks,
            chosen,
            out,
            clips_per_track=_count(clips),
            workers=workers,
            progress=lambda done, total: progress.show("Annotating", done, total, "tracks"),
        )
    pairs = with_truth(tracks, estimated)
    refused = sum(bool(clip.refused) for clip, _ in pairs)
    title = f"Labels of profile `{chosen.name}` against the truth of {where}"
    notes = (f"{len(pairs)} clips of {len(tracks)} tracks; {refused} clips the gate or the decoder refused.",)
    results = judge_all([(clip.estimates, truth) for clip, truth in pairs], chosen)
    paths = write_study(out, results, title, notes)
    echo((out / "labels.md").read_text(encoding="utf-8"))
    echo("Written: " + ", ".join(str(path) for path in paths), err=True)


def _profile(name: str, overrides: tuple[str, ...]) -> Any:
    from fgmcaps.annotators import ProfileError, load_profile
    from fgmcaps.common.errors import FgmcapsError
    from fgmcaps.common.yaml_text import YamlError, load_yaml

    changes = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals:
            raise FgmcapsError(f"--set {text!r}: write KEY=VALUE, e.g. fusion.key.precision=0.9")
        try:
            changes[key.strip()] = load_yaml(value)
        except YamlError as error:
            raise FgmcapsError(f"--set {text!r}: the value is not YAML ({error}); quote it") from None
    try:
        return load_profile(name).with_overrides(changes)
    except (ProfileError, ValueError) as error:
        raise FgmcapsError(str(error)) from None


def _count(text: str) -> int | Literal["all"]:
    if text == "all":
        return "all"
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise click.BadParameter(
            f"{text!r} is not a number of clips; give 1 or more, or all", param_hint="--clips-per-track"
        )
    return int(text)
