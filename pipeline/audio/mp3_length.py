"""MP3 files that do not state their length: count their frames and give them the header that states it.

Without a Xing, Info or VBRI header, libsndfile takes the first frame's bit rate for the whole file and stops at the
length so guessed: a 60 s file of variable rate may end after 17 s.

Conventions
-----------
- Frame header (ISO/IEC 11172-3 and 13818-3): 11 bits of sync, version, layer, CRC flag, bit rate, sampling rate,
  padding, channel mode. Only layer III, no free format.
- The Xing header is a frame of silence with a table after its side information: flags, frame count, byte count.
"""

import mmap
import os
import struct
from dataclasses import dataclass

_KBPS_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_MPEG1 = (44_100, 48_000, 32_000)
_MAX_BYTES = 512 << 20
_MAX_SKIPPED = 1 << 20
_MOST_OF_A_FILE = 0.9
_SAME_STREAM = 0xFFFE0C00  # sync, version, layer, sampling rate


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What the four bytes of a layer III frame header say; ``size`` in bytes, header included."""

    word: int
    mpeg1: bool
    mono: bool
    size: int


def parse_frame_header(data: bytes) -> FrameHeader | None:
    """The header in the first four bytes of ``data``; None if they are none."""
    if len(data) < 4:
        return None
    word = int.from_bytes(data[:4], "big")
    version, layer, kbps_index, rate_index = word >> 19 & 3, word >> 17 & 3, word >> 12 & 15, word >> 10 & 3
    if word >> 21 != 0x7FF or version == 1 or layer != 1 or kbps_index in (0, 15) or rate_index == 3:
        return None
    mpeg1 = version == 3
    rate = _RATES_MPEG1[rate_index] >> (0 if mpeg1 else 1 if version == 2 else 2)
    kbps = (_KBPS_MPEG1 if mpeg1 else _KBPS_MPEG2)[kbps_index]
    return FrameHeader(word, mpeg1, word >> 6 & 3 == 3, (144_000 if mpeg1 else 72_000) * kbps // rate + (word >> 9 & 1))


def tag_bytes(head: bytes) -> int:
    """Length of the ID3v2 tag that ``head`` (10 bytes or more) begins; 0 without one."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def states_length(fd: int) -> bool:
    """True if the first frame of an MP3 is a Xing, Info or VBRI header, which speaks of the whole file.

    Two MP3s in one file begin with the header of the first.
    """
    start = tag_bytes(os.pread(fd, 10, 0))
    first = os.pread(fd, 2048, start)
    at = next((place for tag in (b"Xing", b"Info") if (place := first.find(tag)) >= 0), -1)
    if at < 0:
        return b"VBRI" in first
    (flags,) = struct.unpack(">I", first[at + 4 : at + 8].rjust(4, b"\0"))
    place = at + 8 + (4 if flags & 1 else 0)
    stated = int.from_bytes(first[place : place + 4], "big") if flags & 2 else 0
    return not 0 < stated < (os.fstat(fd).st_size - start) * _MOST_OF_A_FILE


def with_stated_length(fd: int) -> tuple[bytes, int] | None:
    """``(frame, start)``: a Xing frame to be put before the file's bytes from ``start`` on.

    None for what is no MP3 that begins with two frames in a row, states its length, or is larger than 512 MB.
    """
    size, start = os.fstat(fd).st_size, tag_bytes(os.pread(fd, 10, 0))
    first = parse_frame_header(os.pread(fd, 4, start))
    if first is None or size > _MAX_BYTES or states_length(fd):
        return None
    second = parse_frame_header(os.pread(fd, 4, start + first.size))
    if second is None or (second.word ^ first.word) & _SAME_STREAM:
        return None
    with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data:
        frames = count_frames(data, start, first)
    return xing_frame(first, frames, size - start), start


def count_frames(data: mmap.mmap | bytes, start: int, first: FrameHeader) -> int:
    """Whole frames from ``start`` on of the stream that ``first`` begins; junk between them is skipped, up to 1 MB."""
    frames, position, skipped, size = 0, start, 0, len(data)
    while position + 4 <= size and skipped <= _MAX_SKIPPED:
        header = parse_frame_header(data[position : position + 4])
        if header is None or (header.word ^ first.word) & _SAME_STREAM:
            following = data.find(b"\xff", position + 1)
            if following < 0:
                break
            skipped += following - position
            position = following
            continue
        if position + header.size > size:
            break
        frames += 1
        position += header.size
    return frames


def xing_frame(like: FrameHeader, frames: int, audio_bytes: int) -> bytes:
    """A frame of the stream of ``like``, at 64 kbit/s without CRC, that states ``frames`` and the stream's bytes."""
    index = (_KBPS_MPEG1 if like.mpeg1 else _KBPS_MPEG2).index(64)
    word = like.word & ~0xF300 | index << 12 | 1 << 16
    header = parse_frame_header(word.to_bytes(4, "big"))
    assert header is not None
    side = (17 if like.mono else 32) if like.mpeg1 else (9 if like.mono else 17)
    table = b"Xing" + struct.pack(">III", 3, frames, min(audio_bytes + header.size, 2**32 - 1))
    return (word.to_bytes(4, "big") + bytes(side) + table).ljust(header.size, b"\0")
