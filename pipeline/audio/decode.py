"""Audio files in, samples out, whatever the files are: decoding happens in a process that may die."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from fgmcaps.common.isolated import (
    FrameError,
    Handshake,
    IsolatedWorker,
    Message,
    RemoteError,
    WorkerCrashed,
    WorkerProtocolError,
    WorkerTimeout,
    worker_command,
)
from fgmcaps.pipeline.audio.tags import Tags, parse_tags

AudioInput = str | os.PathLike[str] | bytes
"""A file's path, or its content."""

MAX_WINDOW_S = 3600.0
CHANGED = "changed"
"""Reason of a DecodeError for a file whose bytes are not those that were hashed."""
# Bytes of a file that are surely decoded in a second: the time-out of a whole file grows with its size.
_SLOWEST_BYTES_PER_S = 4_000_000


class DecodeError(Exception):
    """A file that cannot be decoded.

    ``reason``: ``empty`` (no bytes or no samples), ``not_audio``, ``unsupported`` (a known container, but no decoder
    for its audio), ``corrupt`` (a known format, nothing decodable), ``truncated`` (cut before its first sample),
    ``past_end`` (no samples at the window), ``not_finite`` (NaN or infinity), ``too_long``, ``too_large``,
    ``unreadable`` (cannot be opened, or no regular file), ``changed`` (not the bytes that were hashed), ``timeout``,
    ``crash``, ``memory``, ``internal``.
    ``retryable``: the same file may be decoded another time. The message begins with the name of the file.
    """

    def __init__(self, reason: str, message: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.retryable = retryable

    def __reduce__(self) -> tuple[type["DecodeError"], tuple[str, str, bool]]:
        return type(self), (self.reason, str(self), self.retryable)


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header says: Hz, channels, seconds (None if it does not say; may lie), ``container/codec``."""

    sample_rate: int
    channels: int
    duration_s: float | None
    format: str


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """Loudness over a whole file.

    ``duration_s``: true decoded length. ``rms``: float32[m], RMS of the mono mix in hops of 0.5 s (the last hop may be
    shorter), full scale 1.0. ``truncated``: less could be decoded than the file promises.
    """

    duration_s: float
    rms: npt.NDArray[np.float32]
    truncated: bool


@dataclass(frozen=True, slots=True)
class SoundIdentity:
    """What tells a recording, whatever its tags and its encoding.

    ``payload``: hex SHA-256 of the encoded audio alone, None where it cannot be told from the rest of the file.
    ``tags``. ``duration_s``: seconds, None where the header does not say them exactly. ``fingerprint``: see
    :mod:`fgmcaps.pipeline.audio.fingerprint`, as bytes of little-endian uint16.
    """

    payload: str | None
    tags: Tags
    duration_s: float | None
    fingerprint: bytes


class Decoder:
    """Decodes through libsndfile, and through FFmpeg's libraries (PyAV) what that cannot read.

    One per Beam worker process; a context manager; thread-safe (calls queue). The process starts at the first call and
    anew after a crash or a time-out. All methods raise DecodeError for the file's faults and WorkerStartError if the
    decoder itself does not start.

    Args:
        timeout_s: seconds for one call; for a whole file, plus one second per 4 MB.
        memory_limit_bytes: address space of the decoding process.
        max_hours: longest file that ``envelope`` accepts.
    """

    def __init__(
        self, timeout_s: float = 60.0, memory_limit_bytes: int | None = 4 << 30, max_hours: float = 6.0
    ) -> None:
        self._timeout_s = timeout_s
        self._max_hours = max_hours
        self._worker = IsolatedWorker(
            worker_command("fgmcaps.pipeline.audio.decode_worker"),
            Handshake("fgmcaps-decode"),
            timeout_s=timeout_s,
            memory_limit_bytes=memory_limit_bytes,
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            remedy="run `make setup`: the decoder needs numpy, soundfile and av",
        )

    @property
    def pid(self) -> int | None:
        """Process id of the decoding process of the moment, None if there is none."""
        return self._worker.pid

    def versions(self) -> Mapping[str, str]:
        """Versions that the samples depend on: soundfile, libsndfile, av."""
        return self._worker.versions()

    def hash(self, audio: AudioInput, name: str | None = None) -> str:
        """SHA-256 (hex) of the file's bytes."""
        return str(
            self._ask("hash", audio, name, {}, self._timeout_s + _size(audio) / _SLOWEST_BYTES_PER_S).fields["sha256"]
        )

    def identify(self, audio: AudioInput, name: str | None = None) -> SoundIdentity:
        """What tells the recording; decodes its first 45 s."""
        reply = self._ask("identify", audio, name, {}, self._timeout_s + _size(audio) / _SLOWEST_BYTES_PER_S)
        values = reply.fields
        return SoundIdentity(
            None if values["payload"] is None else str(values["payload"]),
            parse_tags({str(name): str(value) for name, value in dict(values["tags"]).items()}),
            None if values["duration_s"] is None else float(values["duration_s"]),
            reply.arrays["fingerprint"].tobytes(),
        )

    def probe(self, audio: AudioInput, name: str | None = None) -> AudioInfo:
        """The header of a file; opens it and decodes one block. ``name`` stands for the file in messages."""
        values = self._ask("probe", audio, name, {}).fields
        duration = values["duration_s"]
        return AudioInfo(
            int(values["sample_rate"]),
            int(values["channels"]),
            None if duration is None else float(duration),
            str(values["format"]),
        )

    def envelope(self, audio: AudioInput, name: str | None = None, *, track_id: str | None = None) -> Envelope:
        """Decode a whole file in blocks, memory bounded; see :class:`Envelope`.

        DecodeError ``changed`` where the bytes are not those of ``track_id``.
        """
        extra = _size(audio) / _SLOWEST_BYTES_PER_S
        args = {"max_seconds": self._max_hours * 3600, "track_id": track_id}
        reply = self._ask("envelope", audio, name, args, self._timeout_s + extra)
        return Envelope(float(reply.fields["duration_s"]), reply.arrays["rms"], bool(reply.fields["truncated"]))

    def read(
        self,
        audio: AudioInput,
        start_s: float,
        duration_s: float,
        name: str | None = None,
        *,
        track_id: str | None = None,
    ) -> tuple[npt.NDArray[np.float32], int]:
        """``(samples, sample_rate)`` of a window: float32[n], mean of the channels, at the native rate in Hz.

        Shorter than ``duration_s`` where the file ends; DecodeError ``past_end`` where it has nothing. A function of
        the file and the window only. DecodeError ``changed`` where the bytes are not those of ``track_id``; ValueError
        for a window that is empty, not finite or longer than an hour.
        """
        if not (math.isfinite(start_s) and start_s >= 0 and 0 < duration_s <= MAX_WINDOW_S):
            raise ValueError(f"not a window: {duration_s} s from {start_s} s (0 to {MAX_WINDOW_S:g} s from 0 on)")
        extra = _size(audio) / _SLOWEST_BYTES_PER_S
        args = {"start_s": start_s, "duration_s": duration_s, "track_id": track_id}
        reply = self._ask("read", audio, name, args, self._timeout_s + extra)
        return reply.arrays["samples"], int(reply.fields["sample_rate"])

    def close(self) -> None:
        """End the decoding process."""
        self._worker.close()

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self, operation: str, audio: AudioInput, name: str | None, args: dict[str, Any], timeout_s: float | None = None
    ) -> Message:
        arrays = {}
        if isinstance(audio, bytes):
            shown = name or f"audio of {len(audio)} bytes"
            arrays["data"] = np.frombuffer(audio, np.uint8)
        else:
            path = os.path.abspath(os.fspath(audio))  # noqa: PTH100 - names that are not UTF-8 stay as they are
            shown = name or path
            args = {**args, "path": path}
        shown = shown.encode("utf-8", "replace").decode("utf-8")
        try:
            try:
                return self._worker.request(operation, {**args, "name": shown}, arrays, timeout_s)
            except WorkerTimeout as error:
                if not error.starved:
                    raise
                return self._worker.request(operation, {**args, "name": shown}, arrays, timeout_s)
            except WorkerCrashed:
                # Was it this file, or what an earlier one did to the process? A fresh one tells, so that the outcome
                # is a function of the file alone.
                return self._worker.request(operation, {**args, "name": shown}, arrays, timeout_s)
        except RemoteError as error:
            raise _decode_error(error, shown) from None
        except FrameError:
            raise DecodeError("too_large", f"{shown}: too large to be passed as bytes; give its path") from None
        except WorkerTimeout as error:
            message = (
                f"{shown}: no result within {timeout_s or self._timeout_s:g} s; decode it elsewhere or raise the limit"
            )
            raise DecodeError("timeout", message, error.retryable) from None
        except (WorkerCrashed, WorkerProtocolError) as error:
            raise DecodeError(
                "crash", f"{shown}: the decoder died on it; re-encode it or leave it out: {error}", True
            ) from None


def _decode_error(error: RemoteError, name: str) -> DecodeError:
    if error.type == "DecodeError":
        return DecodeError(str(error.data.get("reason")), error.remote_message, bool(error.data.get("retryable")))
    if error.type == "MemoryError" or error.type == "_ArrayMemoryError":
        return DecodeError("memory", f"{name}: needs more memory than the decoder may use; re-encode or split it", True)
    if error.type == "OSError":
        return DecodeError("unreadable", f"{name}: {error.remote_message}; check the disk and try again", True)
    return DecodeError("internal", f"{name}: the decoder failed ({error.type}: {error.remote_message}); report it")


def _size(audio: AudioInput) -> int:
    """Bytes of a file, 0 where that cannot be told: the worker then says why it cannot be opened."""
    if isinstance(audio, bytes):
        return len(audio)
    try:
        return os.stat(audio).st_size  # noqa: PTH116
    except (OSError, ValueError):
        return 0
