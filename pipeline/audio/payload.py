"""In the decode worker: a digest of a file's encoded audio without its tags, and the tags."""

import hashlib
import os
from dataclasses import dataclass

from fgmcaps.pipeline.audio.mp3_length import parse_frame_header
from fgmcaps.pipeline.audio.streams import SourceError, open_container
from fgmcaps.pipeline.audio.tags import MAX_CHARACTERS, NAMES

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Payload:
    """``digest``: hex SHA-256 of the encoded audio, None where FFmpeg finds none. ``tags`` by FFmpeg's names."""

    digest: str | None
    tags: dict[str, str]


def read_payload(fd: int) -> Payload:
    """Equal digests mean equal encoded audio: other tags, pictures or containers change nothing."""
    import av

    try:
        with open_container(fd) as (container, stream):
            tags = {
                name.lower(): value[: 8 * MAX_CHARACTERS]
                for name, value in {**container.metadata, **stream.metadata}.items()
                if name.lower() in NAMES
            }
            context = stream.codec_context
            digest = hashlib.sha256(f"{context.name if context else ''} {stream.rate} {stream.channels}\n".encode())
            mp3 = context is not None and context.name.startswith("mp3")
            size = 0
            try:
                for packet in container.demux(stream):
                    data = bytes(packet)
                    if mp3 and parse_frame_header(data) is None:
                        continue  # a tag at the end that FFmpeg does not know
                    digest.update(data)
                    size += len(data)
            except (av.FFmpegError, OSError, ValueError):
                return Payload(None, tags)  # damaged: its bytes tell it apart
    except SourceError:
        return Payload(None, {})
    return Payload(digest.hexdigest() if size else None, tags)


def hash_file(fd: int, size: int) -> str:
    """Hex SHA-256 of the first ``size`` bytes; a file that grows meanwhile costs no more."""
    digest, at = hashlib.sha256(), 0
    while at < size and (data := os.pread(fd, min(_CHUNK, size - at), at)):
        digest.update(data)
        at += len(data)
    return digest.hexdigest()
