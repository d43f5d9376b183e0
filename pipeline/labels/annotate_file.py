"""``fgmcaps annotate-file``: one file through gate, annotators, fusion and template, in this process."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from fgmcaps.annotators import ProfileError, annotate_clip, gate, load_profile
from fgmcaps.captioning import TemplateEngine, write_caption
from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.pipeline.audio.decode import DecodeError, Decoder
from fgmcaps.pipeline.audio.windows import choose_windows
from fgmcaps.pipeline.formats.jams import jams_of
from fgmcaps.pipeline.labels.annotate_file_view import annotation_json, annotation_view
from fgmcaps.pipeline.sources.base import location_of, printable
from fgmcaps.pipeline.sources.inventory import hash_location
from fgmcaps.schemas import Annotation, Caption, Clip, Track, facts_of
from fgmcaps.schemas.ids import make_clip_id, track_id_of_digest


@dataclass(frozen=True, slots=True)
class Annotated:
    """A clip with labels and caption, or the reason why it has none."""

    clip: Clip
    annotation: Annotation | None = None
    caption: Caption | None = None
    refused: str = ""


def annotate_path(
    file: Path, profile_name: str = "best", clips_per_track: int | Literal["all"] = 1
) -> Iterator[Annotated]:
    """The chosen clips of ``file``, annotated one by one.

    Raises FgmcapsError for a file that is missing or no audio and for an unknown profile, MachineError for a tool that
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
    name = printable(file.name)
    track_id = track_id_of_digest(hash_location(location_of(file.absolute())))
    track = Track(track_id, str(file), printable(file.parent.name), name, file.stat().st_size, "train")
    with Decoder() as decoder:
        try:
            envelope = decoder.envelope(file, name=name)
            for start_ms, length_ms in choose_windows(envelope.duration_s, envelope.rms, clips_per_track):
                clip = Clip(make_clip_id(track_id, start_ms), start_ms / 1000, length_ms / 1000, track)
                samples, rate = decoder.read(file, clip.start_s, clip.duration_s, name=name)
                refused = gate(samples, rate, profile.gate)
                if refused is not None:
                    yield Annotated(clip, refused=f"{refused.reason}: {refused.message}")
                    continue
                estimates, labels = annotate_clip(profile, samples, rate)
                caption = write_caption(TemplateEngine(), clip.clip_id, facts_of(labels, track.metadata))
                yield Annotated(clip, Annotation(clip, labels, estimates), caption)
        except DecodeError as error:
            raise FgmcapsError(str(error)) from None


def show(clips: Iterator[Annotated], form: str, console: Console) -> None:
    """Print clips as they come: a table, one JSON document a line, or one JAMS document a line."""
    for item in clips:
        where = f"{item.clip.track.source_path} at {item.clip.start_s:g} s"
        if item.annotation is None:
            if form == "table":
                console.print(f"{where}: not annotated: {item.refused}", markup=False, highlight=False)
            else:
                console.out(json.dumps({"clip_id": item.clip.clip_id, "refused": item.refused}), highlight=False)
        elif form == "table":
            console.print(annotation_view(item.annotation, item.caption))
        else:
            jams = form == "jams"
            document = jams_of(item.annotation) if jams else annotation_json(item.annotation, item.caption)
            console.out(json.dumps(document, ensure_ascii=False), highlight=False)
