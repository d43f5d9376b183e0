"""What a person sees while a build runs. Read from the journals alone, so it is the same for every runner."""

import time
from pathlib import Path

from fgmcaps.common.errors import MachineError
from fgmcaps.common.progress import Progress
from fgmcaps.pipeline.build.stage_file import StageFile
from fgmcaps.pipeline.stages.journal import (
    AnnotationEntry,
    CaptionEntry,
    LetterEntry,
    TrackDone,
    TrackRetry,
    read_entries,
)
from fgmcaps.pipeline.stages.segments import segments

TITLES = {"annotate": "Annotating", "caption": "Captioning", "write": "Writing shards"}
UNITS = {"annotate": "tracks", "caption": "captions", "write": "shards"}


class JournalCounter:
    """Counts the records of a journal, reading only segments that are new since the last look."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: set[str] = set()
        self.annotations: set[str] = set()
        self.tracks: set[str] = set()
        self.failed: set[str] = set()
        self.captions: set[str] = set()

    def look(self) -> None:
        """Take in new segments."""
        for path in segments(self.folder):
            if path.name in self._seen:
                continue
            self._seen.add(path.name)
            for entry in read_entries(path):
                match entry:
                    case AnnotationEntry():
                        self.annotations.add(entry.clip_id)
                        self.failed.discard(entry.clip_id)
                    case TrackDone():
                        self.tracks.add(entry.track_id)
                    case CaptionEntry():
                        self.captions.add(entry.clip_id)
                    case LetterEntry(kind="failed"):
                        self.failed.add(entry.key)
                    case TrackRetry():
                        self.tracks.discard(entry.track_id)
                        self.failed = {key for key in self.failed if not key.startswith(entry.track_id)}


class BuildProgress:
    """Shows the stage under way on ``progress``; call :meth:`tick` often, and :meth:`finish` when all is done."""

    def __init__(self, work: Path, annotations: Path, captions: Path, progress: Progress) -> None:
        self.status, self.work, self.progress = StageFile(work), work, progress
        self.annotations, self.captions = JournalCounter(annotations), JournalCounter(captions)
        self.last_look = 0.0
        self.annotations.look()
        self.clips_before = len(self.annotations.annotations)
        self.shown: tuple[str, int] | None = None

    def tick(self, force: bool = False) -> None:
        """Look at the journals (at most twice a second) and show what is new."""
        now = time.monotonic()
        if now - self.last_look < 0.5 and not force:
            return
        self.last_look = now
        status = self.status.read()
        if status is None:
            return
        if self.shown is not None and self.shown[0] != status.stage:
            self.finish()  # the job has gone on, so that stage is complete, whatever was seen of it
        if status.stage not in TITLES or not status.total:
            return
        stage, total = self.shown = (status.stage, status.total)
        done, clips = self._done(stage)
        done = min(done, total)  # a journal may hold tracks that the input has no more
        note = self._note(done, total, clips) if stage == "annotate" else None
        self.progress.show(TITLES[stage], done, total, UNITS[stage], note)

    def finish(self) -> None:
        """Show the stage under way as complete."""
        if self.shown is not None:
            stage, total = self.shown
            clips = len(self.annotations.annotations)
            note = f", {clips} clips, {len(self.annotations.failed)} failed" if stage == "annotate" else None
            self.progress.show(TITLES[stage], total, total, UNITS[stage], note)
            self.shown = None

    def _note(self, done: int, total: int, clips: int) -> str:
        if clips == self.clips_before:
            return ", loading the annotators" if done < total else ""
        return f", {clips} clips, {len(self.annotations.failed)} failed"

    def _done(self, stage: str) -> tuple[int, int]:
        try:
            if stage == "annotate":
                self.annotations.look()
                return len(self.annotations.tracks), len(self.annotations.annotations)
            if stage == "caption":
                self.captions.look()
                return len(self.captions.captions), len(self.captions.captions)
        except (OSError, MachineError):  # the job itself reports a damaged journal
            return 0, 0
        return sum(1 for _ in (self.work / "staging" / "data").glob("[!.]*.parquet")), 0
