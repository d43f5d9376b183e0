"""Names and paths out of data that somebody else wrote: tables, tags, datasets, manifests of datasets."""

import re
import unicodedata
from pathlib import Path

MAX_FILE_NAME = 200
_DRIVE = re.compile(r"[A-Za-z]:")
_UNSAFE = re.compile(r"[\0-\x1f\x7f/\\]")


def safe_file_name(text: str) -> str:
    """``text`` itself, if it may be one part of a path. Raises ValueError for what could lead elsewhere."""
    if not text or text in (".", "..") or _UNSAFE.search(text) or _DRIVE.match(text) or len(text) > MAX_FILE_NAME:
        raise ValueError(f"not a file name: {text!r}")
    return text


def path_problem(text: str) -> str | None:
    """Why a path out of data may lead outside the folder that it belongs in; None for a plain relative one."""
    if _DRIVE.match(text) or text.startswith(("/", "\\")):
        return "is absolute"
    if ".." in re.split(r"[/\\]", text):
        return "leads upwards (..)"
    if any(unicodedata.category(c) == "Cc" for c in text):
        return "holds a control character"
    return None


def path_inside(root: Path, relative: str) -> Path:
    """The path ``relative`` of foreign data, resolved below ``root``. Raises ValueError if it leads outside.

    Symbolic links count by where they lead. The file need not exist.
    """
    if "\0" in relative:
        raise ValueError(f"not a path: {relative!r}")
    folder = root.resolve()
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder):
        raise ValueError(f"the path {relative!r} leads outside {root}")
    return path


def portable_path(text: str) -> str:
    """A name for the rows of a dataset that others will read: relative, without ``..`` and control characters.

    ``/music/a.wav`` becomes ``music/a.wav``, ``../b.wav`` becomes ``_up/b.wav``; control characters become escapes.
    """
    text = "".join(f"\\x{ord(c):02x}" if unicodedata.category(c) == "Cc" else c for c in text)
    text = _DRIVE.sub(lambda match: match[0][0] + "_", text, count=1) if _DRIVE.match(text) else text
    return "/".join("_up" if part == ".." else part for part in text.lstrip("/\\").split("/"))
