"""The annotation stages as DoFns: shells around :mod:`~fgmcaps.pipeline.stages.cut` and
:mod:`~fgmcaps.pipeline.stages.label` that measure time and send on.

Every stage turns an error into a dead letter of that clip (tag ``dead``); only what no clip can be blamed for ends the
build: a full disk, a missing model. The stages are one fused chain, so one clip's samples are in memory at a time and
none are ever shuffled.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics

from fgmcaps.annotators import Profile
from fgmcaps.annotators.base import Annotator
from fgmcaps.pipeline.audio.decode import Decoder
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.stages.cut import STAGE as CUT
from fgmcaps.pipeline.stages.cut import ClipWork, TrackTask, clips_of
from fgmcaps.pipeline.stages.in_flight import InFlight, follow_build
from fgmcaps.pipeline.stages.journal import JournalWriter, Result, TrackDone
from fgmcaps.pipeline.stages.label import FUSE, GATE, fuse_estimates, gate_clip, run_tools, start_tools
from fgmcaps.schemas import Annotation, DeadLetter
from fgmcaps.schemas.dead_letter import Rejection, dead_letter

DEAD, DONE = "dead", "done"


class _Stage(beam.DoFn):
    """Measures its own work (not that of the stages after it) as the distribution ``<stage>_us``."""

    def __init__(self, stage: str) -> None:
        super().__init__()
        self.stage = stage
        self.micros = Metrics.distribution("fgmcaps", f"{stage}_us")

    def count_time(self, since: float) -> None:
        """Count the time since ``since`` (``time.perf_counter()``)."""
        self.micros.update(int((time.perf_counter() - since) * 1e6))

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the time that the block takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.count_time(started)


class CutClips(_Stage):
    """TrackTask -> ClipWork per chosen window; the samples are decoded here, once, by an isolated decoder."""

    def __init__(self, config: BuildConfig, workers_folder: Path) -> None:
        super().__init__(CUT)
        self.config, self.workers_folder = config, workers_folder

    def setup(self) -> None:
        follow_build()
        self.in_flight = InFlight(self.workers_folder)
        self.decoder = Decoder(timeout_s=self.config.decode_timeout_s, max_hours=self.config.max_track_hours)

    def teardown(self) -> None:
        self.decoder.close()

    def process(self, task: TrackTask) -> Iterator[Any]:
        outcomes, started = 0, time.perf_counter()
        for outcome in clips_of(task, self.decoder, self.config.clips_per_track, self.in_flight.note):
            outcomes += 1
            if outcome is not None:
                self.count_time(started)
                yield beam.pvalue.TaggedOutput(DEAD, outcome) if isinstance(outcome, DeadLetter) else outcome
            started = time.perf_counter()
        self.in_flight.clear()
        yield beam.pvalue.TaggedOutput(DONE, TrackDone(task.track.track_id, outcomes))


class GateClips(_Stage):
    """Turns away clips that no annotator can say anything true about."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(GATE)
        self.profile = profile

    def process(self, work: ClipWork) -> Iterable[Any]:
        with self.timed():
            rejection = gate_clip(work.audio, self.profile.gate)
        return [work if rejection is None else _dead(rejection, work)]


class AnnotateClips(_Stage):
    """Runs the tools of one stage (beats, key or chords) on every clip."""

    def __init__(self, stage: str, tools: tuple[Annotator[Any], ...]) -> None:
        super().__init__(stage)
        self.tools = tools

    def setup(self) -> None:
        start_tools(self.tools)

    def teardown(self) -> None:
        for tool in self.tools:
            tool.close()

    def process(self, work: ClipWork) -> Iterable[Any]:
        with self.timed():
            found = run_tools(self.stage, self.tools, work.audio)
        if isinstance(found, Rejection):
            return [_dead(found, work)]
        return [ClipWork(work.clip, work.audio, work.estimates + found)]


class FuseEstimates(_Stage):
    """Estimates of all tools -> labels that passed the confidence filter. The samples end here."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(FUSE)
        self.profile = profile

    def process(self, work: ClipWork) -> Iterable[Any]:
        with self.timed():
            labels = fuse_estimates(work.estimates, self.profile.fusion)
        if isinstance(labels, Rejection):
            return [_dead(labels, work)]
        return [Annotation(work.clip, labels, work.estimates)]


def _dead(rejection: Rejection, work: ClipWork) -> beam.pvalue.TaggedOutput:
    return beam.pvalue.TaggedOutput(DEAD, dead_letter(rejection, work.clip.track, work.clip))


# One writer a folder and process: the journals of several stages share segments.
_writers: dict[Path, JournalWriter] = {}
_writers_lock = threading.Lock()


class Journal(beam.DoFn):
    """Writes results to the journal; nothing flows on, so a runner keeps no results in memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def process(self, result: Result) -> None:
        with _writers_lock:
            self._writer().add(result)

    def finish_bundle(self) -> None:
        with _writers_lock:
            self._writer().flush()

    def _writer(self) -> JournalWriter:
        return _writers.setdefault(self.folder, JournalWriter(self.folder))
