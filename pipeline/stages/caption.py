"""The captioning stage: facts of a clip in, one checked caption out, whatever engine writes it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam

from fgmcaps.pipeline.config import BuildConfig, fingerprint
from fgmcaps.pipeline.stages.caption_engines import make_engine
from fgmcaps.pipeline.stages.in_flight import follow_build
from fgmcaps.pipeline.stages.journal import Entry, JournalWriter, Record
from fgmcaps.schemas import Annotation, Caption, Facts, Labels, TrackMetadata, facts_of, to_dict, to_json


def facts_key(labels: Labels) -> str:
    """Short hash of what the labels contribute to the facts; kept in the journal's index."""
    return fingerprint(facts=to_dict(facts_of(labels, TrackMetadata())))[:16]


def caption_key(labels_key: str, metadata: TrackMetadata) -> str:
    """Changes with any fact of a clip, so that a caption is never used for other facts."""
    return fingerprint(labels=labels_key, genre=metadata.genre, mood=metadata.mood)[:16]


@dataclass(frozen=True, slots=True)
class CaptionTask:
    """One clip to caption: its annotation by reference, its metadata as this build knows it."""

    annotation: Entry
    metadata: TrackMetadata
    key: str


@dataclass(frozen=True, slots=True)
class CaptionNote:
    """What the journal's index tells of a caption: the key of its facts, its source, the round of asking, its hash."""

    key: str
    source: str
    round: int
    digest: str

    @classmethod
    def of(cls, entry: Entry) -> "CaptionNote":
        """The note of a journaled caption."""
        return cls(*entry.note)


def caption_record(caption: Caption, key: str, round_: int) -> Record:
    """The journal record of a caption."""
    digest = hashlib.sha256(to_json(caption).encode()).hexdigest()[:16]
    return Record("caption", caption.clip_id, caption, [key, caption.source, round_, digest])


class CaptionClips(beam.DoFn):
    """Batches of CaptionTask -> captions in the journal. Clips of several batches are under way at a time."""

    def __init__(self, config: BuildConfig, folder: Path, cache: Path, round_: int) -> None:
        super().__init__()
        self.config, self.folder, self.cache, self.round = config, folder, cache, round_

    def setup(self) -> None:
        follow_build()
        self.engine = make_engine(self.config, self.cache, self.round)
        self.keys: dict[str, str] = {}
        self.writer = JournalWriter(self.folder, max_records=256)

    def teardown(self) -> None:
        self.engine.close()

    def process(self, batch: tuple[CaptionTask, ...]) -> None:
        self.keys.update({task.annotation.key: task.key for task in batch})
        self.journal(self.engine.submit(self.facts(batch)))

    def finish_bundle(self) -> None:
        self.journal(self.engine.drain())
        self.writer.flush()

    def journal(self, captions: Iterator[Caption]) -> None:
        """Write captions as they come."""
        for caption in captions:
            self.writer.add(caption_record(caption, self.keys.pop(caption.clip_id), self.round))

    def facts(self, batch: tuple[CaptionTask, ...]) -> Iterator[tuple[str, Facts]]:
        """``(clip_id, facts)``, read one by one."""
        for task in batch:
            annotation = task.annotation.read(Annotation)
            yield annotation.clip.clip_id, facts_of(annotation.labels, task.metadata)
