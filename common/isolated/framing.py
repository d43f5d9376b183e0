"""Frames on a pipe: a JSON header and raw arrays, no pickle. Needs only numpy, so that it runs in any environment.

Conventions
-----------
- frame = ``FGW1`` + header length (uint32) + payload length (uint64) + header + payload; integers little-endian.
- header = one ASCII JSON object. Its key ``arrays`` lists ``[name, dtype, shape]`` of each array, in payload order.
- payload = the arrays' bytes, C order, end to end; nothing before, between or after them.
- Both lengths are checked against caps before a byte is allocated; every array is checked against the payload.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

PROTOCOL_VERSION = 1
PREFIX = struct.Struct("<4sIQ")
MAGIC = b"FGW1"
MAX_HEADER_BYTES = 1 << 20
MAX_PAYLOAD_BYTES = 1 << 30
DTYPES = ("<f4", "<f8", "<i2", "<i4", "<i8", "|u1", "|b1")
MAX_DIMENSIONS = 8

Array = npt.NDArray[Any]


class FrameError(ValueError):
    """Bytes that are not a frame of this protocol, or a message that does not fit into one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request or reply: JSON-able ``fields`` (no NaN, no infinity) and named numeric arrays."""

    fields: Mapping[str, Any]
    arrays: Mapping[str, Array] = field(default_factory=dict)


def encode(
    message: Message, max_header_bytes: int = MAX_HEADER_BYTES, max_payload_bytes: int = MAX_PAYLOAD_BYTES
) -> list[memoryview]:
    """The frame of a message as buffers to be written in this order; arrays are not copied if contiguous.

    Raises FrameError if a field is not JSON, an array has a dtype outside ``DTYPES``, or a cap is passed.
    """
    if "arrays" in message.fields:
        raise FrameError("the field name 'arrays' is taken by the protocol")
    described, buffers = [], []
    for name, array in message.arrays.items():
        dtype = array.dtype.newbyteorder("<").str
        if dtype not in DTYPES:
            raise FrameError(f"array {name!r} has dtype {array.dtype}, not one of {', '.join(DTYPES)}")
        if array.ndim > MAX_DIMENSIONS:
            raise FrameError(f"array {name!r} has {array.ndim} dimensions, more than {MAX_DIMENSIONS}")
        described.append([name, dtype, list(array.shape)])
        flat = np.ascontiguousarray(array, dtype=dtype).reshape(-1)
        buffers.append(flat.view(np.uint8).data)
    try:
        header = json.dumps({**message.fields, "arrays": described}, allow_nan=False).encode("ascii")
    except (TypeError, ValueError) as error:
        raise FrameError(f"message fields are not JSON: {error}") from None
    payload_bytes = sum(len(b) for b in buffers)
    _check_lengths(len(header), payload_bytes, max_header_bytes, max_payload_bytes)
    return [memoryview(PREFIX.pack(MAGIC, len(header), payload_bytes) + header), *buffers]


def parse_prefix(
    prefix: bytes, max_header_bytes: int = MAX_HEADER_BYTES, max_payload_bytes: int = MAX_PAYLOAD_BYTES
) -> tuple[int, int]:
    """``(header bytes, payload bytes)`` that follow a prefix of ``PREFIX.size`` bytes; FrameError if it is none."""
    if len(prefix) != PREFIX.size:
        raise FrameError(f"frame prefix of {len(prefix)} bytes, expected {PREFIX.size}")
    magic, header_bytes, payload_bytes = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise FrameError(f"not a frame: it begins with {prefix!r}")
    _check_lengths(header_bytes, payload_bytes, max_header_bytes, max_payload_bytes)
    return header_bytes, payload_bytes


def decode(header: bytes | bytearray, payload: Array) -> Message:
    """The message of a header and its payload (uint8[n]); arrays are views into the payload. Raises FrameError."""
    try:
        fields = json.loads(bytes(header).decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise FrameError(f"frame header is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise FrameError("frame header is not a JSON object")
    arrays: dict[str, Array] = {}
    offset = 0
    described = fields.pop("arrays", None)
    if not isinstance(described, list):
        raise FrameError("frame header lists no arrays")
    for item in described:
        name, dtype, shape = _array_description(item)
        if name in arrays:
            raise FrameError(f"array {name!r} appears twice in one frame")
        end = offset + math.prod(shape) * np.dtype(dtype).itemsize
        if end > len(payload):
            raise FrameError(f"array {name!r} is larger than the payload of {len(payload)} bytes")
        arrays[name] = np.frombuffer(payload[offset:end], dtype=dtype).reshape(shape)
        offset = end
    if offset != len(payload):
        raise FrameError(f"payload of {len(payload)} bytes, but its arrays cover {offset}")
    return Message(fields, arrays)


def _array_description(item: Any) -> tuple[str, str, tuple[int, ...]]:
    if not (isinstance(item, list) and len(item) == 3):
        raise FrameError(f"not an array description: {item!r:.200}")
    name, dtype, shape = item
    if not isinstance(name, str) or dtype not in DTYPES or not isinstance(shape, list):
        raise FrameError(f"not an array description: {item!r:.200}")
    if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < 2**63 for n in shape):
        raise FrameError(f"array {name!r} has no valid shape: {shape!r:.200}")
    return name, dtype, tuple(shape)


def _check_lengths(header_bytes: int, payload_bytes: int, max_header_bytes: int, max_payload_bytes: int) -> None:
    if header_bytes > max_header_bytes:
        raise FrameError(f"frame header of {header_bytes} bytes, more than the cap of {max_header_bytes}")
    if payload_bytes > max_payload_bytes:
        raise FrameError(f"frame payload of {payload_bytes} bytes, more than the cap of {max_payload_bytes}")
