"""The process that opens hostile audio files: probe, envelope, read. Of the pipeline it imports the sources only."""

import errno
import mmap
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from fgmcaps.common.isolated.framing import Array, Message
from fgmcaps.common.isolated.server import Channel, HandlerError, Tool, serve
from fgmcaps.pipeline.audio.mp3_length import with_stated_length
from fgmcaps.pipeline.audio.streams import (
    TOLERANCE_S,
    AvSource,
    Block,
    SndfileSource,
    Source,
    SourceError,
    UnsupportedError,
    container_name,
)

TOOL = "fgmcaps-decode"
HOP_S = 0.5
_CHUNK_S = 30
_LASTING_ERRORS = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}

Mono = npt.NDArray[np.float32]


def fail(reason: str, message: str, retryable: bool = False) -> HandlerError:
    """The error that the client raises as DecodeError."""
    return HandlerError("DecodeError", message, {"reason": reason, "retryable": retryable})


def mono(block: Block) -> Mono:
    """Mean of the channels: float32[n, channels] -> float32[n]."""
    total = block[:, 0].copy()
    for channel in range(1, block.shape[1]):
        total += block[:, channel]
    if block.shape[1] > 1:
        total /= np.float32(block.shape[1])
    return total


def block_rms(samples: Mono, sample_rate: int) -> npt.NDArray[np.float32]:
    """RMS of hop i = frames floor(i * rate / 2) to floor((i + 1) * rate / 2); the last hop may be shorter.

    ``samples`` begins on a whole second. Squares are summed in float64.
    """
    hops = -(-len(samples) * 2 // sample_rate)
    edges = np.minimum(np.arange(hops + 1) * sample_rate // 2, len(samples))
    squares = samples.astype(np.float64) ** 2
    return np.sqrt(np.add.reduceat(squares, edges[:-1]) / np.diff(edges)).astype(np.float32)


def envelope(source: Source, name: str, max_seconds: float) -> Message:
    """True duration, RMS per half second and truncation of a stream, decoded once from end to end."""
    rate = source.sample_rate
    chunk, frames = _CHUNK_S * rate, 0
    pending: list[Mono] = []
    waiting = 0
    rms: list[npt.NDArray[np.float32]] = []
    for block in source.blocks(0):
        samples = finite(mono(block), name)
        frames += len(samples)
        if frames > max_seconds * rate:
            raise fail("too_long", f"{name}: longer than {max_seconds / 3600:g} h; split it or raise the limit")
        pending.append(samples)
        waiting += len(samples)
        if waiting >= chunk:
            joined = np.concatenate(pending)
            rms.append(block_rms(joined[:chunk], rate))
            pending, waiting = [joined[chunk:]], waiting - chunk
    if waiting:
        rms.append(block_rms(np.concatenate(pending), rate))
    missing = 0 if source.promised is None else source.promised - frames
    cut = source.cut or missing > TOLERANCE_S * rate
    if frames == 0:
        if cut:
            raise fail("truncated", f"{name}: cut short before its first sample; get the file again")
        raise fail("empty", f"{name}: an audio file of zero samples; leave it out")
    values = {"duration_s": frames / rate, "truncated": cut, "frames": frames, "sample_rate": rate}
    return Message(values, {"rms": np.concatenate(rms)})


def window(source: Source, name: str, start_s: float, duration_s: float) -> Message:
    """Mono samples of ``[start_s, start_s + duration_s)``, shorter where the stream ends."""
    rate = source.sample_rate
    start, wanted = round(start_s * rate), round(duration_s * rate)
    parts: list[Mono] = []
    for block in source.blocks(start):
        parts.append(mono(block[:wanted]))
        wanted -= len(parts[-1])
        if wanted <= 0:
            break
    if not parts:
        raise fail("past_end", f"{name}: nothing to decode at {start_s:g} s; the file is shorter or broken there")
    return Message({"sample_rate": rate}, {"samples": finite(np.concatenate(parts), name)})


def finite(samples: Mono, name: str) -> Mono:
    """The samples themselves; DecodeError ``not_finite`` where NaN or infinity is among them."""
    if not np.isfinite(samples).all():
        raise fail("not_finite", f"{name}: NaN or infinity among its samples; export it again")
    return samples


@contextmanager
def opened(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[tuple[Source, str]]:
    """The source of a request: a path in ``args``, or the file's bytes in ``arrays``. Raises DecodeError."""
    name = str(args["name"])
    fd = _memory_file(arrays["data"].data) if "data" in arrays else _open_regular(str(args["path"]), name)
    try:
        fd = _stating_its_length(fd)
        yield open_source(fd, name), name
    finally:
        os.close(fd)


def open_source(fd: int, name: str) -> Source:
    """libsndfile, else FFmpeg, else the DecodeError that says why."""
    head = os.pread(fd, 64, 0)
    if not head:
        raise fail("empty", f"{name}: zero bytes; get the file again")
    problems: list[SourceError] = []
    for backend in (SndfileSource, AvSource):
        try:
            return backend(fd)
        except SourceError as error:
            problems.append(error)
    looks, found = container_name(head), "; ".join(map(str, problems))
    if looks is None:
        raise fail("not_audio", f"{name}: not in any known audio format ({found}); leave it out")
    if isinstance(problems[-1], UnsupportedError):
        raise fail(
            "unsupported", f"{name}: looks like {looks}, but cannot be decoded here ({found}); convert it to FLAC"
        )
    raise fail("corrupt", f"{name}: looks like {looks}, but nothing in it can be decoded ({found}); get the file again")


def _open_regular(path: str, name: str) -> int:
    """Descriptor of a regular file. Without O_NONBLOCK a FIFO would hang us; a device would never end."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        code = error.errno if isinstance(error, OSError) else None
        text = os.strerror(code) if code else str(error)
        lasting = code is None or code in _LASTING_ERRORS
        message = f"{name}: cannot be opened: {text}; check the path and its permissions"
        raise fail("unreadable", message, not lasting) from None
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
        raise fail("unreadable", f"{name}: {kind}, not a file; leave it out")
    return fd


def _memory_file(*parts: memoryview | bytes) -> int:
    fd = os.memfd_create("audio")
    for part in parts:
        view = memoryview(part)
        while len(view):
            view = view[os.write(fd, view) :]
    return fd


def _stating_its_length(fd: int) -> int:
    """``fd`` itself, or in its place a copy in memory of an MP3 that did not state its length and now does."""
    lacking = with_stated_length(fd)
    if lacking is None:
        return fd
    frame, start = lacking
    with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view, view[start:] as audio:
        copy = _memory_file(frame, audio)
    os.close(fd)
    return copy


def _handle_probe(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
    with opened(args, arrays) as (source, _):
        seconds = None if source.frames is None else source.frames / source.sample_rate
        values = {"sample_rate": source.sample_rate, "channels": source.channels, "format": source.format}
        return Message({**values, "duration_s": seconds})


def _handle_envelope(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
    with opened(args, arrays) as (source, name):
        return envelope(source, name, float(args["max_seconds"]))


def _handle_read(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
    with opened(args, arrays) as (source, name):
        return window(source, name, float(args["start_s"]), float(args["duration_s"]))


def main(channel: Channel) -> None:
    """Serve decoding requests."""
    versions = {
        "numpy": np.__version__,
        "soundfile": soundfile.__version__,
        "libsndfile": soundfile.__libsndfile_version__,
        "av": version("av"),
    }
    handlers = {"probe": _handle_probe, "envelope": _handle_envelope, "read": _handle_read}
    serve(channel, Tool(TOOL, versions), handlers)
