"""Talk to the Hub: bounded retries, and errors as one line that says what to do.

The token is ``huggingface_hub``'s own (``HF_TOKEN`` or the stored login); it is never read, passed on or logged here.
"""

import contextlib
import json
import logging
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx2
import huggingface_hub
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.pipeline.hub.tree_difference import RemoteFile

TRIES = 5
FIRST_WAIT_S = 1.0
MAX_WAIT_S = 60.0
STALE_PARENT = 412
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_TYPE = "dataset"
_REPO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
_STORAGE = re.compile(r"storage|quota|exceed", re.IGNORECASE)

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a revision stands: its commit, and whether the repository is private."""

    sha: str
    private: bool


class Hub:
    """One dataset repository on the Hub at one revision (branch; None: ``main``)."""

    def __init__(self, repo_id: str, revision: str | None = None) -> None:
        self.repo_id, self.revision = repo_id, revision
        self.api = HfApi()
        if not _REPO_ID.fullmatch(repo_id) or "--" in repo_id or ".." in repo_id:
            raise FgmcapsError(f"{repo_id!r} is not a repository name: write user/name (letters, digits, - _ and .)")

    @property
    def url(self) -> str:
        """The page of the repository."""
        return f"{self.api.endpoint}/datasets/{self.repo_id}"

    def require_token(self) -> None:
        """FgmcapsError when nobody is logged in; no request is made."""
        if not huggingface_hub.get_token():
            raise FgmcapsError("not logged in to the Hub: set HF_TOKEN or run `hf auth login`, then push again")

    def head(self) -> Head | None:
        """The revision's head; None when the repository or the revision does not exist or may not be seen."""
        with self.errors("read"):
            try:
                info = self.retried(
                    lambda: self.api.dataset_info(self.repo_id, revision=self.revision, expand=["sha", "private"])
                )
            except (RepositoryNotFoundError, RevisionNotFoundError) as error:
                if _status(error) == 401:
                    raise
                return None
        return Head(str(info.sha), bool(info.private)) if info.sha else None

    def tree(self, sha: str) -> dict[str, RemoteFile]:
        """All files of a commit."""
        with self.errors("list"):
            entries = self.retried(
                lambda: list(self.api.list_repo_tree(self.repo_id, recursive=True, revision=sha, repo_type=_TYPE))
            )
        return {
            entry.path: RemoteFile(entry.path, entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None)
            for entry in entries
            if isinstance(entry, RepoFile)
        }

    def create(self, *, private: bool) -> None:
        """Create the repository where it is missing, and the branch where it is missing."""
        with self.errors("create"):
            self.retried(lambda: self.api.create_repo(self.repo_id, repo_type=_TYPE, private=private, exist_ok=True))
            if self.revision:
                branch = self.revision
                self.retried(
                    lambda: self.api.create_branch(self.repo_id, branch=branch, repo_type=_TYPE, exist_ok=True)
                )

    def read_small(self, path: str, sha: str, remote: RemoteFile, limit: int) -> bytes:
        """The bytes of a small file of a commit; FgmcapsError when it is larger than ``limit``."""
        if remote.bytes > limit:
            raise FgmcapsError(
                f"{self.url}: {path} has {remote.bytes} bytes, more than {limit}: fgmcaps did not write it"
            )
        with tempfile.TemporaryDirectory() as folder:
            return self.download(path, sha, Path(folder)).read_bytes()

    def download(self, path: str, sha: str, folder: Path) -> Path:
        """Download one file of a commit to its path below ``folder``; an interrupted download continues."""
        with self.errors("download"):
            got = self.retried(
                lambda: self.api.hf_hub_download(self.repo_id, path, revision=sha, repo_type=_TYPE, local_dir=folder)
            )
        return Path(got)

    def retried(self, call: Callable[[], T], tries: int = TRIES) -> T:
        """Call again after an error that may pass by itself, with growing waits; the last error is raised."""
        for attempt in range(1, tries + 1):
            try:
                return call()
            except Exception as error:
                if attempt == tries or not is_transient(error):
                    raise
                pause(attempt, error)
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Turn what the client library raises into one clear line."""
        try:
            yield
        except (FgmcapsError, KeyboardInterrupt, RepositoryNotFoundError, RevisionNotFoundError) as error:
            if isinstance(error, RepositoryNotFoundError | RevisionNotFoundError) and doing != "read":
                raise self.explain(error, doing) from None
            if isinstance(error, RepositoryNotFoundError) and _status(error) == 401:
                raise self.explain(error, doing) from None
            raise
        except Exception as error:
            explained = self.explain(error, doing)
            log.debug("%s", doing, exc_info=error)
            raise explained from None

    def explain(self, error: BaseException, doing: str) -> FgmcapsError:
        """One line for people: what failed, why, and the remedy."""
        cause = root_cause(error)
        where = f"{self.repo_id}: cannot {doing}"
        status = _status(cause)
        said = " ".join(str(getattr(cause, "server_message", None) or "").split())[:200]
        detail = f" ({said})" if said else ""
        if status == 401 and not huggingface_hub.get_token():
            return FgmcapsError(
                f"{where}: there is no such dataset, or it is private: set HF_TOKEN or run `hf auth login`"
            )
        if status == 401:
            return FgmcapsError(
                f"{where}: the Hub does not accept the token{detail}; it is wrong or has expired: set HF_TOKEN or run "
                "`hf auth login`, then run the same command again"
            )
        if status in (402, 403, 413, 507) and _STORAGE.search(f"{said} {cause}"):
            return MachineError(
                f"{where}: the storage of {self.repo_id.partition('/')[0]} is full{detail}; make room, buy more, or "
                "make the repository public where private storage is what is full; then run the same command again"
            )
        if status == 403:
            return FgmcapsError(
                f"{where}: no rights{detail}; use a token that may write to {self.repo_id.partition('/')[0]}, or "
                "another repository"
            )
        if isinstance(cause, HFValidationError):
            return FgmcapsError(f"{self.repo_id!r} is not a repository name: {cause}")
        if isinstance(cause, RevisionNotFoundError):
            return FgmcapsError(f"{where}: there is no revision {self.revision!r}")
        if isinstance(cause, EntryNotFoundError):
            return FgmcapsError(f"{where}: a file is missing in the repository: {said or cause}")
        if status == 404:
            return FgmcapsError(f"{where}: there is no such dataset, or it is private and you are not logged in")
        if isinstance(cause, OfflineModeIsEnabled):
            return FgmcapsError(f"{where}: HF_HUB_OFFLINE is set; unset it")
        if is_transient(cause):
            why = f"HTTP {status}{detail}" if status else type(cause).__name__
            return MachineError(
                f"{where}: the Hub does not answer ({why}); run the same command again: what was uploaded is not sent "
                "again"
            )
        if status:
            return FgmcapsError(f"{where}: the Hub answers HTTP {status}{detail}")
        return FgmcapsError(f"{where}: {type(cause).__name__}: {cause}")


def root_cause(error: BaseException) -> BaseException:
    """The error of the Hub or of the network beneath the client library's wrappers."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, HfHubHTTPError | httpx2.HTTPError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error


def is_transient(error: BaseException) -> bool:
    """True for an error that may pass by itself: a busy server, a broken connection, an answer not in JSON."""
    cause = root_cause(error)
    status = _status(cause)
    if status is not None:
        return status in _TRANSIENT
    return isinstance(cause, httpx2.TransportError | json.JSONDecodeError | ConnectionError) and not isinstance(
        cause, OfflineModeIsEnabled
    )


def is_stale_parent(error: BaseException) -> bool:
    """True when the commit was refused because the branch has moved on."""
    return _status(root_cause(error)) == STALE_PARENT


def pause(attempt: int, error: BaseException) -> None:
    """Wait before the next try: what the Hub asks for, else 1, 2, 4, ... seconds; never more than a minute."""
    response = getattr(root_cause(error), "response", None)
    asked = str(response.headers.get("Retry-After", "")) if response is not None else ""
    wait = float(asked) if asked.isdigit() else FIRST_WAIT_S * 2 ** (attempt - 1)
    log.info("try %d failed (%s); waiting %.0f s", attempt, type(root_cause(error)).__name__, min(wait, MAX_WAIT_S))
    time.sleep(min(wait, MAX_WAIT_S))


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)


@contextlib.contextmanager
def own_progress() -> Iterator[None]:
    """Turn the library's progress bars off while ours run."""
    before = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not before:
            enable_progress_bars()
