"""What did not become a row, and why. Failed is not filtered: both are counted, never mixed."""

from dataclasses import dataclass
from typing import Literal

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
