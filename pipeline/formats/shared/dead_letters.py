"""Dead letters of an import: clips that do not become rows."""

import hashlib

from fgmcaps.schemas import DeadLetter
from fgmcaps.schemas.dead_letter import Kind


def import_letter(
    source_path: str, kind: Kind, reason: str, message: str, *, track_id: str | None = None, error_type: str = ""
) -> DeadLetter:
    """The letter of one clip; without ``track_id`` (no audio to make it from) the id is made from the clip's name."""
    name = source_path.encode("utf-8", "surrogatepass")
    track_id = track_id or hashlib.sha256(b"import:" + name).hexdigest()[:16]
    return DeadLetter(track_id, None, source_path, "import", kind, reason, error_type, message)
