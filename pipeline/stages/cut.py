"""A track cut into decoded clips: no Beam, one clip's samples in memory at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from fgmcaps.annotators import ClipAudio
from fgmcaps.pipeline.audio.decode import DecodeError, Decoder
from fgmcaps.pipeline.audio.windows import choose_windows
from fgmcaps.pipeline.sources.inventory import open_location
from fgmcaps.schemas import Clip, DeadLetter, Estimate, Track
from fgmcaps.schemas.dead_letter import Rejection, dead_letter
from fgmcaps.schemas.ids import make_clip_id

STAGE = "decode"
TRUNCATED = "audio:truncated"
"""Flag of clips of a file that promises more than could be decoded."""


@dataclass(frozen=True, slots=True)
class TrackTask:
    """A track to work on, and the clips of it that a journal holds already."""

    track: Track
    finished: frozenset[str] = frozenset()
    poison: frozenset[str] = frozenset()
    """Clips (or the track) that took a worker down more than once: they go to the dead letters unopened."""


@dataclass(frozen=True, slots=True)
class ClipWork:
    """A decoded clip and the estimates of the tools that have run on it; never serialised."""

    clip: Clip
    audio: ClipAudio
    estimates: tuple[Estimate, ...] = ()


def clips_of(
    task: TrackTask,
    decoder: Decoder,
    clips_per_track: int | Literal["all"],
    begin: Callable[[str], None] = lambda key: None,
) -> Iterator[ClipWork | DeadLetter | None]:
    """Decode the chosen windows of a track: one item for each of its clips, in order of time.

    An item is the clip, a letter where it cannot be decoded, or None where the task says that it is finished. A track
    that cannot be read at all is one letter. ``begin`` is called with the id of the track or clip that is opened next.
    """
    track = task.track
    if track.track_id in task.poison:
        yield dead_letter(_crash(STAGE), track)
        return
    begin(track.track_id)
    try:
        source = open_location(track.location)
        envelope = decoder.envelope(source, name=track.source_path, track_id=track.track_id)
        windows = choose_windows(envelope.duration_s, envelope.rms, clips_per_track)
    except (DecodeError, OSError, ValueError) as error:
        yield dead_letter(_undecodable(error), track)
        return
    flags = (TRUNCATED,) if envelope.truncated else ()
    for start_ms, length_ms in windows:
        clip = Clip(make_clip_id(track.track_id, start_ms), start_ms / 1000, length_ms / 1000, track, flags)
        if clip.clip_id in task.finished:
            yield None
            continue
        if clip.clip_id in task.poison:
            yield dead_letter(_crash("annotate"), track, clip)
            continue
        begin(clip.clip_id)
        try:
            name, track_id = track.source_path, track.track_id
            samples, rate = decoder.read(source, clip.start_s, clip.duration_s, name, track_id=track_id)
        except DecodeError as error:
            yield dead_letter(_undecodable(error), track, clip)
            continue
        yield ClipWork(clip, ClipAudio(samples, rate))


def _crash(stage: str) -> Rejection:
    return Rejection(stage, "crash", "took a worker process down", retryable=True)


def _undecodable(error: DecodeError | OSError | ValueError) -> Rejection:
    name = type(error).__name__
    if isinstance(error, DecodeError):
        again = error.retryable
        return Rejection(STAGE, error.reason, str(error), error_type=name, retryable=again, located=True)
    return Rejection(STAGE, "unreadable", str(error), error_type=name, retryable=True)
