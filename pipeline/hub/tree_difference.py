"""What a push must do to turn the remote tree into the publication, from the listings of both."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fgmcaps.pipeline.dataset.card import CARD_NAME
from fgmcaps.pipeline.dataset.failures import FAILURES_FOLDER
from fgmcaps.pipeline.dataset.manifest import MANIFEST_NAME
from fgmcaps.pipeline.dataset.shards import DATA_FOLDER
from fgmcaps.pipeline.hub.publication import (
    CROISSANT_NAME,
    METADATA_FOLDER,
    PLOTS_FOLDER,
    PUBLICATION_NAME,
    LocalFile,
)

_OURS = frozenset({CARD_NAME, MANIFEST_NAME, PUBLICATION_NAME, CROISSANT_NAME})
_OUR_FOLDERS = tuple(f"{name}/" for name in (DATA_FOLDER, METADATA_FOLDER, PLOTS_FOLDER, FAILURES_FOLDER))
_HUB_OWN = ".gitattributes"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the repository. ``sha256`` is known for large files only; ``blob`` is git's SHA-1 of the others."""

    path: str
    bytes: int
    blob: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class PushPlan:
    """Files to send, files that are there already, and paths to delete, all in one commit."""

    send: tuple[LocalFile, ...]
    unchanged: tuple[LocalFile, ...]
    delete: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """True when the repository holds the publication already."""
        return not self.send and not self.delete

    @property
    def bytes(self) -> int:
        """Bytes to send."""
        return sum(file.published.bytes for file in self.send)


def is_ours(path: str) -> bool:
    """True for the paths that a publication writes, and so may delete."""
    return path in _OURS or path.startswith(_OUR_FOLDERS)


def make_plan(
    files: Iterable[LocalFile],
    remote: Mapping[str, RemoteFile],
    *,
    everything: bool = False,
) -> PushPlan:
    """Compare. With ``everything`` all other files of the repository are deleted, else only stale ones of ours."""
    send: list[LocalFile] = []
    unchanged: list[LocalFile] = []
    kept: set[str] = set()
    for file in sorted(files, key=lambda file: file.published.path):
        kept.add(file.published.path)
        (unchanged if _same(file, remote.get(file.published.path)) else send).append(file)
    stale = (path for path in remote if path not in kept and path != _HUB_OWN and (everything or is_ours(path)))
    return PushPlan(tuple(send), tuple(unchanged), tuple(sorted(stale)))


def _same(file: LocalFile, remote: RemoteFile | None) -> bool:
    """Whether the repository holds the file's bytes already."""
    if remote is None or remote.bytes != file.published.bytes:
        return False
    return remote.sha256 == file.published.sha256 if remote.sha256 else remote.blob == git_blob(file)


def managed(remote: Mapping[str, RemoteFile]) -> dict[str, RemoteFile]:
    """The part of a tree that is ours to write: equal before and after, another's commit did not touch it."""
    return {path: file for path, file in remote.items() if is_ours(path)}


def foreign_files(remote: Mapping[str, RemoteFile]) -> list[str]:
    """Files that a new, empty repository does not have."""
    return sorted(path for path in remote if path != _HUB_OWN)


def git_blob(file: LocalFile) -> str:
    """Git's object id of the file's bytes, SHA-1 over ``blob <size>\\0`` and the bytes."""
    digest = hashlib.sha1(f"blob {file.published.bytes}\0".encode(), usedforsecurity=False)
    with file.source.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
