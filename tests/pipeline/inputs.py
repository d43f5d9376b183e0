"""Small inputs for tests that never annotate: files of valid audio bytes, found files and hashes."""

import hashlib
import wave
from pathlib import Path

from fgmcaps.pipeline.sources import FoundFile
from fgmcaps.pipeline.sources.inventory import Identity, KnownSound, Unread
from fgmcaps.schemas import TrackMetadata


def write_wav(path: Path, seed: int = 0, frames: int = 80) -> Path:
    """A 16-bit mono WAV of 8 kHz whose bytes depend on ``seed``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes((seed * 7 + i) % 256 for i in range(2 * frames)))
    return path


def sha(text: str) -> str:
    """A SHA-256 to stand for the bytes of a file."""
    return hashlib.sha256(text.encode()).hexdigest()


def known(name: str, content: str | None = None, **metadata: object) -> KnownSound:
    """File ``name`` holding ``content`` (default: its own name)."""
    file = FoundFile(f"/music/{name}", name, 1, "1:1", TrackMetadata(**metadata))
    return KnownSound(file, Identity(sha(content or name)))


def unreadable(name: str) -> Unread:
    """A file that could not be read."""
    return Unread(FoundFile(f"/music/{name}", name, 0, "missing"), "FileNotFoundError: No such file or directory")
