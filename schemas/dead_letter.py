"""What did not become a row, and why. Failed is not filtered: both are counted, never mixed."""

from dataclasses import dataclass
from typing import Literal

from fgmcaps.schemas.clip import Clip, Track

Kind = Literal["failed", "filtered"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One clip (or one track that could not be cut into clips: ``clip_id`` is None) that left the DAG.

    ``kind``: ``failed`` = an error, ``filtered`` = a sound clip that the gate turned away (silence, too short).
    ``reason`` is a short stable slug for counting (``decode``, ``silence``, ``timeout``), ``message`` is for people.
    ``retryable``: True where the same input may succeed later (time-out, crash, lost server, disk).
    """

    track_id: str
    clip_id: str | None
    source_path: str
    stage: str
    kind: Kind
    reason: str
    error_type: str
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A file that is no track of its own: ``source_path`` holds what the file ``of`` holds, told by ``how``."""

    source_path: str
    of: str
    how: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why something does not become a row, from code that does not know which clip it works on.

    The fields are those of :class:`DeadLetter`; ``located``: whether ``message`` names the file and the place already.
    """

    stage: str
    reason: str
    message: str
    kind: Kind = "failed"
    error_type: str = ""
    retryable: bool = False
    located: bool = False


def dead_letter(rejection: Rejection, track: Track, clip: Clip | None = None) -> DeadLetter:
    """The letter of one clip, or of the whole track when ``clip`` is None; its message names the file and the time."""
    where = track.source_path if clip is None else f"{track.source_path} at {clip.start_s:g} s"
    return DeadLetter(
        track_id=track.track_id,
        clip_id=None if clip is None else clip.clip_id,
        source_path=track.source_path,
        stage=rejection.stage,
        kind=rejection.kind,
        reason=rejection.reason,
        error_type=rejection.error_type,
        message=rejection.message if rejection.located else f"{where}: {rejection.message}",
        retryable=rejection.retryable,
    )
