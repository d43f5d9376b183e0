"""``fgmcaps annotate-file``: one file through gate, annotators, fusion and template, in this process."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from fgmcaps.annotators import ProfileError, load_profile
from fgmcaps.captioning import TemplateEngine, write_caption
from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.pipeline.audio.decode import DecodeError, Decoder
from fgmcaps.pipeline.formats.jams import jams_of
from fgmcaps.pipeline.labels.annotate_file_view import annotation_json, annotation_view
from fgmcaps.pipeline.sources.base import location_of, printable
from fgmcaps.pipeline.sources.inventory import open_location
from fgmcaps.pipeline.stages.cut import TrackTask, clips_of
from fgmcaps.pipeline.stages.label import annotate, start_tools
from fgmcaps.schemas import Annotation, Caption, DeadLetter, Track, facts_of
from fgmcaps.schemas.dead_letter import Rejection, dead_letter
from fgmcaps.schemas.ids import track_id_of_digest


@dataclass(frozen=True, slots=True)
class AnnotatedClip:
    """A clip with its labels and its caption."""

    annotation: Annotation
    caption: Caption


def annotate_path(
    file: Path,
    profile_name: str = "best",
    clips_per_track: int | Literal["all"] = 1,
    loading: Callable[[int, int], None] | None = None,
) -> Iterator[AnnotatedClip | DeadLetter]:
    """The chosen clips of ``file``, annotated one by one; a letter for each that has no labels.

    ``loading`` is told how many tools of how many are loaded.
    Raises FgmcapsError for a file that is missing or not audio and for an unknown profile, MachineError for a tool that
    is not installed.
    """
    if not file.is_file():
        raise FgmcapsError(f"no such file: {printable(str(file))}")
    try:
        profile = load_profile(profile_name)
    except ProfileError as error:
        raise FgmcapsError(str(error)) from None
    missing = profile.missing()
    if missing:
        raise MachineError(f"profile {profile_name!r} cannot run here: {'; '.join(missing)}")
    location, folder, name = location_of(file), printable(file.parent.name), printable(file.name)
    start_tools(profile.annotators, loading)
    with Decoder() as decoder:
        track_id = track_id_of_digest(_hash(decoder, location, name))
        track = Track(track_id, location, folder, name, file.stat().st_size, "train")
        for work in clips_of(TrackTask(track), decoder, clips_per_track):
            if isinstance(work, DeadLetter):
                if work.clip_id is None:
                    raise FgmcapsError(work.message)
                yield work
            elif work is not None:
                found = annotate(work.audio, profile)
                if isinstance(found, Rejection):
                    yield dead_letter(found, track, work.clip)
                    continue
                caption = write_caption(TemplateEngine(), work.clip.clip_id, facts_of(found.labels, track.metadata))
                yield AnnotatedClip(Annotation(work.clip, found.labels, found.estimates), caption)


def _hash(decoder: Decoder, location: str, name: str) -> str:
    try:
        return decoder.hash(open_location(location), name)
    except (DecodeError, OSError, ValueError) as error:
        raise FgmcapsError(str(error)) from None


def show(clips: Iterable[AnnotatedClip | DeadLetter], form: str, console: Console) -> int:
    """Print clips as they come: a table, one JSON document a line, or one JAMS document a line.

    Returns how many have labels.
    """
    annotated = 0
    for item in clips:
        annotated += isinstance(item, AnnotatedClip)
        if isinstance(item, DeadLetter):
            if form == "table":
                console.print(f"not annotated: {item.message}")
            else:
                refused = f"{item.reason}: {item.message}"
                console.out(json.dumps({"clip_id": item.clip_id, "refused": refused}))
        elif form == "table":
            console.print(annotation_view(item.annotation, item.caption))
        else:
            jams = form == "jams"
            document = jams_of(item.annotation) if jams else annotation_json(item.annotation, item.caption)
            console.out(json.dumps(document, ensure_ascii=False))
    return annotated
