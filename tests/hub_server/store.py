"""Repositories of the test server: commits, branches, and blobs on disk. Thread safe behind one lock."""

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

LARGE = ("*.parquet", "*.png", "*.flac", "*.wav", "*.tar", "*.bin")
LARGE_BYTES = 10 << 20
GITATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LARGE).encode()


class Refused(Exception):  # noqa: N818
    """An answer other than 200: status, message, and the Hub's error code."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass(frozen=True)
class Entry:
    """A file of a commit: size, git's SHA-1 of its blob, and for a large file the SHA-256 of its bytes."""

    size: int
    blob: str
    sha256: str | None = None


@dataclass(frozen=True)
class Commit:
    sha: str
    parent: str | None
    message: str
    tree: dict[str, Entry]


@dataclass
class Repo:
    private: bool
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)


def git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class Store:
    """All repositories, and the blobs of all of them under ``root``."""

    def __init__(self, root: Path) -> None:
        self.lock = threading.RLock()
        self.root = root
        self.repos: dict[str, Repo] = {}
        (root / "large").mkdir(parents=True)
        (root / "small").mkdir()

    def create(self, name: str, private: bool) -> None:
        with self.lock:
            if name in self.repos:
                raise Refused(409, "You already created this dataset repo")
            repo = self.repos[name] = Repo(private)
            tree = {".gitattributes": self.small(GITATTRIBUTES)}
            repo.branches["main"] = self._commit(repo, None, "initial commit", tree)

    def repo(self, name: str) -> Repo:
        with self.lock:
            if name not in self.repos:
                raise Refused(404, "Repository not found", "RepoNotFound")
            return self.repos[name]

    def commit_of(self, name: str, revision: str) -> Commit:
        repo = self.repo(name)
        with self.lock:
            sha = repo.branches.get(revision) or repo.tags.get(revision) or revision
            if sha not in repo.commits:
                raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
            return repo.commits[sha]

    def small(self, data: bytes) -> Entry:
        entry = Entry(len(data), git_blob(data))
        (self.root / "small" / entry.blob).write_bytes(data)
        return entry

    def large_path(self, sha256: str) -> Path:
        return self.root / "large" / sha256

    def path_of(self, entry: Entry) -> Path:
        return self.large_path(entry.sha256) if entry.sha256 else self.root / "small" / entry.blob

    def upload_mode(self, path: str, size: int) -> str:
        large = any(fnmatch(path, pattern) for pattern in LARGE) or size > LARGE_BYTES
        return "lfs" if large else "regular"

    def ignored(self, name: str, revision: str, path: str, given: str | None) -> bool:
        """By the request's ``.gitignore``, else by the repository's."""
        if given is None:
            entry = self.commit_of(name, revision).tree.get(".gitignore")
            given = self.path_of(entry).read_text() if entry else ""
        return any(fnmatch(path, line) or path.startswith(line.rstrip("/") + "/") for line in given.split())

    def commit(self, name: str, branch: str, lines: list[dict]) -> str:
        """Apply one commit request, or refuse it whole."""
        with self.lock:
            repo = self.repo(name)
            if branch not in repo.branches:
                raise Refused(404, f"Invalid rev id: {branch}", "RevisionNotFound")
            head = repo.branches[branch]
            header = lines[0]["value"]
            if header.get("parentCommit") not in (None, head):
                raise Refused(412, "A commit has happened since. Please refresh and try again.")
            tree = dict(repo.commits[head].tree)
            for line in lines[1:]:
                self._apply(tree, line["key"], line["value"])
            repo.branches[branch] = self._commit(repo, head, header["summary"], tree)
            return repo.branches[branch]

    def _apply(self, tree: dict[str, Entry], key: str, value: dict) -> None:
        path = value["path"]
        if key == "file":
            tree[path] = self.small(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            large = self.large_path(value["oid"])
            if not large.is_file() or large.stat().st_size != value["size"]:
                raise Refused(400, f"LFS pointer pointed to a file that does not exist: {path}")
            pointer = f"version 1\noid sha256:{value['oid']}\nsize {value['size']}\n".encode()
            tree[path] = Entry(value["size"], git_blob(pointer), value["oid"])
        elif key == "deletedFile":
            if path not in tree:
                raise Refused(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
            del tree[path]
        else:
            raise Refused(400, f"unknown operation {key}")

    def _commit(self, repo: Repo, parent: str | None, message: str, tree: dict[str, Entry]) -> str:
        text = json.dumps([parent, message, len(repo.commits), sorted((p, e.blob) for p, e in tree.items())])
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        repo.commits[sha] = Commit(sha, parent, message, tree)
        return sha
