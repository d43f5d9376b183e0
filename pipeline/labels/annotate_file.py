"""``fgmcaps annotate-file``: files through gate, annotators, fusion and template, in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from fgmcaps.annotators import ClipAudio, ProfileError, load_profile
from fgmcaps.captioning import TemplateEngine, write_caption
from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.pipeline.audio.decode import DecodeError, Decoder
from fgmcaps.pipeline.labels.use_calibration import profile_with
from fgmcaps.pipeline.sources.base import location_of, printable
from fgmcaps.pipeline.sources.inventory import open_location
from fgmcaps.pipeline.stages.cut import TrackTask, clips_of
from fgmcaps.pipeline.stages.label import annotate, judged_together, start_tools
from fgmcaps.schemas import Annotation, Caption, DeadLetter, Track, facts_of
from fgmcaps.schemas.dead_letter import Rejection, dead_letter
from fgmcaps.schemas.ids import track_id_of_digest


@dataclass(frozen=True, slots=True)
class AnnotatedClip:
    """A clip with its labels, its caption and its sound."""

    annotation: Annotation
    caption: Caption
    audio: ClipAudio


class FileAnnotator:
    """Annotates files one by one; the models are loaded once. A context manager.

    ``loading`` is told how many tools of how many are loaded; ``calibration``: a file of ``fgmcaps calibrate``. Raises
    FgmcapsError for an unknown profile or a wrong file, MachineError for a tool that is not installed or cannot start.
    """

    def __init__(
        self,
        profile_name: str = "best",
        loading: Callable[[int, int], None] | None = None,
        calibration: Path | None = None,
    ) -> None:
        try:
            self.profile = load_profile(profile_name)
        except ProfileError as error:
            raise FgmcapsError(str(error)) from None
        if calibration is not None:
            self.profile = profile_with(self.profile, calibration)
        missing = self.profile.missing()
        if missing:
            raise MachineError(f"profile {profile_name!r} cannot run here: {'; '.join(missing)}")
        start_tools(self.profile.annotators, loading)
        self.decoder = Decoder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.decoder.close()

    def clips(self, file: Path, clips_per_track: int | Literal["all"] = 1) -> Iterator[AnnotatedClip | DeadLetter]:
        """The chosen clips of ``file`` in order of time, judged together; a letter for each that has no labels.

        Raises FgmcapsError for a file that is missing or not audio.
        """
        check_file(file)
        location, folder, name = location_of(file), printable(file.parent.name), printable(file.name)
        track_id = track_id_of_digest(_hash(self.decoder, location, name))
        track = Track(track_id, location, folder, name, file.stat().st_size, "train")
        found: list[Annotation | DeadLetter] = []
        sounds: dict[str, ClipAudio] = {}
        for work in clips_of(TrackTask(track), self.decoder, clips_per_track):
            if isinstance(work, DeadLetter):
                if work.clip_id is None:
                    raise FgmcapsError(work.message)
                found.append(work)
            elif work is not None:
                labelled = annotate(work.audio, self.profile)
                if isinstance(labelled, Rejection):
                    found.append(dead_letter(labelled, track, work.clip))
                    continue
                sounds[work.clip.clip_id] = work.audio
                found.append(Annotation(work.clip, labelled.labels, labelled.estimates))
        alone = [item for item in found if isinstance(item, Annotation)]
        together = iter(judged_together(alone, self.profile.fusion))
        for item in found:
            if isinstance(item, DeadLetter):
                yield item
                continue
            annotation = next(together)
            clip_id = annotation.clip.clip_id
            caption = write_caption(TemplateEngine(), clip_id, facts_of(annotation.labels, track.metadata))
            yield AnnotatedClip(annotation, caption, sounds[clip_id])


def annotate_path(
    file: Path,
    profile_name: str = "best",
    clips_per_track: int | Literal["all"] = 1,
    loading: Callable[[int, int], None] | None = None,
) -> Iterator[AnnotatedClip | DeadLetter]:
    """The chosen clips of one file, as :class:`FileAnnotator` gives them; raises what it raises."""
    check_file(file)  # before models are loaded
    with FileAnnotator(profile_name, loading) as annotator:
        yield from annotator.clips(file, clips_per_track)


def check_file(file: Path) -> None:
    """Raise FgmcapsError where there is no such file."""
    if not file.is_file():
        raise FgmcapsError(f"no such file: {printable(str(file))}")


def _hash(decoder: Decoder, location: str, name: str) -> str:
    try:
        return decoder.hash(open_location(location), name)
    except (DecodeError, OSError, ValueError) as error:
        raise FgmcapsError(str(error)) from None
