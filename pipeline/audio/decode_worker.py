"""The process that opens hostile audio files: hash, identify, probe, envelope, read."""

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
from fgmcaps.pipeline.audio.data_size import with_data_size
from fgmcaps.pipeline.audio.fingerprint import SECONDS, fingerprint_of, to_bytes
from fgmcaps.pipeline.audio.mp3_length import with_stated_length
from fgmcaps.pipeline.audio.payload import hash_file, read_payload
from fgmcaps.pipeline.audio.streams import (
    TOLERANCE_S,
    AvSource,
    Block,
    SndfileSource,
    Source,
    SourceError,
    UnsupportedError,
    container_name,
    is_chained,
    stated_seconds,
)

TOOL = "fgmcaps-decode"
HOP_S = 0.5
_CHUNK_S = 30
_CANCELS = 0.01
_VERIFIED_FILES = 64
_MAX_COPIED_BYTES = 1 << 30
# Six hours of eight channels at 96 kHz and 24 bits are 50 GB; what is larger, or empty on disk, is not read at all.
MAX_FILE_BYTES = 64 << 30
_SPARSE = 1 << 30
_LASTING_ERRORS = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}

Mono = npt.NDArray[np.float32]


def fail(reason: str, message: str, retryable: bool = False) -> HandlerError:
    """The error that the client raises as DecodeError."""
    return HandlerError("DecodeError", message, {"reason": reason, "retryable": retryable})


class Mixer:
    """Channels to one: their mean, unless they cancel each other.

    A cable with crossed wires or a karaoke effect gives two channels of opposite phase, whose mean is silence: it has
    less than a hundredth of their energy. :meth:`turned` then mixes with the channels that run against the first one
    turned round.
    """

    def __init__(self, channels: int, signs: npt.NDArray[np.float32] | None = None) -> None:
        self._signs = signs
        self._against_first = np.zeros(channels)
        self._energy = self._energy_of_mix = 0.0

    def mix(self, block: Block) -> Mono:
        """float32[n, channels] -> float32[n]."""
        channels = block.shape[1]
        if channels == 1:
            return block[:, 0].copy()
        if self._signs is not None:
            block = block * self._signs
        total = block[:, 0].copy()
        for channel in range(1, channels):
            total += block[:, channel]
        total /= np.float32(channels)
        self._against_first += block.T @ block[:, 0]
        self._energy += float(np.vdot(block, block)) / channels
        self._energy_of_mix += float(np.vdot(total, total))
        return total

    def turned(self) -> "Mixer | None":
        """The mixer for a second pass, where what was mixed so far has cancelled; else None."""
        if self._signs is not None or not self._energy_of_mix < _CANCELS * self._energy:
            return None
        signs = np.where(self._against_first < 0, np.float32(-1), np.float32(1))
        return Mixer(len(signs), signs)


def block_rms(samples: Mono, sample_rate: int) -> npt.NDArray[np.float32]:
    """RMS of hop i = frames floor(i * rate / 2) to floor((i + 1) * rate / 2); the last hop may be shorter.

    ``samples`` begins on a whole second. Squares are summed in float64.
    """
    hops = -(-len(samples) * 2 // sample_rate)
    edges = np.minimum(np.arange(hops + 1) * sample_rate // 2, len(samples))
    squares = samples.astype(np.float64) ** 2
    return np.sqrt(np.add.reduceat(squares, edges[:-1]) / np.diff(edges)).astype(np.float32)


def envelope(source: Source, name: str, max_seconds: float) -> Message:
    """True duration, RMS per half second and truncation of a stream, decoded from end to end."""
    mixer: Mixer | None = Mixer(source.channels)
    while mixer is not None:
        frames, rms = _loudness(source, name, max_seconds, mixer)
        mixer = mixer.turned()
    rate = source.sample_rate
    missing = 0 if source.promised is None else source.promised - frames
    cut = source.cut or missing > TOLERANCE_S * rate
    if frames == 0:
        if cut:
            raise fail("truncated", f"{name}: cut short before its first sample; get the file again")
        raise fail("empty", f"{name}: an audio file of zero samples; leave it out")
    values = {"duration_s": frames / rate, "truncated": cut, "frames": frames, "sample_rate": rate}
    return Message(values, {"rms": np.concatenate(rms)})


def _loudness(source: Source, name: str, max_seconds: float, mixer: Mixer) -> tuple[int, list[npt.NDArray[np.float32]]]:
    """Frames in the whole stream, and its RMS per half second in parts."""
    rate = source.sample_rate
    chunk, frames = _CHUNK_S * rate, 0
    pending: list[Mono] = []
    waiting = 0
    rms: list[npt.NDArray[np.float32]] = []
    for block in source.blocks(0):
        samples = finite(mixer.mix(block), name)
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
    return frames, rms


def window(source: Source, name: str, start_s: float, duration_s: float) -> Message:
    """Mono samples of ``[start_s, start_s + duration_s)``, shorter where the stream ends."""
    mixer: Mixer | None = Mixer(source.channels)
    while mixer is not None:
        parts = list(_mixed(source, start_s, duration_s, mixer))
        mixer = mixer.turned()
    if not parts:
        raise fail("past_end", f"{name}: nothing to decode at {start_s:g} s; the file is shorter or broken there")
    return Message({"sample_rate": source.sample_rate}, {"samples": finite(np.concatenate(parts), name)})


def _mixed(source: Source, start_s: float, duration_s: float, mixer: Mixer) -> Iterator[Mono]:
    rate = source.sample_rate
    wanted = round(duration_s * rate)
    for block in source.blocks(round(start_s * rate)):
        yield mixer.mix(block[:wanted])
        wanted -= len(block)
        if wanted <= 0:
            return


def finite(samples: Mono, name: str) -> Mono:
    """The samples themselves; DecodeError ``not_finite`` where NaN or infinity is among them."""
    if not np.isfinite(samples).all():
        raise fail("not_finite", f"{name}: NaN or infinity among its samples; export it again")
    return samples


@contextmanager
def opened(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[tuple[int, str]]:
    """A request's file (:func:`opened_file`), its length stated; the track ``args["track_id"]``, if given."""
    with opened_file(args, arrays) as (fd, name):
        before = _stamp(fd)
        track_id = args.get("track_id")
        if track_id is not None and _digest(fd, before)[: len(track_id)] != track_id:
            raise changed(name)
        stating = _stating_its_length(fd)
        try:
            yield stating, name
        finally:
            if stating != fd:
                os.close(stating)
        if _stamp(fd) != before:
            raise changed(name)


@contextmanager
def opened_file(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[tuple[int, str]]:
    """Descriptor of a request's file (a path in ``args``, its bytes in ``arrays``) and its name. Raises DecodeError."""
    name = str(args["name"])
    fd = _memory_file(arrays["data"].data) if "data" in arrays else _open_regular(str(args["path"]), name)
    try:
        yield fd, name
    finally:
        os.close(fd)


def changed(name: str) -> HandlerError:
    """The error for a file that is not, or no longer, what was hashed."""
    return fail("changed", f"{name}: changed since it was hashed; run again to plan it anew", retryable=True)


Stamp = tuple[int, int, int, int, int]
_verified: dict[Stamp, str] = {}


def _stamp(fd: int) -> Stamp:
    """What changes when a file is written to or replaced, its times put back or not."""
    found = os.fstat(fd)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _digest(fd: int, stamp: Stamp) -> str:
    """SHA-256 of a file's bytes; known for the files of the last requests, so that windows of one cost one reading."""
    known = _verified.pop(stamp, None)
    _verified[stamp] = digest = known or hash_file(fd, stamp[2])
    while len(_verified) > _VERIFIED_FILES:
        del _verified[next(iter(_verified))]
    return digest


def open_source(fd: int, name: str) -> Source:
    """libsndfile, else FFmpeg, else the DecodeError that says why. FFmpeg first where libsndfile errs in silence."""
    head = os.pread(fd, 64, 0) if os.fstat(fd).st_size else b""
    if not head:
        raise fail("empty", f"{name}: zero bytes; get the file again")
    problems: list[SourceError] = []
    # libsndfile reads the block headers of a VOC as sound, and one stream of several in an Ogg.
    misread = head.startswith(b"Creative Voice File") or (head.startswith(b"OggS") and is_chained(fd))
    for backend in (AvSource, SndfileSource) if misread else (SndfileSource, AvSource):
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
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, socket or device"
        raise fail("unreadable", f"{name}: {kind}, not a file; leave it out")
    on_disk = found.st_blocks * 512
    if found.st_size > MAX_FILE_BYTES or (found.st_size > _SPARSE and on_disk < found.st_size // 100):
        os.close(fd)
        sizes = f"{found.st_size / 1e9:.1f} GB, {on_disk / 1e9:.1f} GB of them on disk"
        raise fail("too_large", f"{name}: not a plausible audio file ({sizes}); leave it out or split it")
    return fd


def _memory_file(*parts: memoryview | bytes) -> int:
    fd = os.memfd_create("audio")
    for part in parts:
        view = memoryview(part)
        while len(view):
            view = view[os.write(fd, view) :]
    return fd


def _stating_its_length(fd: int) -> int:
    """``fd`` itself, or a copy in memory of a file that did not state its length, or a wrong one, and now does."""
    head = with_data_size(fd)
    lacking = with_stated_length(fd) if head is None else (head, len(head))
    if lacking is None or os.fstat(fd).st_size > _MAX_COPIED_BYTES:
        return fd
    frame, start = lacking
    with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view, view[start:] as audio:
        return _memory_file(frame, audio)


def _second_opinion(fd: int, first: Source) -> Source | None:
    """FFmpeg, where libsndfile was the first to be asked and FFmpeg reads the file too."""
    if isinstance(first, AvSource):
        return None
    try:
        return AvSource(fd)
    except SourceError:
        return None


def _handle_probe(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
    with opened(args, arrays) as (fd, name):
        source = open_source(fd, name)
        seconds = None if source.frames is None else source.frames / source.sample_rate
        values = {"sample_rate": source.sample_rate, "channels": source.channels, "format": source.format}
        return Message({**values, "duration_s": seconds})


def _handle_envelope(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
    with opened(args, arrays) as (fd, name):
        source = open_source(fd, name)
        found = envelope(source, name, float(args["max_seconds"]))
        seconds = float(found.fields["duration_s"])
        stated = stated_seconds(fd) if isinstance(source, SndfileSource) else None
        more = stated is not None and stated > seconds + TOLERANCE_S
        if (more or found.fields["truncated"]) and (other := _second_opinion(fd, source)) is not None:
            again = envelope(other, name, float(args["max_seconds"]))
            if float(again.fields["duration_s"]) > seconds + TOLERANCE_S:
                return again
        return Message({**found.fields, "truncated": bool(found.fields["truncated"] or more)}, found.arrays)


def _handle_read(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
    with opened(args, arrays) as (fd, name):
        return read_window(fd, name, float(args["start_s"]), float(args["duration_s"]))


def read_window(fd: int, name: str, start_s: float, duration_s: float) -> Message:
    """See :func:`window`; where the first decoder gives less than was asked for, the other one may give more."""
    source = open_source(fd, name)
    error, got = None, None
    try:
        got = window(source, name, start_s, duration_s)
        if len(got.arrays["samples"]) >= round(duration_s * source.sample_rate):
            return got
    except HandlerError as found:
        error = found
    other = _second_opinion(fd, source)
    if other is not None:
        try:
            again = window(other, name, start_s, duration_s)
        except HandlerError:
            again = None
        if again is not None and (got is None or _seconds_of(again) > _seconds_of(got) + TOLERANCE_S):
            return again
    if got is None:
        assert error is not None
        raise error
    return got


def _seconds_of(found: Message) -> float:
    return float(len(found.arrays["samples"]) / int(found.fields["sample_rate"]))


def _handle_hash(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
    with opened_file(args, arrays) as (fd, name):
        before = _stamp(fd)
        digest = hash_file(fd, before[2])
        if _stamp(fd) != before:
            raise changed(name)
        return Message({"sha256": digest})


def _handle_identify(args: Mapping[str, Any], arrays: Mapping[str, Array]) -> Message:
    with opened_file(args, arrays) as (fd, name):
        if os.fstat(fd).st_size == 0:  # also what pretends to be a file in /proc
            raise fail("empty", f"{name}: zero bytes; get the file again")
        payload = read_payload(fd)
    with opened(args, arrays) as (fd, name):
        source = open_source(fd, name)
        frames = source.promised
        start = window(source, name, 0, SECONDS)
    prints = fingerprint_of(start.arrays["samples"], source.sample_rate)
    seconds = None if frames is None else frames / source.sample_rate
    values = {"payload": payload.digest, "tags": payload.tags, "duration_s": seconds}
    return Message(values, {"fingerprint": np.frombuffer(to_bytes(prints), np.uint8)})


def main(channel: Channel) -> None:
    """Serve decoding requests."""
    versions = {
        "numpy": np.__version__,
        "soundfile": soundfile.__version__,
        "libsndfile": soundfile.__libsndfile_version__,
        "av": version("av"),
    }
    handlers = {
        "hash": _handle_hash,
        "identify": _handle_identify,
        "probe": _handle_probe,
        "envelope": _handle_envelope,
        "read": _handle_read,
    }
    serve(channel, Tool(TOOL, versions), handlers)
