"""Journals: the results of clips on disk, so that a build goes on where it was stopped.

What is written is a :data:`Result`; what a scan finds is an :data:`Entry` for each, with the few facts that the index
holds (see :mod:`fgmcaps.pipeline.stages.segments`) and a way to load the whole. This module alone knows how those facts
are laid out in the index: the layout is that of every released version, and an index that does not have it is an error.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from fgmcaps.common.errors import MachineError
from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.pipeline.stages.segments import IndexRow, Line, read_index, segments, write_segment
from fgmcaps.schemas import (
    Annotation,
    Caption,
    DeadLetter,
    Labels,
    TrackMetadata,
    facts_of,
    from_json,
    to_dict,
    to_json,
)
from fgmcaps.schemas.dead_letter import Kind
from fgmcaps.schemas.ids import track_id_of


@dataclass(frozen=True, slots=True)
class TrackDone:
    """All clips of a track were sent on: it is finished when as many outcomes of it are journaled."""

    track_id: str
    outcomes: int


@dataclass(frozen=True, slots=True)
class TrackRetry:
    """The failures of a track that are journaled before this count no longer."""

    track_id: str


@dataclass(frozen=True, slots=True)
class WrittenCaption:
    """A caption, the key of the facts that it states, and the round of asking that it comes from."""

    caption: Caption
    facts_key: str
    round: int


@dataclass(frozen=True, slots=True)
class ContextLabels:
    """Labels of a clip that the other clips of its track were heard for; ``clips``: :func:`clips_key` of them all."""

    clip_id: str
    clips: str
    labels: Labels


Result = Annotation | DeadLetter | TrackDone | TrackRetry | ContextLabels | WrittenCaption
"""What can be journaled."""


@dataclass(frozen=True, slots=True)
class AnnotationEntry:
    """A journaled annotation by reference; ``facts_key`` is :func:`facts_key` of its labels.

    ``context``: where its labels in the context of its track lie, which take the place of those of the clip alone.
    """

    clip_id: str
    facts_key: str
    row: IndexRow
    context: "ContextEntry | None" = None

    @property
    def track_id(self) -> str:
        """The clip's track."""
        return track_id_of(self.clip_id)

    def read(self) -> Annotation:
        """Load the annotation, with its labels in context where there are some. Raises ContractError."""
        annotation = self.read_alone()
        return annotation if self.context is None else replace(annotation, labels=self.context.read())

    def read_alone(self) -> Annotation:
        """Load the annotation with the labels of the clip alone. Raises ContractError."""
        return from_json(Annotation, self.row.read())


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """Journaled labels in context by reference; ``clips``: :func:`clips_key` of the clips that were heard."""

    clip_id: str
    clips: str
    facts_key: str
    row: IndexRow

    @property
    def track_id(self) -> str:
        """The clip's track."""
        return track_id_of(self.clip_id)

    def read(self) -> Labels:
        """Load the labels. Raises ContractError."""
        return from_json(Labels, self.row.read())


@dataclass(frozen=True, slots=True)
class LetterEntry:
    """A journaled dead letter by reference; ``key`` is the clip id, or the track id for a track without clips."""

    key: str
    kind: Kind
    track_id: str
    row: IndexRow

    def read(self) -> DeadLetter:
        """Load the letter. Raises ContractError."""
        return from_json(DeadLetter, self.row.read())


@dataclass(frozen=True, slots=True)
class CaptionEntry:
    """A journaled caption by reference. ``digest`` is a short hash of it, ``source`` is ``llm`` or ``template``."""

    clip_id: str
    facts_key: str
    source: str
    round: int
    digest: str
    row: IndexRow

    def read(self) -> Caption:
        """Load the caption. Raises ContractError."""
        return from_json(Caption, self.row.read())


Entry = AnnotationEntry | LetterEntry | TrackDone | TrackRetry | ContextEntry | CaptionEntry
"""What a scan finds."""


def facts_key(labels: Labels) -> str:
    """Short hash of what the labels contribute to the facts."""
    return fingerprint(facts=to_dict(facts_of(labels, TrackMetadata())))[:16]


def clips_key(clip_ids: Iterable[str]) -> str:
    """Short hash of the clips of a track that have labels: labels in context depend on which they are."""
    return fingerprint(clips=sorted(clip_ids))[:16]


def write_results(folder: Path, results: Iterable[Result]) -> Path:
    """Journal ``results`` as one segment and return its path. Raises MachineError (disk full, read-only folder)."""
    return write_segment(folder, [_line(result) for result in results])


def scan(folder: Path) -> Iterator[Entry]:
    """Every entry of a journal, oldest first. Raises MachineError for a segment that is damaged or not understood."""
    for path in segments(folder):
        yield from read_entries(path)


def read_entries(path: Path) -> list[Entry]:
    """The entries of one segment; see :func:`scan`."""
    try:
        return [_entry(row) for row in read_index(path)]
    except (ValueError, TypeError) as error:
        raise MachineError(
            f"the journal segment {path} is damaged or was written by another version of fgmcaps ({error}); "
            "delete it and run again: its clips are done again"
        ) from None


def _line(result: Result) -> Line:
    match result:
        case Annotation():
            return Line("annotation", result.clip.clip_id, facts_key(result.labels), to_json(result))
        case DeadLetter():
            return Line("dead", result.clip_id or result.track_id, [result.kind, result.track_id], to_json(result))
        case TrackDone():
            return Line("track", result.track_id, result.outcomes, to_json(result))
        case TrackRetry():
            return Line("retry", result.track_id, None, "{}")
        case ContextLabels():
            return Line("context", result.clip_id, [result.clips, facts_key(result.labels)], to_json(result.labels))
        case WrittenCaption():
            data = to_json(result.caption)
            digest = hashlib.sha256(data.encode()).hexdigest()[:16]
            about = [result.facts_key, result.caption.source, result.round, digest]
            return Line("caption", result.caption.clip_id, about, data)


def _entry(row: IndexRow) -> Entry:
    """Raises ValueError or TypeError for a row that no released version writes."""
    key = _of_type(str, row.key)
    match row.kind:
        case "annotation":
            track_id_of(key)
            return AnnotationEntry(key, _of_type(str, row.note), row)
        case "dead":
            kind, track_id = _of_type(list, row.note)
            if kind not in ("failed", "filtered"):
                raise ValueError(f"dead letter of the unknown kind {kind!r}")
            return LetterEntry(key, cast(Kind, kind), _of_type(str, track_id), row)
        case "track":
            return TrackDone(key, _of_type(int, row.note))
        case "retry":
            return TrackRetry(key)
        case "context":
            track_id_of(key)
            clips, of_labels = _of_type(list, row.note)
            return ContextEntry(key, _of_type(str, clips), _of_type(str, of_labels), row)
        case "caption":
            facts, source, round_, digest = _of_type(list, row.note)
            return CaptionEntry(
                key, _of_type(str, facts), _of_type(str, source), _of_type(int, round_), _of_type(str, digest), row
            )
        case _:
            raise ValueError(f"unknown record {row.kind!r}")


def _of_type(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not a {kind.__name__}")
    return value


class JournalWriter:
    """Buffers results and writes a segment when there are enough of them or they are old enough."""

    def __init__(self, folder: Path, max_results: int = 16, max_seconds: float = 5.0):
        self.folder, self.max_results, self.max_seconds = folder, max_results, max_seconds
        self._buffer: list[Result] = []
        self._oldest = 0.0

    def add(self, result: Result) -> None:
        """Buffer one result; may write a segment."""
        if not self._buffer:
            self._oldest = time.monotonic()
        self._buffer.append(result)
        if len(self._buffer) >= self.max_results or time.monotonic() - self._oldest >= self.max_seconds:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered. On failure the results stay buffered."""
        if self._buffer:
            write_results(self.folder, self._buffer)
            self._buffer = []
