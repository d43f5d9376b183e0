"""WAV and AU files whose header does not say how much audio follows: a recorder that was cut off leaves 0 there.

Conventions
-----------
- WAV (RIFF): chunks of a four-letter name, a little-endian uint32 of their size and that many bytes, padded to even.
- AU: ``.snd``, then big-endian uint32: where the audio begins, its size (all ones: unknown), ...
- A size that is followed by what is no chunk is as wrong as 0.
"""

import os
import struct

_MAX_CHUNKS = 1000
_LONGEST_HEAD = 1 << 20
_UNKNOWN = 0xFFFFFFFF
# Fewer bytes than this after the audio are padding or a tag of another format.
_LEAST = 16_384


def with_data_size(fd: int) -> bytes | None:
    """The file's head, up to its first sample, with the size that the file has; None where its own is right."""
    size = os.fstat(fd).st_size
    start = os.pread(fd, 12, 0)
    if start[:4] == b".snd" and len(start) == 12:
        begin, stated = struct.unpack(">II", start[4:12])
        if stated == 0 and begin < min(size, _LONGEST_HEAD):
            head = os.pread(fd, begin, 0)
            return head[:8] + struct.pack(">I", _UNKNOWN) + head[12:]
    if start[:4] == b"RIFF" and start[8:12] == b"WAVE":
        return _with_riff_size(fd, size)
    return None


def _with_riff_size(fd: int, size: int) -> bytes | None:
    position = 12
    for _ in range(_MAX_CHUNKS):
        head = os.pread(fd, 8, position)
        if len(head) < 8 or position > _LONGEST_HEAD:
            return None
        stated = int.from_bytes(head[4:], "little")
        first = position + 8
        if head[:4] == b"data":
            after = first + stated + stated % 2
            if stated == _UNKNOWN or size - after < _LEAST or _chunks_to_the_end(fd, after, size):
                return None
            found = min(size - first, _UNKNOWN)
            kept = os.pread(fd, first, 0)
            return kept[:4] + struct.pack("<I", min(size - 8, _UNKNOWN)) + kept[8:-4] + struct.pack("<I", found)
        position = first + stated + stated % 2
    return None


def _chunks_to_the_end(fd: int, position: int, size: int) -> bool:
    """True if nothing but chunks follows."""
    for _ in range(_MAX_CHUNKS):
        head = os.pread(fd, 8, position)
        if len(head) < 8:
            return True
        if not all(32 <= byte < 127 for byte in head[:4]):
            return False
        position += 8 + int.from_bytes(head[4:], "little")
        position += position % 2
        if position > size + 1:
            return False
    return False
