"""Text files as people's programs write them: UTF-8 with or without a byte order mark, UTF-16."""

from collections.abc import Iterator
from typing import BinaryIO

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def encoding_of(head: bytes) -> str:
    """The encoding of a text that begins with ``head``, by its byte order mark or its zero bytes; else UTF-8."""
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark)), None)
    if marked is None and b"\0" in head[:64]:
        return "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
    return marked or "utf-8"


def decoded_lines(handle: BinaryIO) -> Iterator[str]:
    """The lines of a text as they come. A byte that is none of the encoding's stands as ``\\udc80`` to ``\\udcff``."""
    head = handle.readline()
    encoding = encoding_of(head)
    if encoding.startswith("utf-16"):  # no line ends at a byte 0x0a
        yield from (head + handle.read()).decode(encoding, "replace").splitlines(keepends=True)
        return
    yield head.decode(encoding, "surrogateescape")
    for line in handle:
        yield line.decode("utf-8", "surrogateescape")
