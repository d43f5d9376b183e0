"""Upload large files in the background, where no reader sees them, until a commit names them.

Shards go up while the rest of the publication is still being prepared. Each file is a request chain of its own with
retries of its own; a file that the Hub has already costs one question and no bytes.
"""

import io
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from huggingface_hub import CommitOperationAdd

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.hub.client import Hub
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.hub.publication import LocalFile

THREADS = 4
BATCH_FILES = 64
SWITCH_S = 0.0005
TRIES = 2  # each request beneath has retries of its own


class Uploader:
    """Takes files as they become final. Use as a context manager: leaving it in an error stops what is under way."""

    def __init__(self, hub: Hub, progress: TransferProgress) -> None:
        self._hub, self._progress = hub, progress
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="upload")
        self._additions: dict[str, Addition] = {}
        self._futures: list[Future[None]] = []
        self._lock = threading.Lock()
        self._early, self._staged = 0, False
        self._stop = threading.Event()
        self._switch = sys.getswitchinterval()

    def __enter__(self) -> "Uploader":
        # A sender asks for the interpreter every 64 kB, and next to a busy thread waits for it as long as this: at the
        # usual 5 ms the preparation would slow each sender to 13 MB/s.
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stop.set()
        self._pool.shutdown(cancel_futures=True)
        sys.setswitchinterval(self._switch)

    def offer(self, *files: LocalFile) -> None:
        """Begin to send files that were not offered before. Raises the error of an earlier file at once."""
        for future in self._futures:
            if future.done():
                future.result()
        new = [file for file in files if file.published.path not in self._additions]
        additions = [Addition.of(file, self) for file in new]
        self._additions |= {addition.path_in_repo: addition for addition in additions}
        for start in range(0, len(additions), BATCH_FILES):
            self._futures.append(self._pool.submit(self._send, additions[start : start + BATCH_FILES]))

    def finish(self, files: tuple[LocalFile, ...]) -> "dict[str, Addition]":
        """Send what was not offered yet, wait for all of it, and return the operations of a commit by path.

        Raises FgmcapsError or MachineError.
        """
        with self._lock:
            self._staged = True
            self._progress.stage("Sending", sum(file.published.bytes for file in files))
            self._progress.advance(self._early)
        self.offer(*files)
        for future in self._futures:
            future.result()
        return self._additions

    def count(self, sent: int) -> None:
        """Count bytes that were sent; those from before the stage began are reported when it begins."""
        with self._lock:
            if self._staged:
                self._progress.advance(sent)
            else:
                self._early += sent

    def check_stop(self) -> None:
        """End a request whose push has failed or was interrupted."""
        if self._stop.is_set():
            raise InterruptedError("the push has ended")

    def _send(self, additions: "list[Addition]") -> None:
        with self._hub.errors("upload"):
            self._hub.retried(
                # An empty .gitignore: that of the repository must not drop a shard silently.
                lambda: self._hub.api.preupload_lfs_files(
                    self._hub.repo_id,
                    additions,
                    repo_type="dataset",
                    revision=self._hub.revision,
                    num_threads=THREADS,
                    free_memory=False,
                    gitignore_content="",
                ),
                tries=TRIES,
            )
        for addition in additions:
            if getattr(addition, "_should_ignore", False):
                raise FgmcapsError(
                    f"{self._hub.repo_id}: the repository's .gitignore leaves out {addition.path_in_repo}; delete it "
                    "there"
                )
            addition.reached(addition.upload_info.size)  # in another way (Xet, the commit itself), or present already


class Addition(CommitOperationAdd):
    """A file to add that reports how much of it has been read for sending."""

    uploader: Uploader
    counted: int = 0

    @classmethod
    def of(cls, file: LocalFile, uploader: Uploader) -> "Addition":
        """The operation for a file whose checksum is known."""
        addition = cls(file.published.path, str(file.source))
        addition.uploader = uploader
        # The checksum was verified a moment ago, so the file is not read once more for it; the Hub refuses a large file
        # whose bytes do not match.
        addition.upload_info.sha256 = bytes.fromhex(file.published.sha256)
        return addition

    @contextmanager
    def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
        """The file, counted while it is sent. A retry rewinds it, and the count with it."""
        with Path(str(self.path_or_fileobj)).open("rb", buffering=0) as raw:
            yield CountedFile(raw, self) if with_tqdm else io.BufferedReader(raw)

    def reached(self, position: int) -> None:
        """The sender has read up to here."""
        position = min(position, self.upload_info.size)
        self.uploader.count(position - self.counted)
        self.counted = position


class CountedFile(io.BufferedReader):
    """A real file object (for a retry the client library rewinds nothing else) that reports its position."""

    def __init__(self, raw: io.FileIO, addition: Addition) -> None:
        super().__init__(raw, 1 << 20)
        self._addition = addition

    def read(self, size: int | None = -1) -> bytes:
        """Read, and report."""
        self._addition.uploader.check_stop()
        data = super().read(size)
        self._addition.reached(self.tell())
        return data
