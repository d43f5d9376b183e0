"""From music whose truth is known to pairs of what the tools estimated and what is true, with progress for people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fgmcaps.annotators import Profile
from fgmcaps.common.progress import Progress
from fgmcaps.pipeline.labels.corpus import open_truth
from fgmcaps.pipeline.labels.evaluate import ClipEstimates, estimate_tracks, with_truth
from fgmcaps.schemas.truth import ClipTruth


@dataclass(frozen=True, slots=True)
class AnnotatedTruth:
    """Clips with their truth; how many tracks they are of, and what was left out, a line each."""

    pairs: list[tuple[ClipEstimates, ClipTruth]]
    tracks: int
    left_out: tuple[str, ...]


def annotated_truth(
    where: str,
    profile: Profile,
    folder: Path,
    *,
    jams: Path | None = None,
    data_home: Path | None = None,
    clips_per_track: int | Literal["all"] = 1,
    workers: int = 1,
    limit: int | None = None,
    quiet: bool = False,
) -> AnnotatedTruth:
    """Annotate the tracks of ``where``; ``folder`` keeps the estimates. Raises what the two steps raise."""
    left_out: list[str] = []
    tracks = open_truth(where, jams=jams, data_home=data_home, notes=left_out)[:limit]
    with Progress(quiet=quiet) as progress:
        for note in left_out:
            progress.say(note)
        estimated = estimate_tracks(
            tracks,
            profile,
            folder,
            clips_per_track=clips_per_track,
            workers=workers,
            progress=lambda done, total: progress.show("Annotating", done, total, "tracks"),
        )
    return AnnotatedTruth(with_truth(tracks, estimated), len(tracks), tuple(left_out))
