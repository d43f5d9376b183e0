"""The ``evaluate-labels`` command."""

from pathlib import Path
from typing import Any

import click

from fgmcaps.common.terminal import echo
from fgmcaps.pipeline.commands.truth_options import truth_options

OVERRIDES_HELP = "A setting of the profile, e.g. fusion.key.precision=0.9; may be repeated."


@click.command("evaluate-labels", short_help="Hold labels against audio whose truth is known.")
@click.argument("where", metavar="AUDIO_WITH_JAMS|mirdata:NAME")
@click.option("--profile", default="best", show_default=True, help="Tools and fusion.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=OVERRIDES_HELP)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("label-evaluation"),
              show_default=True, help="Folder of the study and of the estimates, to go on from.")  # fmt: skip
@truth_options
def evaluate_labels(where: str, profile: str, overrides: tuple[str, ...], out: Path, **given: Any) -> None:
    """Annotate audio whose truth is known and tell how right the labels are, and whether their confidences are true.

    AUDIO_WITH_JAMS is a folder of audio with a JAMS file of the same name beside each (namespaces beat, beat_position,
    tempo, key_mode, chord, chord_harte); mirdata:NAME a dataset that the mirdata package has downloaded.

    Prints a table an attribute for the profile and for each of its tools alone, and writes labels.md, labels.json and
    plots into OUT. Stopped, run it again: it goes on.
    """
    from fgmcaps.pipeline.labels.annotated_truth import annotated_truth
    from fgmcaps.pipeline.labels.evaluate import judge_all
    from fgmcaps.pipeline.labels.report import write_study

    chosen = _profile(profile, overrides)
    found = annotated_truth(where, chosen, out, **given)
    refused = sum(bool(clip.refused) for clip, _ in found.pairs)
    title = f"Labels of profile `{chosen.name}` against the truth of {where}"
    said = f"{len(found.pairs)} clips of {found.tracks} tracks; {refused} clips the gate or the decoder refused."
    results = judge_all([(clip.estimates, truth) for clip, truth in found.pairs], chosen)
    paths = write_study(out, results, title, (said, *found.left_out))
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
