"""Take in one clip of another dataset: hash it, decode it, cut it, read its labels, and make a row's parts of it."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from fgmcaps.common.fingerprints import sha256_of
from fgmcaps.common.one_line import one_line
from fgmcaps.common.safe_paths import portable_path
from fgmcaps.pipeline.audio.decode import DecodeError, Decoder
from fgmcaps.pipeline.audio.encode import encode_flac
from fgmcaps.pipeline.formats.base import ForeignClip
from fgmcaps.pipeline.formats.shared.dead_letters import import_letter
from fgmcaps.schemas import CLIP_SECONDS, Annotation, Caption, Clip, DeadLetter, ToolInfo, Track, TrackMetadata
from fgmcaps.schemas.dead_letter import Kind
from fgmcaps.schemas.ids import make_clip_id, track_id_of_digest

MIN_SECONDS = 1.0
CUT_FLAG = f"audio:cut_to_{CLIP_SECONDS:g}_s"
_LOOK_AHEAD_S = 0.5


@dataclass(frozen=True, slots=True)
class ClipParts:
    """What a row is made of: a clip in our contracts, and its audio as 24 kHz mono FLAC."""

    annotation: Annotation
    caption: Caption
    flac: bytes


def take_in(clip: ForeignClip, source: str, tool: ToolInfo, decoder: Decoder) -> ClipParts | DeadLetter:
    """The clip's first 10 s as a row's parts, or why not.

    A longer clip is cut and flagged ``audio:cut_to_10_s``; a shorter one keeps its length. Under 1 s it is filtered.
    """
    track_id = None
    try:
        track_id = track_id_of_digest(_sha256(clip.audio))
        samples, rate = decoder.read(clip.audio, 0.0, CLIP_SECONDS + _LOOK_AHEAD_S, name=clip.source_path)
    except DecodeError as error:
        return _letter(clip, track_id, "failed", error.reason, error)
    except OSError as error:
        return _letter(clip, track_id, "failed", "unreadable", error)
    whole = round(CLIP_SECONDS * rate)
    is_cut, samples = len(samples) > whole, samples[:whole]
    duration_s = CLIP_SECONDS if len(samples) == whole else len(samples) / rate
    if duration_s < MIN_SECONDS:
        return _letter(clip, track_id, "filtered", "too_short", ValueError(f"{duration_s:.2f} s of audio"))
    try:
        flac = encode_flac(samples, rate)
    except ValueError as error:  # NaN or infinity
        return _letter(clip, track_id, "filtered", "non_finite", error)
    labels, estimates = clip.labels(duration_s)
    if is_cut:
        labels = replace(labels, qc_flags=(CUT_FLAG, *labels.qc_flags))
    size = len(clip.audio) if isinstance(clip.audio, bytes) else clip.audio.stat().st_size
    location = clip.audio.as_posix() if isinstance(clip.audio, Path) else clip.source_path
    name = portable_path(clip.source_path)
    track = Track(track_id, location, source, name, size, clip.split, _printable(clip.metadata))
    ours = Clip(make_clip_id(track_id, 0), 0.0, duration_s, track)
    first, *others = clip.captions
    version = f"{tool.name} {tool.version}"
    caption = Caption(ours.clip_id, first.text, first.style, "imported", "", version, extra=tuple(others))
    return ClipParts(Annotation(ours, labels, estimates), caption, flac)


def _printable(metadata: TrackMetadata) -> TrackMetadata:
    """The same without control characters."""

    def line(text: str | None) -> str | None:
        return None if text is None else one_line(text) or None

    return replace(
        metadata,
        title=line(metadata.title),
        artist=line(metadata.artist),
        album=line(metadata.album),
        genre=tuple(x for text in metadata.genre if (x := line(text))),
        mood=tuple(x for text in metadata.mood if (x := line(text))),
        licence=line(metadata.licence),
    )


def _sha256(audio: bytes | Path) -> str:
    return hashlib.sha256(audio).hexdigest() if isinstance(audio, bytes) else sha256_of(audio)


def _letter(clip: ForeignClip, track_id: str | None, kind: Kind, reason: str, error: Exception) -> DeadLetter:
    message = f"{clip.source_path}: {error}"
    name = type(error).__name__
    return import_letter(clip.source_path, kind, reason, message, track_id=track_id, error_type=name)
