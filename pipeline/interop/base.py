"""The contract of every importer, and what they share."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.schemas import DeadLetter, Estimate, Labels, StyledCaption, ToolInfo, TrackMetadata

SPLIT_RANK: Mapping[str, int] = {"test": 0, "validation": 1, "train": 2}
"""Who keeps a recording that two splits hold: the one that is evaluated on."""

LabelMaker = Callable[[float], tuple[Labels, tuple[Estimate, ...]]]
"""Labels of a clip of so many seconds, and the raw estimates they were made from."""


@dataclass(frozen=True, slots=True)
class OutsideClip:
    """A clip of another dataset: encoded audio (its bytes or its file) and what is said of it.

    ``captions``: the first is the row's caption, the others are kept beside it; each style once.
    """

    source_path: str
    split: str
    audio: bytes | Path
    captions: tuple[StyledCaption, ...]
    labels: LabelMaker
    metadata: TrackMetadata = field(default_factory=TrackMetadata)


Found = OutsideClip | DeadLetter


@dataclass(frozen=True, slots=True)
class Collection:
    """What an importer found in PATH.

    ``clips`` reads as it goes, in any order; a clip that cannot be had is a DeadLetter in it. ``total`` counts what it
    will give, None where that shows at the end only. ``tool`` names the dataset that the labels come from.
    """

    source: str
    tool: ToolInfo
    clips: Callable[[], Iterator[Found]]
    total: int | None
    settings: Mapping[str, str | bool | None]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of ``fgmcaps import``; one that a format does not know must keep its default."""

    variant: str | None = None
    keep_copies: bool = False
    licence: str | None = None
    audio_root: Path | None = None
    splits: str | None = None


@dataclass(frozen=True, slots=True)
class ImportFormat:
    """One foreign layout. ``kind``: ``dataset`` gives clips (``open``), ``manifest`` gives lines for ``fgmcaps build``
    (``open`` is None, ``rows`` yields them). ``options``: names of ImportOptions that it knows."""

    name: str
    summary: str
    kind: Literal["dataset", "manifest"]
    options: frozenset[str]
    open: Callable[[Path, ImportOptions], Collection] | None = None
    rows: Callable[[Path, ImportOptions, Path], Iterator[dict[str, str]]] | None = None


def readable(value: object) -> str | None:
    """A text from outside that can be stored: trimmed, not empty, encodable as UTF-8; else None."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # JSON can spell half a surrogate pair
        return None
    return value.strip()


def letter(source_path: str, kind: Literal["failed", "filtered"], reason: str, message: str) -> DeadLetter:
    """A clip that does not become a row. It has no audio to make an id from, so the id is made from its name."""
    track_id = hashlib.sha256(b"import:" + source_path.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return DeadLetter(track_id, None, source_path, "import", kind, reason, "", message)


def check_options(form: ImportFormat, options: ImportOptions) -> None:
    """Raise FgmcapsError for an option that this format does not know."""
    default = ImportOptions()
    for name in ("variant", "keep_copies", "licence", "audio_root", "splits"):
        if name not in form.options and getattr(options, name) != getattr(default, name):
            flag = name.replace("_", "-")
            known = ", ".join(f"--{o.replace('_', '-')}" for o in sorted(form.options)) or "none"
            raise FgmcapsError(f"--{flag} means nothing to the format {form.name}; its options: {known}")
