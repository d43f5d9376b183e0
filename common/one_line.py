"""Text of others, made fit for a row, a table or a terminal."""

import unicodedata

_BLANKS = ("Cc", "Zl", "Zp")


def one_line(text: str) -> str:
    """The text on one line: control characters and line breaks become blanks, runs of blanks one."""
    return " ".join("".join(" " if unicodedata.category(c) in _BLANKS else c for c in text).split())


def has_control(text: str, *, but: str = "") -> bool:
    """True if a control character is in the text, those of ``but`` aside."""
    return any(unicodedata.category(c) == "Cc" and c not in but for c in text)
