"""The captioning stage: the facts of a clip in, one checked caption out, whichever engine writes it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import apache_beam as beam

from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.stages.caption_engines import make_engine
from fgmcaps.pipeline.stages.caption_plan import CaptionTask
from fgmcaps.pipeline.stages.in_flight import follow_build
from fgmcaps.pipeline.stages.journal import JournalWriter, WrittenCaption
from fgmcaps.schemas import Caption, Facts, facts_of


class CaptionClips(beam.DoFn):
    """Batches of CaptionTask -> captions in the journal. Clips of several batches are under way at a time."""

    def __init__(self, config: BuildConfig, folder: Path, cache: Path, round_: int) -> None:
        super().__init__()
        self.config, self.folder, self.cache, self.round = config, folder, cache, round_

    def setup(self) -> None:
        follow_build()
        self.engine = make_engine(self.config, self.cache, self.round)
        self.keys: dict[str, str] = {}
        self.writer = JournalWriter(self.folder, max_results=256)

    def teardown(self) -> None:
        self.engine.close()

    def process(self, batch: tuple[CaptionTask, ...]) -> None:
        self.keys.update({task.annotation.clip_id: task.facts_key for task in batch})
        self.journal(self.engine.submit(_facts(batch)))

    def finish_bundle(self) -> None:
        self.journal(self.engine.drain())
        self.writer.flush()

    def journal(self, captions: Iterable[Caption]) -> None:
        """Write captions as they come."""
        for caption in captions:
            self.writer.add(WrittenCaption(caption, self.keys.pop(caption.clip_id), self.round))


def _facts(batch: Iterable[CaptionTask]) -> Iterator[tuple[str, Facts]]:
    """``(clip_id, facts)``, read one by one."""
    for task in batch:
        annotation = task.annotation.read()
        yield annotation.clip.clip_id, facts_of(annotation.labels, task.metadata)
