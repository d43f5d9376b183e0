"""Audio files as streams of blocks: libsndfile first, FFmpeg where that cannot read. Runs in the decode worker.

Conventions
-----------
- A source is opened on a descriptor of a regular file, never on a name, so that odd names and races do not matter.
- ``blocks(start)`` yields float32[n, channels] at the native rate from frame ``start`` to the end of what can be
  decoded; it begins from a fresh handle, so equal calls give equal samples whatever was read before.
- What a header claims decides no allocation and no loop.
"""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from fgmcaps.pipeline.audio.mp3_length import states_length

Block = npt.NDArray[np.float32]

BLOCK_FRAMES = 8192
PREROLL_BLOCKS = 8
MAX_CHANNELS = 64
SAMPLE_RATES = (1_000, 768_000)
# A file counts as cut short where this much of what its header promises is missing.
TOLERANCE_S = 0.1

# Containers that FFmpeg may open. Playlists and the like are left out: they would read other files.
AV_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,iff,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,"
    "mpc,mpc8,mpeg,mpegts,ogg,rm,shn,tak,truehd,tta,voc,w64,wav,wv,xwma"
)
_AV_OPTIONS = {"format_whitelist": AV_FORMATS, "protocol_whitelist": ""}  # it reads our descriptor and nothing else

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "MPEG-4"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"wvpk", "WavPack"),
    (0, b"TTA1", "True Audio"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x0b\x77", "AC-3"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
    (0, b"ID3", "MP3 or another tagged stream"),
    (0, b"\xff\xfb", "MP3"),
    (0, b"\xff\xf3", "MP3"),
    (0, b"OggS", "Ogg"),
    (0, b"fLaC", "FLAC"),
    (0, b"RIFF", "RIFF"),
    (0, b"FORM", "AIFF"),
    (0, b"caff", "CAF"),
    (0, b"DSD ", "DSF"),
    (0, b"FLV", "Flash video"),
    (0, b".RMF", "RealMedia"),
)

# libsndfile's parser notes: a chunk that promises more bytes than the file has.
_SHORT_CHUNK = re.compile(r"^\s*(?:data|SSND|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)
# An empty recording is not larger; more bytes than these hold something.
_LONGEST_HEADER = 16_384
_UNKNOWN_LENGTH = 0xFFFFFFFF  # what writers to a pipe put there
_NO_LENGTH = 1 << 62  # libsndfile's frame count where a header states none

# Containers of FFmpeg's that state a length; for the others it guesses it from the bit rate.
_STATES_LENGTH = ("mov", "matroska", "asf", "wv", "ape", "tta", "tak", "mpc", "caf", "wav", "aiff", "ogg", "flac")


class SourceError(Exception):
    """This backend cannot read the file; the text says what it found."""


class UnsupportedError(SourceError):
    """The file is sound as far as it shows, but its audio is of a kind that nothing here decodes."""


class Source(Protocol):
    """An open audio stream.

    ``frames`` is the length by the header (None if it says none), a guess for some formats; ``promised`` the same
    where a whole file has exactly that many. ``cut``: the stream ends before its proper end, as far as it shows.
    """

    sample_rate: int
    channels: int
    frames: int | None
    promised: int | None
    format: str
    cut: bool

    def blocks(self, start: int) -> Iterator[Block]:
        """Blocks from frame ``start`` on; sets ``cut`` where decoding stopped on an error."""


class _Stream(soundfile.SoundFile):
    """A SoundFile that reads on without a seek.

    soundfile seeks to where it stands after each read; an MP3 decoder forgets its bit reservoir at that, and the first
    hundreds of samples of the next block come out wrong (measured: errors up to 0.4 of full scale at 32 kbit/s).
    """

    def seekable(self) -> bool:
        """False: soundfile then leaves the position alone. ``seek`` itself works."""
        return False


class SndfileSource:
    """A stream that libsndfile reads."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        with closing(self._open()) as file:
            self.sample_rate, self.channels = file.samplerate, file.channels
            self.frames: int | None = file.frames if file.frames < _NO_LENGTH else None
            exact = file.format != "MP3" or states_length(fd)
            self.promised = self.frames if exact else None
            self.format = f"{file.format}/{file.subtype}"
            self.cut = _promises_more(file.extra_info)
            check_layout(self.sample_rate, self.channels)
            first, error = _read_block(file, self.channels)
        if len(first) == 0 and (file.frames > 0 or os.fstat(fd).st_size > _LONGEST_HEADER):
            reason = _reason(error) if error else "no audio follows its header"
            raise SourceError(f"libsndfile: {reason}")

    def blocks(self, start: int) -> Iterator[Block]:
        """See :class:`Source`. Always on one grid of blocks, so that every call loses the same ones to a broken end."""
        if self.frames is not None and start >= self.frames:
            return
        # The decoder's memory fills again before the window: lossy codecs need up to about 25,000 frames for that.
        first = max(0, start // BLOCK_FRAMES - PREROLL_BLOCKS) * BLOCK_FRAMES
        file = self._open()
        if first:
            try:
                file.seek(first)
            except soundfile.LibsndfileError:  # a broken file may still be read from its start
                file.close()
                file = self._open()
                first = 0
        position = first
        with closing(file):
            while True:
                block, error = _read_block(file, self.channels)
                if position + len(block) > start:
                    yield block[max(0, start - position) :]
                position += len(block)
                if error and self.frames is not None:  # without a known length the end itself is an error
                    self.cut = True
                if error or len(block) == 0:
                    return

    def _open(self) -> _Stream:
        os.lseek(self._fd, 0, os.SEEK_SET)
        handle = os.dup(self._fd)
        try:
            return _Stream(handle, closefd=True)
        except soundfile.LibsndfileError as error:
            raise SourceError(f"libsndfile: {_reason(error)}") from None


class AvSource:
    """A stream that FFmpeg reads, through PyAV. Decoded from the start each time, so that windows are exact."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.cut = False
        with open_container(self._fd) as (container, stream):
            context = stream.codec_context
            if context is None or stream.rate is None:
                raise UnsupportedError("FFmpeg: no decoder for its audio")
            self.sample_rate, self.channels = int(stream.rate), int(stream.channels)
            check_layout(self.sample_rate, self.channels)
            self.format = f"{container.format.name}/{context.name}"
            seconds = _seconds(container, stream)
        self.frames = None if seconds is None else round(seconds * self.sample_rate)
        self.promised = self.frames if self.format.startswith(_STATES_LENGTH) else None
        if next(self.blocks(0), None) is None:
            raise SourceError("FFmpeg: no audio in it can be decoded")
        self.cut = False

    def blocks(self, start: int) -> Iterator[Block]:
        """See :class:`Source`. A packet that cannot be decoded is left out, as players do."""
        position = 0
        with open_container(self._fd) as (container, stream):
            for block in self._decoded(container, stream):
                if position + len(block) > start:
                    yield block[max(0, start - position) :]
                position += len(block)

    def _decoded(self, container: Any, stream: Any) -> Iterator[Block]:
        import av

        packets = container.demux(stream)
        failed = False
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError, ValueError):
                failed, packet = True, None
            if packet is None:
                break
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                failed = True
                continue
            for frame in frames:
                if frame.sample_rate != self.sample_rate or frame.layout.nb_channels != self.channels:
                    self.cut = True  # another stream begins here, of another layout
                    return
                failed = False
                if frame.samples:
                    yield _samples_of(frame)
        self.cut = self.cut or failed


@contextmanager
def open_container(fd: int) -> Iterator[tuple[Any, Any]]:
    """FFmpeg's container of a file and its first audio stream. Raises SourceError."""
    import av

    os.lseek(fd, 0, os.SEEK_SET)
    with ExitStack() as stack:
        file = stack.enter_context(os.fdopen(os.dup(fd), "rb"))
        try:
            container = stack.enter_context(av.open(file, options=_AV_OPTIONS, metadata_errors="replace"))
            stream = next(iter(container.streams.audio), None)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"FFmpeg: {_first_words(error)}") from None
        if stream is None:
            raise SourceError("FFmpeg: no audio stream in it")
        if stream.codec_context is not None:
            stream.codec_context.thread_count = 1
        yield container, stream


def stated_seconds(fd: int) -> float | None:
    """How long the container says it is, by FFmpeg; None where it does not say, or FFmpeg would guess."""
    try:
        with open_container(fd) as (container, stream):
            return _seconds(container, stream) if container.format.name.startswith(_STATES_LENGTH) else None
    except SourceError:
        return None


def is_chained(fd: int) -> bool:
    """True for an Ogg file in which another stream begins after the first one, as in a recording of a radio."""
    position, begun = 0, False
    size = os.fstat(fd).st_size
    while position < size:
        head = os.pread(fd, 27 + 255, position)
        if len(head) < 27 or head[:4] != b"OggS":
            return False
        begins = bool(head[5] & 2)
        if begins and begun:
            return True
        begun = begun or not begins
        segments = head[27 : 27 + head[26]]
        position += 27 + len(segments) + sum(segments)
    return False


def container_name(head: bytes) -> str | None:
    """What the first bytes of a file say it is, for people; None if they say nothing known."""
    return next((name for at, magic, name in _SIGNATURES if head[at : at + len(magic)] == magic), None)


def check_layout(sample_rate: int, channels: int) -> None:
    """SourceError for a rate or a channel count that no music file has."""
    low, high = SAMPLE_RATES
    if not low <= sample_rate <= high or not 1 <= channels <= MAX_CHANNELS:
        raise SourceError(f"{sample_rate} Hz with {channels} channels is outside {low}..{high} Hz, 1..{MAX_CHANNELS}")


def _read_block(file: _Stream, channels: int) -> tuple[Block, soundfile.LibsndfileError | None]:
    """The next block, and the error that ended it early. soundfile drops what it read before an error: NaN marks it."""
    block = np.full((BLOCK_FRAMES, channels), np.nan, np.float32)
    try:
        return block[: file.buffer_read_into(block, dtype="float32")], None
    except soundfile.LibsndfileError as error:
        unread = np.isnan(block).any(axis=1)
        return block[: int(unread.argmax()) if unread.any() else BLOCK_FRAMES], error


def _promises_more(notes: str) -> bool:
    if "Last page lacks an end-of-stream bit" in notes:
        return True
    return any(
        claimed != _UNKNOWN_LENGTH and claimed > found
        for claimed, found in ((int(a), int(b)) for a, b in _SHORT_CHUNK.findall(notes))
    )


def _reason(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).strip() or f"error {error.code}"


def _seconds(container: Any, stream: Any) -> float | None:
    """Length by the header of the stream, else of the container."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / 1e6


def _samples_of(frame: Any) -> Block:
    """float32[n, channels] of a decoded frame, integers scaled to full scale 1."""
    samples: npt.NDArray[Any] = frame.to_ndarray()
    samples = samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)
    if samples.dtype == np.uint8:
        samples = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples / float(1 << 8 * samples.dtype.itemsize - 1)
    return np.ascontiguousarray(samples, np.float32)


def _first_words(error: Exception) -> str:
    """What the library says, without the file's name, which is none."""
    return str(getattr(error, "strerror", None) or error).partition(":")[0]
