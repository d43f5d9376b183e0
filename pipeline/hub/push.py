"""Publish a finished dataset: whole or not at all, in one commit, and nothing twice.

Large files are uploaded first, where nobody sees them; then one commit adds, replaces and deletes everything that
differs. The commit names its parent, so that it fails when the branch has moved, and after a lost answer the tree
itself shows whether it took effect.
"""

import fcntl
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import CommitOperationDelete

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.manifest import MANIFEST_NAME, is_complete
from fgmcaps.pipeline.hub.client import TRIES, Head, Hub, is_stale_parent, is_transient, own_progress, pause
from fgmcaps.pipeline.hub.prepare import Prepared, PublishSettings, prepare
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.hub.publication import (
    MAX_PUBLICATION_BYTES,
    METADATA_CONFIG,
    PUBLICATION_NAME,
    LocalFile,
    Publication,
    read_publication,
)
from fgmcaps.pipeline.hub.tree_difference import PushPlan, RemoteFile, foreign_files, make_plan, managed
from fgmcaps.pipeline.hub.upload import Addition, Uploader
from fgmcaps.pipeline.licences.policy import judge
from fgmcaps.schemas import ContractError

STAGING = ".publish"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push did, or with ``dry_run`` would do. ``commit`` is None when nothing had to change.

    ``left_out``: rows that stay behind because their captions state too little.
    """

    repo_id: str
    url: str
    commit: str | None
    plan: PushPlan
    publication: Publication
    dry_run: bool = False
    left_out: int = 0


def push_dataset(
    out: Path,
    repo_id: str,
    *,
    private: bool = False,
    revision: str | None = None,
    config_name: str = "default",
    audio: Literal["embed", "none"] | None = None,
    assumed_licence: str | None = None,
    min_facts: int = 1,
    replace: bool = False,
    dry_run: bool = False,
    progress: TransferProgress | None = None,
) -> PushResult:
    """Make the dataset repository ``repo_id`` hold the finished dataset in ``out``.

    ``private`` is the visibility of a repository that is created; ``replace`` lets a repository with other content
    become this dataset. ``audio`` None publishes audio where the dataset embeds it. Rows whose captions state fewer
    than ``min_facts`` facts are left out, and counted as filtered. Safe to call again after any failure: files that the
    Hub has are not sent again, and an unchanged dataset makes no commit.

    Raises FgmcapsError (unfinished or damaged dataset, no rights, other content, somebody else pushed meanwhile) and
    MachineError (the Hub does not answer after bounded retries).
    """
    out, progress = Path(out), progress or TransferProgress()
    _check_config_name(config_name)
    if not is_complete(out):
        raise FgmcapsError(f"{out}: not a finished dataset: build it to the end, then push it")
    hub = Hub(repo_id, revision)
    if not dry_run:
        hub.require_token()
    head = hub.head()
    remote = hub.tree(head.sha) if head else {}
    _check_visibility(hub, head, private)
    _check_assumed(assumed_licence, head.private if head else private)
    _check_content(hub, head, remote, replace)
    settings = PublishSettings(repo_id, hub.url, config_name, audio, assumed_licence, min_facts)
    with _staging(out) as staging, own_progress():
        if dry_run:
            prepared = prepare(out, staging, settings, progress)
            plan = make_plan(prepared.files, remote, everything=replace)
            return PushResult(repo_id, hub.url, None, plan, prepared.publication, dry_run, prepared.left_out)
        target = _Target(hub, head, remote, private, replace)
        with Uploader(hub, progress) as uploader:
            # A verified shard goes up while the rest is prepared: nothing names it yet, so nobody sees it.
            prepared = prepare(out, staging, settings, progress, on_shard=lambda file: target.send(file, uploader))
            target.ensure()
            plan = target.plan(prepared.files)
            if plan.empty:
                return PushResult(repo_id, hub.url, None, plan, prepared.publication, left_out=prepared.left_out)
            additions = uploader.finish(plan.send)
        commit = _commit(target, plan, prepared, additions)
        if not make_plan(prepared.files, hub.tree(commit), everything=replace).empty:
            raise FgmcapsError(f"{repo_id}: commit {commit} does not hold all that was sent; push again")
        return PushResult(repo_id, hub.url, commit, plan, prepared.publication, left_out=prepared.left_out)


class _Target:
    """The repository as it was seen, created when the first file is to be sent."""

    def __init__(
        self, hub: Hub, head: Head | None, remote: Mapping[str, RemoteFile], private: bool, replace: bool
    ) -> None:
        self.hub, self.head, self.remote = hub, head, remote
        self.private, self.replace = private, replace

    def ensure(self) -> Head:
        """The head; the repository and the branch are created where they are missing."""
        if self.head is None:
            self.hub.create(private=self.private)
            self.head = self.hub.head()
            if self.head is None:
                raise FgmcapsError(f"{self.hub.repo_id}: was created but cannot be read; push again")
            self.remote = self.hub.tree(self.head.sha)
            _check_content(self.hub, self.head, self.remote, self.replace)
        return self.head

    def plan(self, files: tuple[LocalFile, ...]) -> PushPlan:
        """What differs."""
        return make_plan(files, self.remote, everything=self.replace)

    def send(self, file: LocalFile, uploader: Uploader) -> None:
        """Upload a file if the repository lacks it."""
        self.ensure()
        if self.plan((file,)).send:
            uploader.offer(file)


def _commit(target: _Target, plan: PushPlan, prepared: Prepared, additions: Mapping[str, Addition]) -> str:
    """The one commit. Returns its id, also when its answer was lost but it took effect.

    A commit by somebody else that touched nothing of ours becomes the new parent; any other ends the push.
    """
    hub, head, remote, replace = target.hub, target.ensure(), target.remote, target.replace
    rows = prepared.publication.rows
    for attempt in range(1, TRIES + 1):
        try:
            with hub.errors("commit") if attempt == TRIES else _plain():
                return str(
                    hub.api.create_commit(
                        hub.repo_id,
                        [*(additions[file.published.path] for file in plan.send), *map(_deletion, plan.delete)],
                        commit_message=f"Publish {rows} clips with FGMCaps",
                        repo_type="dataset",
                        revision=hub.revision,
                        parent_commit=head.sha,
                    ).oid
                )
        except FgmcapsError:
            raise
        except Exception as error:
            stale = is_stale_parent(error)
            if not stale and not is_transient(error):
                raise hub.explain(error, "commit") from None
            if not stale:
                pause(attempt, error)
        now = hub.head()
        if now is None:
            raise FgmcapsError(f"{hub.repo_id}: the repository is gone; push again")
        if now.sha == head.sha:
            continue
        tree = hub.tree(now.sha)
        rest = make_plan(prepared.files, tree, everything=replace)
        if rest.empty:
            log.info("the commit %s holds the publication", now.sha)
            return now.sha
        if managed(tree) != managed(remote) or {file.published.path for file in rest.send} - additions.keys():
            raise FgmcapsError(
                f"{hub.repo_id}: somebody else changed the dataset during this push (commit {now.sha[:12]}); look at "
                "it, then push again to publish over it"
            )
        head, remote, plan = now, tree, rest
    raise FgmcapsError(f"{hub.repo_id}: the branch moves faster than the push; push again")


@contextmanager
def _plain() -> Iterator[None]:
    yield


def _deletion(path: str) -> CommitOperationDelete:
    return CommitOperationDelete(path, is_folder=False)


def _check_config_name(name: str) -> None:
    if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii() or len(name) > 64:
        raise FgmcapsError(f"configuration name {name!r}: use letters, digits, - and _")
    if name == METADATA_CONFIG:
        raise FgmcapsError(f"the configuration name {name!r} belongs to the rows without audio; choose another")


def _check_visibility(hub: Hub, head: Head | None, private: bool) -> None:
    if private and head and not head.private:
        raise FgmcapsError(
            f"{hub.repo_id} is public, and --private does not change a repository that exists: make it private in its "
            "settings on the Hub, or leave out --private"
        )


def _check_assumed(assumed: str | None, private: bool) -> None:
    """In public only a licence that the policy allows; for what stays private an owner may name any."""
    if assumed is None:
        return
    if not assumed.strip() or len(assumed) > 100 or not assumed.isprintable():
        raise FgmcapsError("--assume-licence: give the name of a licence")
    verdict = judge(assumed)
    if not private and not verdict.allowed:
        raise FgmcapsError(
            f"--assume-licence {assumed}: {verdict.reason}; a public repository needs a licence that allows copies and "
            "adaptations (such as CC-BY-4.0), or push to a private one with --private"
        )


def _check_content(hub: Hub, head: Head | None, remote: Mapping[str, RemoteFile], replace: bool) -> None:
    """Refuse a repository that holds anything other than a publication of ours."""
    if head is None or replace or not foreign_files(remote):
        return
    if PUBLICATION_NAME in remote and MANIFEST_NAME in remote:
        data = hub.read_small(PUBLICATION_NAME, head.sha, remote[PUBLICATION_NAME], MAX_PUBLICATION_BYTES)
        try:
            read_publication(data)
            return
        except ContractError as error:
            reason = f"its {PUBLICATION_NAME} was not written by fgmcaps: {error}"
    else:
        names = foreign_files(remote)
        reason = f"it holds {names[0]!r}" + (f" and {len(names) - 1} more files" if len(names) > 1 else "")
    raise FgmcapsError(
        f"{hub.repo_id}: the repository exists with other content ({reason}); name another repository, or pass "
        "--replace to delete its files and publish this dataset there (its history keeps them)"
    )


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """An empty folder beside the shards, for one push at a time; what a killed push left there is cleared."""
    root = out / STAGING
    root.mkdir(exist_ok=True)
    with (root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FgmcapsError(f"another push of {out} is running; wait for it to end") from None
        folder = root / "files"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(root, ignore_errors=True)
