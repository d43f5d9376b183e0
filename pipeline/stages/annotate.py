"""The annotation stages as thin DoFns: decode, gate, annotate, fuse, journal.

Every stage turns an error into a dead letter of that clip (tag ``dead``); what ends the whole build is only what no
clip can be blamed for: a full disk, a missing model. The stages are one fused chain, so one clip's samples are in
memory at a time and none is ever shuffled.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics

from fgmcaps.annotators import ClipAudio, Profile
from fgmcaps.annotators.base import Annotator
from fgmcaps.annotators.fusion import fuse
from fgmcaps.annotators.gate import gate
from fgmcaps.common.errors import MachineError
from fgmcaps.pipeline.audio.decode import DecodeError, Decoder
from fgmcaps.pipeline.audio.windows import choose_windows
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.sources.inventory import open_location
from fgmcaps.pipeline.stages.caption import facts_key
from fgmcaps.pipeline.stages.in_flight import InFlight, follow_build
from fgmcaps.pipeline.stages.journal import JournalWriter, Record
from fgmcaps.schemas import Annotation, Clip, DeadLetter, Estimate, Track
from fgmcaps.schemas.ids import make_clip_id

log = logging.getLogger(__name__)
DEAD, DONE = "dead", "done"


@dataclass(frozen=True, slots=True)
class TrackTask:
    """A track to work on, and the clips of it that a journal holds already."""

    track: Track
    finished: frozenset[str] = frozenset()
    poison: frozenset[str] = frozenset()
    """Clips (or the track) that took a worker down more than once: they go to the dead letters unopened."""


@dataclass(frozen=True, slots=True)
class TrackDone:
    """All clips of a track were sent on: complete when as many outcomes of it are journaled."""

    track_id: str
    outcomes: int


@dataclass(frozen=True, slots=True)
class ClipWork:
    """A clip on its way through the fused chain; never serialised."""

    clip: Clip
    audio: ClipAudio
    estimates: tuple[Estimate, ...] = ()


def dead_letter(
    track: Track, clip: Clip | None, stage: str, reason: str, error: BaseException | None, message: str, **more: Any
) -> DeadLetter:
    """A letter for one clip, or for a whole track when ``clip`` is None; ``failed`` unless ``kind`` says otherwise."""
    where = track.source_path if clip is None else f"{track.source_path} at {clip.start_s:g} s"
    message = message if message.startswith(track.source_path) else f"{where}: {message}"
    return DeadLetter(
        track_id=track.track_id,
        clip_id=None if clip is None else clip.clip_id,
        source_path=track.source_path,
        stage=stage,
        kind=more.get("kind", "failed"),
        reason=reason,
        error_type="" if error is None else type(error).__name__,
        message=message,
        retryable=more.get("retryable", False),
    )


class _Stage(beam.DoFn):
    """Times its own work (not that of the stages behind it) as the distribution ``<stage>_us``."""

    def __init__(self, stage: str) -> None:
        super().__init__()
        self.stage = stage
        self.micros = Metrics.distribution("fgmcaps", f"{stage}_us")

    def spent(self, since: float) -> None:
        """Count the time since ``since`` (``time.perf_counter()``)."""
        self.micros.update(int((time.perf_counter() - since) * 1e6))


class CutClips(_Stage):
    """TrackTask -> ClipWork per chosen window; the samples are decoded here, once, by an isolated decoder."""

    def __init__(self, config: BuildConfig, workers_folder: Path) -> None:
        super().__init__("decode")
        self.config, self.workers_folder = config, workers_folder

    def setup(self) -> None:
        follow_build()
        self.in_flight = InFlight(self.workers_folder)
        self.decoder = Decoder(timeout_s=self.config.decode_timeout_s, max_hours=self.config.max_track_hours)

    def teardown(self) -> None:
        self.decoder.close()

    def process(self, task: TrackTask) -> Iterator[Any]:
        track, outcomes = task.track, 0
        for outcome in self.outcomes(task):
            outcomes += 1
            if isinstance(outcome, DeadLetter):
                if outcome.clip_id not in task.finished:
                    yield beam.pvalue.TaggedOutput(DEAD, outcome)
            elif outcome is not None:
                yield outcome
        self.in_flight.clear()
        yield beam.pvalue.TaggedOutput(DONE, TrackDone(track.track_id, outcomes))

    def outcomes(self, task: TrackTask) -> Iterator[ClipWork | DeadLetter | None]:
        """One item a clip of the track: work, a letter, or None where the journal has the clip already."""
        track = task.track
        if track.track_id in task.poison:
            yield dead_letter(track, None, self.stage, "crash", None, "took a worker process down", retryable=True)
            return
        started = time.perf_counter()
        self.in_flight.note(track.track_id)
        try:
            source = open_location(track.location)
            envelope = self.decoder.envelope(source, name=track.source_path)
            windows = choose_windows(envelope.duration_s, envelope.rms, self.config.clips_per_track)
        except DecodeError as error:
            self.spent(started)
            yield dead_letter(track, None, self.stage, error.reason, error, str(error), retryable=error.retryable)
            return
        except (OSError, ValueError) as error:
            self.spent(started)
            yield dead_letter(track, None, self.stage, "unreadable", error, str(error), retryable=True)
            return
        for start_ms, length_ms in windows:
            clip = Clip(make_clip_id(track.track_id, start_ms), start_ms / 1000, length_ms / 1000, track)
            if clip.clip_id in task.finished:
                yield None
                continue
            if clip.clip_id in task.poison:
                yield dead_letter(track, clip, "annotate", "crash", None, "took a worker process down", retryable=True)
                continue
            self.in_flight.note(clip.clip_id)
            try:
                samples, rate = self.decoder.read(source, clip.start_s, clip.duration_s, name=track.source_path)
            except DecodeError as error:
                self.spent(started)
                yield dead_letter(track, clip, self.stage, error.reason, error, str(error), retryable=error.retryable)
                started = time.perf_counter()
                continue
            self.spent(started)
            yield ClipWork(clip, ClipAudio(samples, rate))
            started = time.perf_counter()


class GateClips(_Stage):
    """Turns away clips that no annotator can say anything true about: they are filtered, not failed."""

    def __init__(self, profile: Profile) -> None:
        super().__init__("gate")
        self.profile = profile

    def process(self, work: ClipWork) -> Iterable[Any]:
        started = time.perf_counter()
        try:
            refused = gate(work.audio.samples, work.audio.sample_rate, self.profile.gate)
        except ValueError as error:
            return [beam.pvalue.TaggedOutput(DEAD, _failed(work, self.stage, "gate_failed", error))]
        finally:
            self.spent(started)
        if refused is None:
            return [work]
        letter = dead_letter(
            work.clip.track, work.clip, self.stage, refused.reason, None, refused.message, kind="filtered"
        )
        return [beam.pvalue.TaggedOutput(DEAD, letter)]


class AnnotateClips(_Stage):
    """Runs the tools of one stage (beats, key or chords) on every clip."""

    def __init__(self, stage: str, tools: tuple[Annotator[Any], ...]) -> None:
        super().__init__(stage)
        self.tools = tools

    def setup(self) -> None:
        for tool in self.tools:
            try:
                tool.setup()
            except Exception as error:
                raise MachineError(f"the annotator {tool.info.name} cannot start: {error}") from error

    def teardown(self) -> None:
        for tool in self.tools:
            tool.close()

    def process(self, work: ClipWork) -> Iterable[Any]:
        started = time.perf_counter()
        estimates = list(work.estimates)
        tool = self.tools[0]
        try:
            for tool in self.tools:
                estimates.append(tool.annotate(work.audio.at(tool.sample_rate), tool.sample_rate))
        except Exception as error:
            return [beam.pvalue.TaggedOutput(DEAD, _failed(work, self.stage, f"{tool.info.name}_failed", error))]
        finally:
            self.spent(started)
        return [ClipWork(work.clip, work.audio, tuple(estimates))]


class FuseEstimates(_Stage):
    """Estimates of all tools -> labels that passed the confidence filter. The samples end here."""

    def __init__(self, profile: Profile) -> None:
        super().__init__("fuse")
        self.profile = profile

    def process(self, work: ClipWork) -> Iterable[Any]:
        started = time.perf_counter()
        try:
            labels = fuse(work.estimates, self.profile.fusion)
        except Exception as error:
            return [beam.pvalue.TaggedOutput(DEAD, _failed(work, self.stage, "fusion_failed", error))]
        finally:
            self.spent(started)
        return [Annotation(work.clip, labels, work.estimates)]


def _failed(work: ClipWork, stage: str, reason: str, error: BaseException) -> DeadLetter:
    text = " ".join(str(error).split()) or type(error).__name__
    # A tool in a process of its own says whether the same clip may succeed later (time-out, crash).
    retryable = bool(getattr(error, "retryable", False))
    return dead_letter(work.clip.track, work.clip, stage, reason, error, text, retryable=retryable)


# One writer a folder and process: the journals of several stages share segments.
_writers: dict[Path, JournalWriter] = {}
_writers_lock = threading.Lock()


class Journal(beam.DoFn):
    """Writes results to the journal; nothing flows on, so a runner keeps no results in memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def process(self, result: Annotation | DeadLetter | TrackDone) -> None:
        with _writers_lock:
            self._writer().add(record_of(result))

    def finish_bundle(self) -> None:
        with _writers_lock:
            self._writer().flush()

    def _writer(self) -> JournalWriter:
        return _writers.setdefault(self.folder, JournalWriter(self.folder))


def record_of(result: Annotation | DeadLetter | TrackDone) -> Record:
    """The journal record of a result: keyed by clip id, or by track id where a track has no clips."""
    match result:
        case Annotation():
            return Record("annotation", result.clip.clip_id, result, facts_key(result.labels))
        case DeadLetter():
            return Record("dead", result.clip_id or result.track_id, result, [result.kind, result.track_id])
        case TrackDone():
            return Record("track", result.track_id, result, result.outcomes)
