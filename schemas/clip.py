"""Tracks and the 10 s clips cut from them."""

from dataclasses import dataclass, field

CLIP_SECONDS = 10.0
CLIP_SAMPLE_RATE = 24_000


@dataclass(frozen=True, slots=True)
class TrackMetadata:
    """What the user knows of a track; everything optional. ``split`` overrides the hashed split.

    ``kept``: name and text of the user's own columns that go into the rows as they are.
    """

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: tuple[str, ...] = ()
    mood: tuple[str, ...] = ()
    licence: str | None = None
    split: str | None = None
    kept: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """One audio file after dedup.

    ``location`` is where a worker opens it (a path, or ``path#row`` of a Parquet dataset); ``source_path`` is the
    portable name that goes into rows (relative to the input). ``source`` names the corpus.
    """

    track_id: str
    location: str
    source: str
    source_path: str
    size: int
    split: str
    metadata: TrackMetadata = field(default_factory=TrackMetadata)


@dataclass(frozen=True, slots=True)
class Clip:
    """A window of a track: ``start_s`` and ``duration_s`` in seconds of the decoded track.

    ``flags``: what is odd about its audio, as in a row's ``qc_flags`` (``audio:truncated``).
    """

    clip_id: str
    start_s: float
    duration_s: float
    track: Track
    flags: tuple[str, ...] = ()
