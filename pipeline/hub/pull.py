"""Download a published dataset and check it: ``manifest.json`` comes last, so that where it is the dataset is whole.

Every file is compared with the size and the SHA-256 that the publication promises. An interrupted pull continues:
complete files are kept, and a partial file is continued from where it broke off.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.common.files import write_atomically
from fgmcaps.common.fingerprints import sha256_of
from fgmcaps.pipeline.dataset.manifest import MANIFEST_NAME, MAX_MANIFEST_BYTES
from fgmcaps.pipeline.dataset.shards import DATA_FOLDER
from fgmcaps.pipeline.hub.client import Head, Hub, own_progress
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.hub.publication import MAX_PUBLICATION_BYTES, PUBLICATION_NAME, PublishedFile, read_publication
from fgmcaps.pipeline.hub.tree_difference import RemoteFile, is_ours
from fgmcaps.schemas import ContractError, Manifest, from_json

WORK = ".pull"
THREADS = 4
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ADDRESS = re.compile(r"hf://(?:datasets/)?(?P<repo>[^/@]+/[^/@]+)(?:@(?P<revision>.+))?/?")


@dataclass(frozen=True, slots=True)
class PullResult:
    """What a pull did: the commit that it downloaded, the files that it fetched and those that it had already."""

    commit: str
    fetched: tuple[PublishedFile, ...]
    kept: tuple[PublishedFile, ...]


def pull_dataset(
    repo_id: str, out: Path, *, revision: str | None = None, progress: TransferProgress | None = None
) -> PullResult:
    """Download the dataset ``repo_id`` (at a branch, tag or commit) into the folder ``out``.

    Raises FgmcapsError (no such dataset, not one of ours, ``out`` holds something else, other bytes than were
    promised) and MachineError (the Hub does not answer, no room).
    """
    out, progress = Path(out), progress or TransferProgress()
    hub = Hub(repo_id, revision)
    head = hub.head()
    if head is None:
        what = f"no revision {revision!r}, or no such dataset" if revision else "no such dataset"
        raise FgmcapsError(f"{repo_id}: {what}, or it is private and you are not logged in (`hf auth login`)")
    tree = hub.tree(head.sha)
    files, manifest_data, publication_data = _promised(hub, head, tree)
    _check_target(out, manifest_data)
    with _work(out) as work, own_progress():
        _drop_strays(out, files)
        kept = tuple(file for file in files if _matches(out / file.path, file))
        missing = tuple(file for file in files if file not in kept)
        _check_room(out, missing)
        progress.stage("Fetching", sum(file.bytes for file in missing))

        def fetch(file: PublishedFile) -> None:
            _fetch(hub, head, file, work, out)
            progress.advance(file.bytes)

        pool = ThreadPoolExecutor(THREADS)
        try:
            for future in [pool.submit(fetch, file) for file in missing]:
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)
        write_atomically(out / PUBLICATION_NAME, publication_data)
        write_atomically(out / MANIFEST_NAME, manifest_data)
    return PullResult(head.sha, missing, kept)


@contextmanager
def local_copy(target: str, progress: TransferProgress | None = None) -> Iterator[Path]:
    """The folder that ``target`` names; for ``hf://user/name[@revision]`` a temporary pull of it."""
    if not target.startswith("hf://"):
        yield Path(target)
        return
    match = _ADDRESS.fullmatch(target)
    if match is None:
        raise FgmcapsError(f"{target}: write hf://user/name or hf://user/name@revision")
    with tempfile.TemporaryDirectory(prefix="fgmcaps-") as folder:
        out = Path(folder) / "dataset"
        pull_dataset(match["repo"], out, revision=match["revision"], progress=progress)
        yield out


def _promised(hub: Hub, head: Head, tree: dict[str, RemoteFile]) -> tuple[tuple[PublishedFile, ...], bytes, bytes]:
    """All files of the publication but the manifest; the bytes of ``manifest.json`` and ``publication.json``."""
    if PUBLICATION_NAME not in tree or MANIFEST_NAME not in tree:
        raise FgmcapsError(
            f"{hub.repo_id}: was not published by `fgmcaps push` (no {PUBLICATION_NAME}); read it with "
            f'datasets.load_dataset("{hub.repo_id}")'
        )
    published = hub.read_small(PUBLICATION_NAME, head.sha, tree[PUBLICATION_NAME], MAX_PUBLICATION_BYTES)
    manifest_data = hub.read_small(MANIFEST_NAME, head.sha, tree[MANIFEST_NAME], MAX_MANIFEST_BYTES)
    try:
        publication, manifest = read_publication(published), from_json(Manifest, manifest_data)
    except ContractError as error:
        raise FgmcapsError(f"{hub.repo_id}: {error}; it was changed by hand, or a newer fgmcaps published it") from None
    files = {file.path: file for file in publication.files}
    for file in publication.files:
        _check_path(hub, file)
        found = tree.get(file.path)
        if found is None or found.bytes != file.bytes:
            raise FgmcapsError(
                f"{hub.repo_id}: {file.path} is missing or changed since it was published; push the dataset again"
            )
    for shard in manifest.shards:
        listed = files.get(shard.path)
        if listed is None or (listed.bytes, listed.sha256) != (shard.bytes, shard.sha256):
            raise FgmcapsError(f"{hub.repo_id}: {MANIFEST_NAME} and {PUBLICATION_NAME} disagree on {shard.path}")
    return tuple(file for file in publication.files if file.path != MANIFEST_NAME), manifest_data, published


def _check_path(hub: Hub, file: PublishedFile) -> None:
    """Refuse what is outside the folder, hidden, or not written by a publication."""
    parts = file.path.split("/")
    if not is_ours(file.path) or not all(_PART.fullmatch(part) for part in parts) or len(parts) > 3:
        raise FgmcapsError(f"{hub.repo_id}: {PUBLICATION_NAME} lists the path {file.path!r}, which no publication has")


def _check_target(out: Path, manifest_data: bytes) -> None:
    """A new or empty folder, one that a pull began, or the same dataset."""
    if out.exists() and not out.is_dir():
        raise FgmcapsError(f"{out} is a file; name a folder")
    manifest = out / MANIFEST_NAME
    if manifest.exists():
        if manifest.read_bytes() != manifest_data:
            raise FgmcapsError(f"{out} holds another dataset, or another version of this one; name a new folder")
        return
    if out.is_dir() and not (out / WORK).is_dir():
        foreign = next((path.name for path in sorted(out.iterdir())), None)
        if foreign is not None:
            raise FgmcapsError(f"{out} is not empty ({foreign!r}) and holds no pulled dataset; name a new folder")


def _drop_strays(out: Path, files: tuple[PublishedFile, ...]) -> None:
    """Delete shards of an older version that a pull had begun: their rows would be read with the others."""
    listed = {file.path for file in files}
    for path in sorted((out / DATA_FOLDER).rglob("*.parquet")):
        if path.relative_to(out).as_posix() not in listed:
            path.unlink()


def _matches(path: Path, file: PublishedFile) -> bool:
    return path.is_file() and path.stat().st_size == file.bytes and sha256_of(path) == file.sha256


def _check_room(out: Path, missing: tuple[PublishedFile, ...]) -> None:
    needed, free = sum(file.bytes for file in missing), shutil.disk_usage(out).free
    if needed > free:
        raise MachineError(
            f"{out}: {needed / 2**30:.1f} GiB are to be downloaded, {free / 2**30:.1f} GiB are free; make room"
        )


def _fetch(hub: Hub, head: Head, file: PublishedFile, work: Path, out: Path) -> None:
    """Download, compare, and move into place."""
    got = hub.download(file.path, head.sha, work)
    if not _matches(got, file):
        got.unlink()
        raise FgmcapsError(f"{hub.repo_id}: {file.path} arrived with other bytes than were published; pull again")
    with got.open("rb") as handle:
        os.fsync(handle.fileno())
    target = out / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    got.replace(target)


@contextmanager
def _work(out: Path) -> Iterator[Path]:
    """Where downloads wait until they are whole. Kept when a pull fails, so that the next one continues."""
    work = out / WORK
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FgmcapsError(f"another pull into {out} is running; wait for it to end") from None
        yield work
        shutil.rmtree(work, ignore_errors=True)
