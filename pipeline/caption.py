"""The captioning stage: facts of a clip in, one checked caption out, whatever engine writes it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import apache_beam as beam

from captioning import TEMPLATE_VERSION, TemplateEngine, write_caption
from pipeline.config import BuildConfig, fingerprint
from pipeline.journal import Entry, JournalWriter, Record
from pipeline.watch import follow_build
from schemas import Annotation, Caption, Facts, Labels, TrackMetadata, facts_of, to_dict


class Engine(Protocol):
    """Writes captions; each has passed the checker when it comes out."""

    def captions(self, facts: Iterable[tuple[str, Facts]]) -> Iterator[Caption]:
        """Captions of ``(clip_id, facts)``, in any order, one each."""

    def close(self) -> None:
        """Let go of connections."""


class Templates:
    """The template grammar as an engine."""

    def __init__(self, config: BuildConfig) -> None:
        self.engine = TemplateEngine(seed=config.seed)
        self.styles = styles_of(config)

    def captions(self, facts: Iterable[tuple[str, Facts]]) -> Iterator[Caption]:
        """Captions in the order of the facts."""
        for clip_id, clip_facts in facts:
            yield write_caption(self.engine, clip_id, clip_facts, styles=self.styles)

    def close(self) -> None:
        """Nothing to let go of."""


def styles_of(config: BuildConfig) -> tuple[str, ...]:
    """The caption's style, then the extra ones, each once."""
    return tuple(dict.fromkeys((config.caption_style, *config.extra_styles)))


def engine_identity(config: BuildConfig) -> Mapping[str, Any]:
    """What of an engine changes its captions; part of the caption fingerprint."""
    return {"template": TEMPLATE_VERSION}


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


class CaptionClips(beam.DoFn):
    """Batches of CaptionTask -> captions in the journal."""

    def __init__(self, config: BuildConfig, folder: Path) -> None:
        super().__init__()
        self.config, self.folder = config, folder

    def setup(self) -> None:
        follow_build()
        self.engine: Engine = Templates(self.config)

    def teardown(self) -> None:
        self.engine.close()

    def process(self, batch: tuple[CaptionTask, ...]) -> None:
        keys = {task.annotation.key: task.key for task in batch}
        writer = JournalWriter(self.folder, max_records=256)
        for caption in self.engine.captions(self.facts(batch)):
            writer.add(Record("caption", caption.clip_id, caption, keys[caption.clip_id]))
        writer.flush()

    def facts(self, batch: tuple[CaptionTask, ...]) -> Iterator[tuple[str, Facts]]:
        """``(clip_id, facts)``, read one by one."""
        for task in batch:
            annotation = task.annotation.read(Annotation)
            yield annotation.clip.clip_id, facts_of(annotation.labels, task.metadata)
